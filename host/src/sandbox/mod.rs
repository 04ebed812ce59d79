//! Runs a policy component: one fresh instance for each call, within limits.
//!
//! A [`Policy`] is compiled once. Nothing that a call leaves behind, not even a trap, can reach another call.

mod bindings;
mod compiled;
mod contract;
mod engine;
mod exports;
mod imports;
mod limits;
mod output;
mod permits;
mod restore_calls;
mod store;
mod verification_calls;
pub(crate) mod wasi;

use std::sync::Arc;

use tokio::time::Instant;
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance, InstancePre, Linker};

use crate::elasticsearch::{Capability, Outstanding, Scope};
use bindings::PolicyPre;
use exports::{Arguments, Exports, Returned};
use limits::Stop;
use permits::Permit;
use store::CallState;

pub use crate::settings::CallLimits;
pub use bindings::exports::optimize::backup::{restores, retention, verifications};
pub use bindings::optimize::backup::types;
pub use compiled::Compiled;
pub use contract::ContractError;
pub use engine::{MAX_INSTANCES, MAX_TABLE_ELEMENTS, MAX_TABLES, Sandbox};
pub use limits::CallLimit;
pub use permits::{MAX_SHADOW_CALLS, Purpose};

/// The policy that serves when no other is configured; built with this host.
pub const EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/policy.wasm"));

/// A policy component, ready to be called. What it answers is held against the contract.
pub struct Policy {
    sandbox: Arc<Sandbox>,
    instances: InstancePre<CallState>,
    exports: Exports,
}

/// Why a component cannot be a policy.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("it is not a WebAssembly component that can be compiled: {0:#}")]
    NotAComponent(wasmtime::Error),
    #[error("it is not a policy (imports or exports differ from the world optimize:backup/policy): {0:#}")]
    NotAPolicy(wasmtime::Error),
}

/// An operation of the WIT package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Create,
    Advance,
    Get,
    Progress,
    List,
    Delete,
    Expire,
    PlanRestore,
    AdvanceRestore,
    GetRestore,
    BeginVerification,
    AdvanceVerification,
    VerificationTraces,
    ClearVerification,
}

impl Operation {
    /// Its name in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Advance => "advance",
            Self::Get => "get",
            Self::Progress => "progress",
            Self::List => "list",
            Self::Delete => "delete",
            Self::Expire => "expire",
            Self::PlanRestore => "plan_restore",
            Self::AdvanceRestore => "advance_restore",
            Self::GetRestore => "get_restore",
            Self::BeginVerification => "begin_verification",
            Self::AdvanceVerification => "advance_verification",
            Self::VerificationTraces => "verification_traces",
            Self::ClearVerification => "clear_verification",
        }
    }
}

/// Why an operation has no result.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    #[error("{}", .0.problem().message)]
    Refused(types::Error),
    #[error("the policy failed: {0}")]
    Trapped(String),
    #[error("the policy used up its {limit} although it had read only {read} bytes of the search engine's answers")]
    LimitByPolicy { limit: CallLimit, read: usize },
    #[error("the policy's answer breaks the contract: {0}")]
    BrokeContract(#[from] ContractError),
    #[error(
        "one call of the policy used up its {limit}, after {read} bytes of the search engine's answers: raise {}, or list fewer backups at once",
        limit.setting()
    )]
    LimitByData { limit: CallLimit, read: usize },
    #[error("too many other calls are waiting for the search engine; try again soon")]
    Busy,
    #[error("the host failed: {0}; this is a defect, its log tells more")]
    Internal(String),
}

/// What the end of a call tells about the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It did what a policy should; a refusal is that, too.
    Good,
    /// It failed by its own fault.
    Bad,
}

impl CallError {
    /// The metric's label.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Trapped(_) | Self::LimitByPolicy { .. } => "trapped",
            Self::BrokeContract(_) => "broke_contract",
            Self::LimitByData { .. } => "limited",
            Self::Busy => "busy",
            Self::Internal(_) => "internal",
        }
    }

    /// `None`: it tells nothing, since the amount of data, other calls or the host are the reason.
    pub fn mark(&self) -> Option<Mark> {
        match self {
            Self::Refused(_) => Some(Mark::Good),
            Self::Trapped(_) | Self::LimitByPolicy { .. } | Self::BrokeContract(_) => Some(Mark::Bad),
            Self::LimitByData { .. } | Self::Busy | Self::Internal(_) => None,
        }
    }
}

