//! What a verification has left whose host was killed: the lock on the engine, and indices under scratch names.
//!
//! The host that verifies changes the lock every 20 s or so. Where it stays the same for long enough, nobody verifies any more.
//! No two hosts' clocks are compared: each measures by its own how long it has seen the same.

use std::sync::Arc;
use std::time::Duration;

use backup_core::verification::scratch::LOCK;
use tokio::time::{Instant, sleep};

use super::Verifications;
use crate::policy::PolicyCalls;
use crate::sandbox::CallError;
use crate::sandbox::types::Error;
use crate::sandbox::verifications::{VerificationHolder, VerificationTraces};

/// How often a server looks: two that have begun together do not go on clearing together.
const INTERVAL: Duration = Duration::from_secs(30);
const MAX_JITTER: Duration = Duration::from_secs(10);
/// How often somebody looks who waits for it.
const SHORT_INTERVAL: Duration = Duration::from_secs(5);
/// For so long a verification may show no sign of life. A step takes no longer than `backup.callTimeout`, 60 s by default; a
/// verification that is cleared although it lives, because its steps take longer, ends FAILED and harms nothing.
const ABANDONED_AFTER: Duration = Duration::from_secs(90);

/// What was seen of other hosts' verifications.
#[derive(Default)]
struct Sighting {
    /// Who holds the lock, if anybody does and not only indices are there, and since when this is so.
    seen: Option<(Option<VerificationHolder>, Instant)>,
}

/// What a look tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    Nothing,
    /// It is seen for the first time, or has changed.
    Alive,
    /// It is as it was, and not for long.
    Unchanged,
    Abandoned,
}

impl Sighting {
    fn add(&mut self, traces: &VerificationTraces) -> Finding {
        if traces.holder.is_none() && traces.indices.is_empty() {
            self.seen = None;
            return Finding::Nothing;
        }
        match &self.seen {
            Some((holder, since)) if *holder == traces.holder => {
                if since.elapsed() >= ABANDONED_AFTER {
                    Finding::Abandoned
                } else {
                    Finding::Unchanged
                }
            }
            _ => {
                self.seen = Some((traces.holder.clone(), Instant::now()));
                Finding::Alive
            }
        }
    }
}

impl Verifications {
    /// Looks at once and then regularly, until the host stops, and clears what nobody needs any more.
    pub(in crate::backups) async fn clear_abandoned_forever(self: &Arc<Self>) {
        let (mut sighting, mut trouble) = (Sighting::default(), None);
        let mut delay = Duration::ZERO;
        while self.stop.run_until_cancelled(sleep(delay)).await.is_some() {
            delay = INTERVAL + MAX_JITTER.mul_f64(fastrand::f64());
            let failure = self.look(&mut sighting).await.err().filter(is_news).map(|error| error.to_string());
            if let Some(error) = failure.as_ref().filter(|_| failure != trouble) {
                tracing::warn!(error, "cannot look for what a verification has left");
            }
            trouble = failure;
        }
    }

    /// Only what is seen again and again counts: while the engine does not answer, nobody can show a sign of life.
    async fn look(&self, sighting: &mut Sighting) -> Result<(), CallError> {
        let result = self.look_once(sighting).await;
        if result.is_err() {
            *sighting = Sighting::default();
        }
        result
    }

    async fn look_once(&self, sighting: &mut Sighting) -> Result<(), CallError> {
        if self.driven().is_some() {
            *sighting = Sighting::default();
            self.lock().elsewhere = None;
            return Ok(());
        }
        let calls = self.looks();
        let traces = calls.verification_traces().await?;
        let own = traces.holder.as_ref().filter(|holder| calls.is_own(holder));
        self.lock().elsewhere = own.map(|holder| holder.backup_id);
        if sighting.add(&traces) == Finding::Abandoned && self.driven().is_none() {
            clear(&self.policies.calls(), &traces).await?;
            *sighting = Sighting::default();
        }
        Ok(())
    }

    /// Clears the verification that holds the lock, for somebody who waits: once it has shown no sign of life for long enough, or
    /// at once if whoever calls knows that it is dead. Whether the lock is free now.
    ///
    /// # Errors
    /// [`CallError`]: the lock cannot be read, or what is left cannot be cleared.
    pub async fn take_over(&self, at_once: bool) -> Result<bool, CallError> {
        let mut sighting = Sighting::default();
        let mut is_first = true;
        loop {
            let calls = self.looks();
            let traces = calls.verification_traces().await?;
            if !traces.indices.iter().any(|name| name == LOCK) && traces.holder.is_none() {
                return Ok(true);
            }
            let finding = sighting.add(&traces);
            if at_once || finding == Finding::Abandoned {
                return clear(&self.policies.calls(), &traces).await;
            }
            if finding == Finding::Alive && !is_first {
                return Ok(false);
            }
            is_first = false;
            sleep(SHORT_INTERVAL).await;
        }
    }
}

/// Whether nothing is left. Not so if the holder has shown a sign of life meanwhile.
async fn clear(calls: &PolicyCalls, traces: &VerificationTraces) -> Result<bool, CallError> {
    let is_cleared = calls.clear_verification(traces.holder.as_ref()).await?;
    if is_cleared {
        let backup = traces.holder.as_ref().map(|holder| holder.backup_id);
        tracing::warn!(
            backupId = backup,
            indices = traces.indices.len(),
            "cleared what a verification has left that nobody drives any more"
        );
    }
    Ok(is_cleared)
}

/// A host without a repository, or with a policy that does not verify, has nothing to clear.
fn is_news(error: &CallError) -> bool {
    !matches!(error, CallError::Refused(Error::Configuration(_) | Error::InvalidRequest(_)))
}
