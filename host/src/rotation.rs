//! Files that are replaced while this program runs: secrets and certificates.
//!
//! They are looked at, not watched, and their contents are compared: so a link that is swapped, as Kubernetes does with the
//! files of a secret, a rename and a write in place are all the same.

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::MissedTickBehavior;

/// How often files are looked at. Another content is taken over once two looks in a row have found it.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Makes a value from files, and from the value that it replaces.
type Make<T> = dyn Fn(Option<&T>) -> Result<T, String> + Send + Sync;

/// A value that is made from files, and made again when they change. While that is not possible, it stays what it is.
pub struct Rotating<T> {
    what: String,
    current: ArcSwap<T>,
    files: Mutex<Files>,
    make: Box<Make<T>>,
}

struct Files {
    paths: Vec<PathBuf>,
    /// What the value was made from.
    used: Contents,
    /// What it could not be made from the last time. That is tried again: a certificate may be one of tomorrow.
    refused: Option<Contents>,
    /// What the last look found.
    seen: Contents,
}

/// `None`: a file that cannot be read.
type Contents = Vec<Option<Vec<u8>>>;

impl<T> Rotating<T> {
    /// Makes the value for the first time. `what` names it in the log.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn new<E: Display>(
        what: impl Into<String>,
        paths: Vec<PathBuf>,
        make: impl Fn(Option<&T>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Result<Self, E> {
        // Before the value: what changes meanwhile is found by a look.
        let used = contents(&paths);
        let current = ArcSwap::from_pointee(make(None)?);
        let files = Mutex::new(Files { paths, seen: used.clone(), used, refused: None });
        let make = Box::new(move |previous: Option<&T>| make(previous).map_err(|error| error.to_string()));
        Ok(Self { what: what.into(), current, files, make })
    }

    pub fn current(&self) -> Arc<T> {
        self.current.load_full()
    }

    /// Takes over what has changed and is the same as at the last look: a file that is being written is not.
    pub fn look(&self) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let found = contents(&files.paths);
        let is_settled = found == files.seen;
        files.seen = found;
        if is_settled {
            self.take_over(&mut files);
        }
    }

    /// Takes over what has changed, at once. Returns whether there is another value now.
    pub fn look_now(&self) -> bool {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.seen = contents(&files.paths);
        self.take_over(&mut files)
    }

    fn take_over(&self, files: &mut Files) -> bool {
        if files.seen == files.used {
            files.refused = None;
            return false;
        }
        match (self.make)(Some(&self.current.load())) {
            Ok(value) => {
                files.used.clone_from(&files.seen);
                files.refused = None;
                self.current.store(Arc::new(value));
                tracing::info!("{} changed; the new one is in use", self.what);
                true
            }
            Err(reason) => {
                if files.refused.as_ref() != Some(&files.seen) {
                    tracing::warn!(reason, "{} changed and cannot be used; the previous one stays in use", self.what);
                    files.refused = Some(files.seen.clone());
                }
                false
            }
        }
    }

    fn has_files(&self) -> bool {
        !self.files.lock().unwrap_or_else(PoisonError::into_inner).paths.is_empty()
    }
}

impl<T: Send + Sync + 'static> Rotating<T> {
    /// Looks regularly, in the background, until this is dropped elsewhere.
    pub fn keep_looking(self: &Arc<Self>) {
        if !self.has_files() {
            return;
        }
        let looked_at = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut interval = tokio::time::interval(LOOK_INTERVAL);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                interval.tick().await;
                let Some(rotating) = looked_at.upgrade() else { return };
                // A file system that hangs must not take a thread of the server's.
                let _ = tokio::task::spawn_blocking(move || rotating.look()).await;
            }
        });
    }
}

fn contents(paths: &[PathBuf]) -> Contents {
    paths.iter().map(|path| std::fs::read(path).ok()).collect()
}

#[cfg(test)]
mod tests;
