//! Restores: their plans, and driving one to its end after the 202.
//!
//! A restore is a loop over the policy's `advance`. What is restored is told by the engine; the plan that the loop keeps to
//! need not outlive it: the same request again, here or on another host, goes on with what is missing.

mod driver;
mod neighbours;
mod optimize;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backup_core::restore::FindingCode;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::correlation::inherit;
use crate::policy::{Policies, PolicyCalls};
use crate::sandbox::CallError;
use crate::sandbox::restores::{Finding, Restore, RestoreOptions, RestorePlan};
use crate::sandbox::types::{Error, Problem};
use state::{Current, Subject};

pub use optimize::OptimizeUrl;

/// A restore runs on this host.
pub(crate) const IN_PROGRESS: &str = "restoreInProgress";
/// A finding stops the restore.
pub(crate) const BLOCKED: &str = "restoreBlocked";

/// Those that the policy does not answer with, too.
pub(super) const CODES: [&str; 2] = [BLOCKED, neighbours::FOREIGN_INDICES];

/// The restore that this host drives, and how the last one ended.
pub struct Restores {
    policies: Arc<Policies>,
    optimize: Option<OptimizeUrl>,
    current: Mutex<Option<Current>>,
    /// A plan has ended.
    planned: Notify,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What has become of the wish to drive a restore.
enum Reserved {
    /// It is the caller's.
    New(Driven),
    /// Somebody plans the same.
    Planned,
    /// Somebody drives the same.
    Begun,
}

/// Kept by whoever plans and drives a restore. When this is dropped, also by a panic, it is not driven any more.
struct Driven {
    restores: Arc<Restores>,
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.restores.update(|current| current.is_driven = false);
        self.restores.planned.notify_waiters();
    }
}

