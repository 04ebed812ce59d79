//! The world of policies that other toolchains built: WASI, with nothing in it.
//!
//! Languages that bring a runtime along import WASI whether their policy needs it or not. Such a component
//! gets no environment, no arguments and an empty input; clocks and randomness are real; what it prints goes
//! to the log. Files and sockets are not there at all.

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

use super::call::Call;
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
const RESOURCES: usize = 256;
/// The most randomness at once, in bytes.
const RANDOM: u64 = 64 << 10;

/// What there is of WASI in one call.
pub(super) struct World {
    context: WasiCtx,
    resources: ResourceTable,
}

impl World {
    /// A world in which `log` bytes may be printed on each stream.
    pub(super) fn new(log: usize) -> Self {
        let mut context = WasiCtx::builder();
        context.stdout(LogStream::new("stdout", log)).stderr(LogStream::new("stderr", log)).max_random_size(RANDOM);
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(RESOURCES);
        Self { context: context.build(), resources }
    }

    pub(super) fn view(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.context, table: &mut self.resources }
    }
}

/// Adds [`INTERFACES`] to what a component can be linked to.
pub(super) fn add_to_linker(linker: &mut Linker<Call>) -> wasmtime::Result<()> {
    cli::environment::add_to_linker::<_, WasiCli>(linker, Call::cli)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, Call::cli)?;
    cli::stderr::add_to_linker::<_, WasiCli>(linker, Call::cli)?;
    cli::stdin::add_to_linker::<_, WasiCli>(linker, Call::cli)?;
    cli::stdout::add_to_linker::<_, WasiCli>(linker, Call::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, Call::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, Call::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, Call::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, Call::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, Call::cli)?;
    clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(linker, Call::clocks)?;
    clocks::wall_clock::add_to_linker::<_, WasiClocks>(linker, Call::clocks)?;
    io::error::add_to_linker::<_, Resources>(linker, |call| call.ctx().table)?;
    io::poll::add_to_linker::<_, Polling>(linker, |call| Patience { until: call.deadline, table: call.ctx().table })?;
    io::streams::add_to_linker::<_, Resources>(linker, |call| call.ctx().table)?;
    random::insecure::add_to_linker::<_, WasiRandom>(linker, Call::random)?;
    random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, Call::random)?;
    random::random::add_to_linker::<_, WasiRandom>(linker, Call::random)
}

struct Resources;

impl HasData for Resources {
    type Data<'a> = &'a mut ResourceTable;
}

struct Polling;

impl HasData for Polling {
    type Data<'a> = Patience<'a>;
}

/// Waiting, for as long as the call may last. Nothing else of this world waits: input and output never do.
struct Patience<'a> {
    until: Instant,
    table: &'a mut ResourceTable,
}

impl io::poll::Host for Patience<'_> {
    async fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        wasmtime::ensure!(pollables.len() <= RESOURCES, "it waits for more than {RESOURCES} things at once");
        until(self.until, io::poll::Host::poll(self.table, pollables)).await
    }
}

impl HostPollable for Patience<'_> {
    async fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        until(self.until, HostPollable::ready(self.table, pollable)).await
    }

    async fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        until(self.until, HostPollable::block(self.table, pollable)).await
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        HostPollable::drop(self.table, pollable)
    }
}

async fn until<T>(deadline: Instant, waiting: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    // What is ready at once would never be asked for the time.
    if Instant::now() < deadline
        && let Ok(outcome) = timeout_at(deadline, waiting).await
    {
        return outcome;
    }
    Err(wasmtime::format_err!("it waited until the call's time was up (backup.callTimeout)"))
}