impl Policy {
    /// The policy inside this binary. It was compiled when the binary was built; where this processor cannot run that code,
    /// it is compiled here and now.
    ///
    /// # Errors
    /// [`LoadError`]: a defect of this binary.
    pub fn embedded(sandbox: &Arc<Sandbox>) -> Result<Self, LoadError> {
        Self::load_compiled(sandbox, &Compiled::EMBEDDED).or_else(|reason| {
            tracing::info!(%reason, "this machine cannot use the embedded policy's machine code; compiling the policy");
            Self::load(sandbox, EMBEDDED)
        })
    }

    /// Compiles a component here and now: for one that is known.
    ///
    /// # Errors
    /// [`LoadError`] says what is wrong with it.
    pub fn load(sandbox: &Arc<Sandbox>, component: &[u8]) -> Result<Self, LoadError> {
        let component = Component::from_binary(&sandbox.engine, component).map_err(LoadError::NotAComponent)?;
        Self::link(sandbox, &component)
    }

    /// Takes what this program's own compiler made of a component.
    pub fn load_compiled(sandbox: &Arc<Sandbox>, compiled: &Compiled) -> Result<Self, LoadError> {
        let component = compiled.component(sandbox).map_err(LoadError::NotAComponent)?;
        Self::link(sandbox, &component)
    }

    fn link(sandbox: &Arc<Sandbox>, component: &Component) -> Result<Self, LoadError> {
        let mut linker = Linker::new(&sandbox.engine);
        imports::add_to_linker(&mut linker).map_err(LoadError::NotAPolicy)?;
        let pre = linker.instantiate_pre(component).map_err(LoadError::NotAPolicy)?;
        // Whatever the world asks for is there, and of its types.
        let checked = PolicyPre::new(pre).map_err(LoadError::NotAPolicy)?;
        let exports = Exports::of(component).map_err(LoadError::NotAPolicy)?;
        Ok(Self { sandbox: Arc::clone(sandbox), instances: checked.instance_pre().clone(), exports })
    }

    /// Validates an ID, checks the repository and submits part 1.
    pub async fn create(
        &self,
        capability: Capability,
        context: &types::Context,
        id: &str,
    ) -> Result<types::Accepted, CallError> {
        let mut call = self.open(Operation::Create, Purpose::Service, capability, Scope::of_create(id)).await?;
        let accepted: types::Accepted = call.make((context, id)).await?;
        contract::accepted(id, &accepted)?;
        Ok(accepted)
    }

    /// Takes a run one step further.
    pub async fn advance(
        &self,
        capability: Capability,
        context: &types::Context,
        id: types::BackupId,
    ) -> Result<types::Step, CallError> {
        let mut call = self.open(Operation::Advance, Purpose::Service, capability, Scope::of_advance(id)).await?;
        let step: types::Step = call.make((context, id)).await?;
        contract::step(id, &step)?;
        Ok(step)
    }

    /// Tells one backup.
    pub async fn get(
        &self,
        purpose: Purpose,
        capability: Capability,
        context: &types::Context,
        id: &str,
    ) -> Result<types::Backup, CallError> {
        let mut call = self.open(Operation::Get, purpose, capability, Scope::Read).await?;
        let backup: types::Backup = call.make((context, id)).await?;
        contract::requested_backup(id, &backup)?;
        Ok(backup)
    }

    /// Tells how far a backup is.
    pub async fn progress(
        &self,
        purpose: Purpose,
        capability: Capability,
        context: &types::Context,
        id: &str,
    ) -> Result<types::BackupProgress, CallError> {
        let mut call = self.open(Operation::Progress, purpose, capability, Scope::Read).await?;
        let progress: types::BackupProgress = call.make((context, id)).await?;
        contract::progress(id, &progress)?;
        Ok(progress)
    }

    /// Tells backups.
    pub async fn list(
        &self,
        purpose: Purpose,
        capability: Capability,
        context: &types::Context,
        query: &types::ListQuery,
    ) -> Result<types::BackupsPage, CallError> {
        let mut call = self.open(Operation::List, purpose, capability, Scope::Read).await?;
        let page: types::BackupsPage = call.make((context, query)).await?;
        contract::page(query, &page)?;
        Ok(page)
    }