impl Restores {
    pub(super) fn new(policies: Arc<Policies>, optimize: Option<OptimizeUrl>) -> Arc<Self> {
        Arc::new(Self {
            policies,
            optimize,
            current: Mutex::default(),
            planned: Notify::new(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Tells what a restore would do, after the second look that tells whether something writes.
    pub async fn plan(&self, id: &str, options: &RestoreOptions) -> Result<RestorePlan, CallError> {
        self.plan_by(&self.policies.calls(), id, options).await
    }

    async fn plan_by(&self, calls: &PolicyCalls, id: &str, options: &RestoreOptions) -> Result<RestorePlan, CallError> {
        let mut plan = plan(calls, id, options).await?;
        if let (Some(optimize), None) = (&self.optimize, &options.rename_prefix) {
            plan.findings.extend(optimize.finding(&options.overridden).await);
        }
        if plan.findings.iter().any(Finding::stops) {
            plan.run = None;
        }
        Ok(plan)
    }

    /// Plans a restore, and drives it to its end in the background. One that is driven here already goes on. `obstacle` is
    /// asked for once nobody else can begin what stands against it.
    ///
    /// # Errors
    /// [`CallError`]: it was not begun, and nothing was changed.
    pub(super) async fn begin(
        self: &Arc<Self>,
        id: &str,
        options: &RestoreOptions,
        obstacle: impl Fn() -> Option<CallError>,
    ) -> Result<(), CallError> {
        let subject = Subject { id: id.to_owned(), rename_prefix: options.rename_prefix.clone() };
        let driven = loop {
            let planned = self.planned.notified();
            match self.reserve(&subject)? {
                Reserved::New(driven) => break driven,
                Reserved::Planned => planned.await,
                Reserved::Begun => return Ok(()),
            }
        };
        if let Some(error) = obstacle() {
            return Err(error);
        }
        let calls = self.policies.calls();
        let mut plan = self.plan_by(&calls, id, options).await?;
        let Some(run) = plan.run.take() else { return Err(blocked(&plan.findings)) };
        neighbours::expect_own(&self.policies, &run, &options.overridden).await?;
        tracing::info!(backupId = run.backup_id, indices = run.indices.len(), "the restore begins");
        let (first_step, taken) = oneshot::channel();
        let work = async move { driver::drive(&driven.restores, run, calls, first_step).await };
        self.tasks.spawn(inherit(work).in_current_span());
        // From then on the engine tells every server of it, and not of an earlier one.
        let _ = taken.await;
        self.update(|current| current.has_begun = true);
        self.planned.notify_waiters();
        Ok(())
    }

    /// Tells where a restore stands: what the engine says, and what only this host knows.
    pub async fn get(&self, id: &str, rename_prefix: Option<&str>) -> Result<Restore, CallError> {
        let is_meant = |current: &&mut Current| current.subject.is(id, rename_prefix);
        let driven = self.lock().as_mut().filter(is_meant).and_then(Current::driven_so_far);
        if let Some(restore) = driven {
            return Ok(restore);
        }
        let restore = self.policies.calls().get_restore(id, rename_prefix).await?;
        Ok(match self.lock().as_mut().filter(is_meant) {
            Some(current) => current.completed(restore),
            None => restore,
        })
    }

    /// The backup that is restored here at the moment.
    pub fn driven(&self) -> Option<String> {
        self.lock().as_ref().filter(|current| current.is_driven).map(|current| current.subject.id.clone())
    }

    /// An error if a restore runs here: what it works with must not be changed meanwhile.
    pub(super) fn expect_none(&self) -> Result<(), CallError> {
        self.driven().map_or(Ok(()), |id| Err(in_progress(&id)))
    }

    /// Stops the restore, and waits until no step is under way.
    pub async fn shut_down(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn reserve(self: &Arc<Self>, subject: &Subject) -> Result<Reserved, CallError> {
        let mut current = self.lock();
        match current.as_ref().filter(|current| current.is_driven) {
            Some(driven) if driven.subject == *subject && driven.has_begun => return Ok(Reserved::Begun),
            Some(driven) if driven.subject == *subject => return Ok(Reserved::Planned),
            Some(driven) => return Err(in_progress(&driven.subject.id)),
            None => *current = Some(Current::driven(subject.clone())),
        }
        Ok(Reserved::New(Driven { restores: Arc::clone(self) }))
    }

    fn update(&self, change: impl FnOnce(&mut Current)) {
        if let Some(current) = self.lock().as_mut() {
            change(current);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Current>> {
        // It is consistent between any two statements that change it.
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn plan(calls: &PolicyCalls, id: &str, options: &RestoreOptions) -> Result<RestorePlan, CallError> {
    /// More is not waited for, whatever a policy says: a caller waits.
    const MAX_WAIT: Duration = Duration::from_secs(60);
    let first = calls.plan_restore(id, options, None).await?;
    let Some(again_in) = first.again_in.map(Duration::from_millis) else { return Ok(first) };
    tokio::time::sleep(again_in.min(MAX_WAIT)).await;
    let second = calls.plan_restore(id, options, Some(&first.writes)).await?;
    let is_unfinished = |plan: &RestorePlan| {
        plan.findings.iter().any(|finding| finding.code == FindingCode::RestoreUnfinished.as_str())
    };
    if is_unfinished(&first) && !is_unfinished(&second) {
        // What it has restored would be replaced right away.
        let message = format!(
            "a restore of the backup with ID {id} has ended while this one was planned: GET /actuator/backups/{id}/restore tells how; call it again only if it is to be restored once more"
        );
        return Err(refused(IN_PROGRESS, message));
    }
    Ok(second)
}

fn blocked(findings: &[Finding]) -> CallError {
    let reasons: Vec<String> = findings
        .iter()
        .filter(|finding| finding.stops())
        .map(|finding| format!("{}: {}", finding.code, finding.message))
        .collect();
    refused(BLOCKED, format!("the restore was not begun: {}", reasons.join("; ")))
}

fn in_progress(id: &str) -> CallError {
    refused(IN_PROGRESS, format!("this server is restoring the backup with ID {id}; wait for its end"))
}

fn refused(code: &str, message: String) -> CallError {
    CallError::Refused(Error::Conflict(Problem { code: code.to_owned(), message, detail: None }))
}
