//! Looks at the policy's file regularly and submits it when it has changed.
//!
//! The kernel's notifications are not used: Kubernetes swaps a symbolic link two levels above the file, volumes come over
//! the network, editors write a second file and rename it. A look through the path sees all of these alike.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::file::Stamps;
use super::{PolicyFile, Updates};

/// How often the file is looked at.
pub const WATCH_INTERVAL: Duration = Duration::from_secs(2);

/// Reloads the policy when two looks in a row show the same, new file. Never returns.
pub async fn watch(file: PolicyFile, every: Duration, updates: Arc<Updates>) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut debounce = Debounce::default();
    loop {
        ticks.tick().await;
        if debounce.shows_another(file.stamp().await.ok()) && updates.reload().await {
            debounce.forget();
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
    /// The same file is to be submitted again.
    fn forget(&mut self) {
        self.submitted = None;
    }

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