    /// Submits the deletion of a backup, or of what `only_runs` wrote; also the request that the engine
    /// is still working on.
    pub async fn delete(
        &self,
        capability: Capability,
        context: &types::Context,
        id: &str,
        only_runs: Option<&[String]>,
    ) -> Result<(types::Deleted, Option<Outstanding>), CallError> {
        let mut call = self.open(Operation::Delete, Purpose::Service, capability, Scope::of_delete(id)).await?;
        let deleted: types::Deleted = call.make((context, id, only_runs)).await?;
        contract::deleted(id, &deleted)?;
        Ok((deleted, call.store.data_mut().outstanding.take()))
    }

    /// Chooses the backups that expire among the candidates.
    pub async fn expire(
        &self,
        purpose: Purpose,
        capability: Capability,
        context: &types::Context,
        rules: &retention::Rules,
        candidates: &[retention::Candidate],
    ) -> Result<Vec<retention::Expired>, CallError> {
        let mut call = self.open(Operation::Expire, purpose, capability, Scope::Read).await?;
        let expired: Vec<retention::Expired> = call.make((context, rules, candidates)).await?;
        contract::expired(candidates, &expired)?;
        Ok(expired)
    }

    async fn open(
        &self,
        operation: Operation,
        purpose: Purpose,
        capability: Capability,
        scope: Scope,
    ) -> Result<Call, CallError> {
        let deadline = Instant::now() + self.sandbox.limits.wall_time;
        let permit = self.sandbox.permits.acquire(operation, purpose, deadline).await?;
        let mut store = CallState::store(&self.sandbox, operation, &permit, capability, scope, deadline);
        match self.instances.instantiate_async(&mut store).await {
            Ok(instance) => {
                Ok(Call { instance, function: self.exports.of_operation(operation), store, _permit: permit })
            }
            Err(error) => Err(ended(store.data(), &error)),
        }
    }
}

/// One call. Its fields are dropped in this order, so the permit is free only when the pool's slot is.
struct Call {
    instance: Instance,
    function: ComponentExportIndex,
    store: Store<CallState>,
    _permit: Permit,
}

impl Call {
    /// Calls the function. Only its own types are compared with the component's.
    async fn make<A: Arguments, R: Returned>(&mut self, arguments: A) -> Result<R, CallError> {
        let function = self.instance.get_typed_func::<A, (Result<R, types::Error>,)>(&mut self.store, self.function);
        let returned = match function {
            Ok(function) => function.call_async(&mut self.store, arguments).await,
            Err(error) => Err(error),
        };
        let call = self.store.data();
        let (answer,) = returned.map_err(|error| ended(call, &error))?;
        answer.map_err(|error| match call.denied_for {
            // The policy tells in its own words what it was denied.
            Some(limit) => call.limit_reached(limit),
            None => CallError::Refused(error),
        })
    }
}

backup_actuator::policy_types!(crate::sandbox::bindings::optimize::backup::types);
backup_actuator::restore_views!(crate::sandbox::bindings::exports::optimize::backup::restores);
backup_actuator::verification_views!(crate::sandbox::bindings::exports::optimize::backup::verifications);
backup_core::restore_types!(crate::sandbox::bindings::exports::optimize::backup::restores);
backup_core::retention_types!(crate::sandbox::bindings::exports::optimize::backup::retention);
backup_core::verification_types!(crate::sandbox::bindings::exports::optimize::backup::verifications);

/// Why a call ended without an answer.
fn ended(call: &CallState, error: &wasmtime::Error) -> CallError {
    tracing::debug!(error = format!("{error:#}"), "a policy's call came to a sudden end");
    match call.stop() {
        Some(Stop::Limit(limit)) => call.limit_reached(limit),
        Some(Stop::SharedMemory) => CallError::Busy,
        None if limits::is_transfer_exhausted(error) => call.limit_reached(CallLimit::Transfer),
        // The cause alone: the backtrace before it can be of any length.
        None => CallError::Trapped(error.root_cause().to_string()),
    }
}
