//! The calls of restores.

use backup_core::IndexPrefix;

use super::{CallError, Operation, Policy, Purpose, contract, restores, types};
use crate::elasticsearch::{Capability, Scope};

impl Policy {
    /// Tells what a restore would do.
    pub async fn plan_restore(
        &self,
        purpose: Purpose,
        capability: Capability,
        context: &types::Context,
        id: &str,
        options: &restores::RestoreOptions,
        writes: Option<&[restores::IndexWrites]>,
    ) -> Result<restores::RestorePlan, CallError> {
        let scope = Scope::of_restore_read(prefix(options.rename_prefix.as_deref()).as_ref());
        let mut call = self.open(Operation::PlanRestore, purpose, capability, scope).await?;
        let plan: restores::RestorePlan = call.make((context, id, options, writes)).await?;
        contract::plan(id, options, &plan)?;
        Ok(plan)
    }

    /// Takes a restore one step further.
    pub async fn advance_restore(
        &self,
        purpose: Purpose,
        capability: Capability,
        context: &types::Context,
        run: &restores::RestoreRun,
    ) -> Result<restores::RestoreStep, CallError> {
        let own = prefix(Some(&context.settings.index_prefix));
        let granted = own.zip(run.read().ok()).map(|(own, run)| Scope::of_restore(&run, &own));
        let scope = granted.unwrap_or(Scope::Read);
        let mut call = self.open(Operation::AdvanceRestore, purpose, capability, scope).await?;
        let step: restores::RestoreStep = call.make((context, run)).await?;
        contract::restore(run.backup_id, &step.restore)?;
        Ok(step)
    }

    /// Tells where a restore stands.
    pub async fn get_restore(
        &self,
        purpose: Purpose,
        capability: Capability,
        context: &types::Context,
        id: &str,
        rename_prefix: Option<&str>,
    ) -> Result<restores::Restore, CallError> {
        let scope = Scope::of_restore_read(prefix(rename_prefix).as_ref());
        let mut call = self.open(Operation::GetRestore, purpose, capability, scope).await?;
        let restore: restores::Restore = call.make((context, id, rename_prefix)).await?;
        contract::requested_restore(id, &restore)?;
        Ok(restore)
    }
}

/// A text that is no prefix is a policy's to refuse, and no more is granted for it.
fn prefix(text: Option<&str>) -> Option<IndexPrefix> {
    text.and_then(|text| IndexPrefix::parse(text).ok())
}
