//! The calls of verifications.

use super::{CallError, Operation, Policy, Purpose, contract, types, verifications};
use crate::elasticsearch::{Capability, Scope};

impl Policy {
    /// Begins the verification of a backup.
    pub async fn begin_verification(
        &self,
        purpose: Purpose,
        capability: Capability,
        context: &types::Context,
        id: &str,
    ) -> Result<verifications::VerificationRun, CallError> {
        let operation = Operation::BeginVerification;
        let mut call = self.open(operation, purpose, capability, Scope::of_verification(id)).await?;
        let run: verifications::VerificationRun = call.make((context, id)).await?;
        contract::begun_verification(id, &context.run_id, &run)?;
        Ok(run)
    }

    /// Takes a verification one step further.
    pub async fn advance_verification(
        &self,
        purpose: Purpose,
        capability: Capability,
        context: &types::Context,
        run: &verifications::VerificationRun,
    ) -> Result<verifications::VerificationStep, CallError> {
        let scope = Scope::of_verification(&run.backup_id.to_string());
        let mut call = self.open(Operation::AdvanceVerification, purpose, capability, scope).await?;
        let step: verifications::VerificationStep = call.make((context, run)).await?;
        contract::verification_step(run, &step)?;
        Ok(step)
    }

    /// Tells what verifications have left.
    pub async fn verification_traces(
        &self,
        purpose: Purpose,
        capability: Capability,
        context: &types::Context,
    ) -> Result<verifications::VerificationTraces, CallError> {
        let scope = Scope::ReadVerification;
        let mut call = self.open(Operation::VerificationTraces, purpose, capability, scope).await?;
        let traces: verifications::VerificationTraces = call.make((context,)).await?;
        contract::verification_traces(&traces)?;
        Ok(traces)
    }

    /// Deletes what a verification has left, if its lock is still this holder's.
    pub async fn clear_verification(
        &self,
        purpose: Purpose,
        capability: Capability,
        context: &types::Context,
        holder: Option<&verifications::VerificationHolder>,
    ) -> Result<bool, CallError> {
        let scope = Scope::ClearVerification;
        let mut call = self.open(Operation::ClearVerification, purpose, capability, scope).await?;
        call.make((context, holder)).await
    }
}
