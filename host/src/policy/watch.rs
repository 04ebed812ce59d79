//! Looks at the policy's file regularly and submits it when it has changed.
//!
//! The kernel's notifications are not used: Kubernetes swaps a symbolic link two levels above the file, volumes come over
//! the network, editors write a second file and rename it. A look through the path sees all of these alike.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::file::Stamps;
use super::{PolicyFile, Updates};

/// How often the file is looked at.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(2);

/// Reloads the policy when two looks in a row show the same, new file, and tries again at growing intervals what failed for
/// a passing reason. Never returns.
pub async fn watch(file: PolicyFile, every: Duration, updates: Arc<Updates>) {
    const MIN_RETRY_DELAY: Duration = Duration::from_secs(10);
    const MAX_RETRY_DELAY: Duration = Duration::from_secs(10 * 60);
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut debounce = Debounce::default();
    let (mut retry_at, mut delay) = (None, MIN_RETRY_DELAY);
    loop {
        let now = ticks.tick().await;
        if debounce.shows_another(file.stamp().await.ok().filter(|[component, _]| component.is_some())) {
            (retry_at, delay) = (Some(now), MIN_RETRY_DELAY);
        }
        if retry_at.is_some_and(|at| at <= now) {
            retry_at = updates.reload().await.then(|| Instant::now() + delay);
            delay = (delay * 2).min(MAX_RETRY_DELAY);
        }
    }
}

/// Empty at first: the file may have changed since it was read at the start.
#[derive(Default)]
struct Debounce {
    submitted: Option<Stamps>,
    last: Option<Stamps>,
}

impl Debounce {
    /// Whether there is a file that was not submitted yet. One that is being written differs from look to look. `None`: it
    /// cannot be looked at.
    fn shows_another(&mut self, now: Option<Stamps>) -> bool {
        let is_settled = now.is_some() && now == self.last;
        self.last = now;
        let is_another = is_settled && now != self.submitted;
        if is_another {
            self.submitted = now;
        }
        is_another
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn a_file_that_grows_is_offered_once_when_it_has_settled() {
        let directory = tempfile::tempdir().unwrap();
        let file = PolicyFile::new(directory.path().join("policy.wasm"));
        let mut debounce = Debounce::default();
        let mut look = async || debounce.shows_another(file.stamp().await.ok());
        assert!(!look().await, "there is none");
        let mut writer = OpenOptions::new().create_new(true).append(true).open(file.path()).unwrap();
        for _ in 0..5 {
            writer.write_all(b"more").unwrap();
            assert!(!look().await, "it is being written");
        }
        assert!(look().await, "it has settled");
        assert!(!look().await, "it was offered");
        std::fs::write(file.signature(), "signed").unwrap();
        assert!(!look().await);
        assert!(look().await, "the signature is another one");
    }
}
