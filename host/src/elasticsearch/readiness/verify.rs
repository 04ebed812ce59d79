use std::time::Duration;

use backup_actuator::Verification;
use backup_elasticsearch::OwnRequest;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use crate::elasticsearch::Capability;

/// Lets the engine verify the repository now and then: each node writes a small file to it, so that this is not for every
/// probe.
#[derive(Default)]
pub(super) struct Verifier {
    last: Option<Verified>,
    running: Option<Running>,
}

struct Verified {
    /// What the engine told of the repository.
    registered: String,
    at: Instant,
    outcome: Verification,
}

struct Running {
    registered: String,
    task: AbortOnDropHandle<Verification>,
}

const INTERVAL: Duration = Duration::from_secs(600);
const INTERVAL_AFTER_FAILURE: Duration = Duration::from_secs(30);
/// A storage can hang. The verification goes on while probes end without it.
const TIMEOUT: Duration = Duration::from_secs(60);

impl Verifier {
    /// The last verification of the repository as it is registered now, and its age. One that is due is begun, and waited
    /// for until the deadline. `None`: none has ended yet.
    pub(super) async fn last(
        &mut self,
        capability: &Capability,
        registered: String,
        deadline: Instant,
    ) -> Option<(Verification, Duration)> {
        if self.running.is_none() && self.is_due(&registered) {
            self.running = Some(Running::begin(capability.clone(), registered.clone()));
        }
        if let Some(running) = &mut self.running
            && let Ok(ended) = timeout_at(deadline, &mut running.task).await
        {
            let outcome = ended.unwrap_or_else(|aborted| Verification::Unknown(aborted.to_string()));
            let registered = std::mem::take(&mut running.registered);
            self.last = Some(Verified { registered, at: Instant::now(), outcome });
            self.running = None;
        }
        let last = self.last.as_ref().filter(|last| last.registered == registered)?;
        Some((last.outcome.clone(), last.at.elapsed()))
    }

    fn is_due(&self, registered: &str) -> bool {
        self.last.as_ref().is_none_or(|last| {
            let interval = match last.outcome {
                Verification::Failed(_) => INTERVAL_AFTER_FAILURE,
                Verification::Passed | Verification::Unknown(_) => INTERVAL,
            };
            last.registered != registered || last.at.elapsed() >= interval
        })
    }
}

impl Running {
    fn begin(capability: Capability, registered: String) -> Self {
        let verify = async move {
            let response = capability.own(OwnRequest::VerifyRepository, TIMEOUT).await;
            Verification::read(response.as_ref().map_err(Clone::clone))
        };
        Self { registered, task: AbortOnDropHandle::new(tokio::spawn(verify)) }
    }
}
