//! The questions that change nothing, as values: so that two policies can be asked the same.

use std::fmt::Debug;

use super::types::{Backup, BackupsPage, Context};
use super::{CallError, Capability, Policy};

/// A question that changes nothing.
pub trait Read: Send + Sync + 'static {
    /// The operation that answers it.
    const OPERATION: &'static str;
    /// What is told.
    type Answer: Clone + Debug + PartialEq + Send + Sync + 'static;

    /// The backup that it is about. `None`: all of them.
    fn id(&self) -> Option<&str>;

    /// Asks a policy.
    fn ask(
        &self,
        policy: &Policy,
        capability: Capability,
        context: &Context,
    ) -> impl Future<Output = Result<Self::Answer, CallError>> + Send;
}

/// Which backup has this id?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetBackup(pub String);

/// Which backups are there?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListBackups;

impl Read for GetBackup {
    const OPERATION: &'static str = "get";
    type Answer = Backup;

    fn id(&self) -> Option<&str> {
        Some(&self.0)
    }

    async fn ask(&self, policy: &Policy, capability: Capability, context: &Context) -> Result<Backup, CallError> {
        policy.get(capability, context, &self.0).await
    }
}

impl Read for ListBackups {
    const OPERATION: &'static str = "list";
    type Answer = BackupsPage;

    fn id(&self) -> Option<&str> {
        None
    }

    async fn ask(&self, policy: &Policy, capability: Capability, context: &Context) -> Result<BackupsPage, CallError> {
        policy.list(capability, context).await
    }
}
