//! WASI for policies that other toolchains built, without files, sockets, environment and arguments.
//!
//! Languages with a runtime of their own import WASI whether their policy needs it or not. Input is empty, clocks and
//! randomness are real, and output goes to the log.

use tokio::time::{Instant, timeout_at};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::{cli, clocks, random};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_io::bindings::wasi::io;
use wasmtime_wasi_io::bindings::wasi::io::poll::HostPollable;

use super::output::LogStream;

/// The interfaces of WASI 0.2 that a policy may import, and no others.
pub(crate) const INTERFACES: [&str; 18] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
];

/// How many streams, pollables and errors a call may hold at once.
const MAX_RESOURCES: usize = 256;
/// The most random bytes at once.
const MAX_RANDOM_BYTES: u64 = 64 << 10;

/// The state of WASI in one call.
pub(super) struct WasiState {
    context: WasiCtx,
    resources: ResourceTable,
}

/// When a call's time is up.
pub(super) trait Deadline {
    fn deadline(&self) -> Instant;
}

impl WasiState {
    pub(super) fn new() -> Self {
        let mut context = WasiCtx::builder();
        context.stdout(LogStream::new("stdout")).stderr(LogStream::new("stderr")).max_random_size(MAX_RANDOM_BYTES);
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(MAX_RESOURCES);
        Self { context: context.build(), resources }
    }

    pub(super) fn view(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.context, table: &mut self.resources }
    }
}

/// Adds [`INTERFACES`] to what a component can be linked to.
pub(super) fn add_to_linker<T: WasiView + Deadline>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    cli::environment::add_to_linker::<_, WasiCli>(linker, T::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, T::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(linker, T::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(linker, T::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(linker, T::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, T::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, T::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, T::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, T::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, T::cli)?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(linker, T::clocks)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(linker, T::clocks)?;
    io::error::add_to_linker::<_, Resources>(linker, |call| call.ctx().table)?;
    io::poll::add_to_linker::<_, Polling>(linker, |call| WithDeadline {
        deadline: call.deadline(),
        table: call.ctx().table,
    })?;
    io::streams::add_to_linker::<_, Resources>(linker, |call| call.ctx().table)?;
    random::insecure::add_to_linker::<_, WasiRandom>(linker, T::random)?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, T::random)?;
    random::random::add_to_linker::<_, WasiRandom>(linker, T::random)
}

struct Resources;

impl HasData for Resources {
    type Data<'a> = &'a mut ResourceTable;
}

struct Polling;

impl HasData for Polling {
    type Data<'a> = WithDeadline<'a>;
}

/// Polls until the call's deadline. Nothing else waits: input and output are always ready.
struct WithDeadline<'a> {
    deadline: Instant,
    table: &'a mut ResourceTable,
}

impl io::poll::Host for WithDeadline<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        wasmtime::ensure!(pollables.len() <= MAX_RESOURCES, "it waits for more than {MAX_RESOURCES} things at once");
        until(self.deadline, io::poll::Host::poll(self.table, pollables)).await
    }
}

impl HostPollable for WithDeadline<'_> {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        until(self.deadline, HostPollable::ready(self.table, pollable)).await
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        until(self.deadline, HostPollable::block(self.table, pollable)).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        HostPollable::drop(self.table, pollable)
    }
}

async fn until<T>(deadline: Instant, waiting: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    // `timeout_at` alone would never end a guest that polls what is always ready.
    if Instant::now() < deadline
        && let Ok(outcome) = timeout_at(deadline, waiting).await
    {
        return outcome;
    }
    Err(wasmtime::format_err!("it waited until the call's time was up (backup.callTimeout)"))
}
