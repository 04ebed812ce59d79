//! Runs a policy component: one fresh instance for each call, within limits.
//!
//! A [`Policy`] is compiled once. Nothing that a call leaves behind, not even a trap, can reach another call.

mod bindings;
mod compiled;
mod contract;
mod engine;
mod imports;
mod output;
mod store;
pub(crate) mod wasi;

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use wasmtime::component::{Component, Linker};
use wasmtime::{Store, Trap};

use crate::elasticsearch::{Capability, Outstanding, Scope};
use bindings::exports::optimize::backup::backups::Guest;
use bindings::{Policy as Instance, PolicyPre};
use store::CallState;

pub use crate::settings::CallLimits;
pub use bindings::optimize::backup::types;
pub use compiled::Compiled;
pub use contract::ContractError;
pub use engine::{MAX_INSTANCES, MAX_TABLE_ELEMENTS, MAX_TABLES, Sandbox};

/// The policy that serves when no other is configured; built with this host.
pub const EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/policy.wasm"));

/// A policy component, ready to be called. What it answers is held against the contract.
pub struct Policy {
    sandbox: Arc<Sandbox>,
    instances: PolicyPre<CallState>,
}

/// Why a component cannot be a policy.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("it is not a WebAssembly component that can be compiled: {0:#}")]
    NotAComponent(wasmtime::Error),
    #[error("it is not a policy (imports or exports differ from the world optimize:backup/policy): {0:#}")]
    NotAPolicy(wasmtime::Error),
}

/// Why an operation has no result.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    #[error("{}", .0.problem().message)]
    Refused(types::Error),
    #[error("the policy used up its processor time (policy.cpuTime)")]
    OutOfTime,
    #[error("the policy failed: {0}")]
    Trapped(String),
    #[error("the policy's answer breaks the contract: {0}")]
    BrokeContract(#[from] ContractError),
}

impl CallError {
    /// The metric's label.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::OutOfTime | Self::Trapped(_) => "trapped",
            Self::BrokeContract(_) => "broke_contract",
        }
    }

    /// Whether the policy itself is at fault. A refusal is not a failure.
    pub fn is_failure_of_policy(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::OutOfTime | Self::Trapped(_) | Self::BrokeContract(_) => true,
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
        let instances = PolicyPre::new(pre).map_err(LoadError::NotAPolicy)?;
        Ok(Self { sandbox: Arc::clone(sandbox), instances })
    }

    /// Validates an ID, checks the repository and submits part 1.
    pub async fn create(
        &self,
        capability: Capability,
        context: &types::Context,
        id: &str,
    ) -> Result<types::Accepted, CallError> {
        let mut call = self.open(capability, Scope::of_create(id)).await?;
        let accepted = outcome(call.guest().call_create(&mut call.store, context, id).await)?;
        contract::accepted(id, &accepted)?;
        Ok(accepted)
    }

    /// Takes a run one step further.
    pub async fn advance(
        &self,
        capability: Capability,
        context: &types::Context,
        id: types::BackupId,
    ) -> Result<types::Progress, CallError> {
        let mut call = self.open(capability, Scope::of_advance(id)).await?;
        let progress = outcome(call.guest().call_advance(&mut call.store, context, id).await)?;
        contract::progress(id, &progress)?;
        Ok(progress)
    }

    /// Tells one backup.
    pub async fn get(
        &self,
        capability: Capability,
        context: &types::Context,
        id: &str,
    ) -> Result<types::Backup, CallError> {
        let mut call = self.open(capability, Scope::Read).await?;
        let backup = outcome(call.guest().call_get(&mut call.store, context, id).await)?;
        contract::requested_backup(id, &backup)?;
        Ok(backup)
    }

    /// Tells backups.
    pub async fn list(
        &self,
        capability: Capability,
        context: &types::Context,
        query: &types::ListQuery,
    ) -> Result<types::BackupsPage, CallError> {
        let mut call = self.open(capability, Scope::Read).await?;
        let page = outcome(call.guest().call_list(&mut call.store, context, query).await)?;
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
        let mut call = self.open(capability, Scope::of_delete(id)).await?;
        let deleted = outcome(call.guest().call_delete(&mut call.store, context, id, only_runs).await)?;
        contract::deleted(id, &deleted)?;
        Ok((deleted, call.store.data_mut().outstanding.take()))
    }

    async fn open(&self, capability: Capability, scope: Scope) -> Result<Call, CallError> {
        let deadline = Instant::now() + self.sandbox.limits.wall_time;
        let permit = timeout_at(deadline, Arc::clone(&self.sandbox.permits).acquire_owned()).await;
        let permit = permit.map_err(|_| no_permit())?.map_err(|closed| CallError::Trapped(closed.to_string()))?;
        let mut store = CallState::store(&self.sandbox, capability, scope, deadline);
        let instance = self.instances.instantiate_async(&mut store).await.map_err(trapped)?;
        Ok(Call { instance, store, _permit: permit })
    }
}

/// One call. Its fields are dropped in this order, so the permit is free only when the pool's slot is.
struct Call {
    instance: Instance,
    store: Store<CallState>,
    _permit: OwnedSemaphorePermit,
}

impl Call {
    fn guest(&self) -> Guest {
        self.instance.optimize_backup_backups().clone()
    }
}

backup_actuator::policy_types!(crate::sandbox::bindings::optimize::backup::types);

/// Calls are short unless the engine is slow: so it is the engine that the other calls wait for.
fn no_permit() -> CallError {
    CallError::Refused(types::Error::Unreachable(types::Problem {
        code: "engineUnreachable".to_owned(),
        message: "too many other calls are waiting for the search engine; try again when it answers".to_owned(),
        detail: Some("the call's time was up before its turn (backup.callTimeout)".to_owned()),
    }))
}

fn outcome<T>(returned: wasmtime::Result<Result<T, types::Error>>) -> Result<T, CallError> {
    returned.map_err(trapped)?.map_err(CallError::Refused)
}

fn trapped(error: wasmtime::Error) -> CallError {
    match error.downcast_ref::<Trap>() {
        Some(Trap::Interrupt) => CallError::OutOfTime,
        // The cause alone: the backtrace before it can be of any length.
        _ => {
            tracing::debug!(error = format!("{error:#}"), "a policy's call came to a sudden end");
            CallError::Trapped(error.root_cause().to_string())
        }
    }
}
