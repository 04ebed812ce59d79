//! The policy's file: reading it whole, and noticing that there is another one.
//!
//! It is looked at regularly instead of being watched by the kernel. Kubernetes swaps a symbolic link two
//! levels above the file, volumes come over the network, editors write a second file and rename it: a look
//! through the path sees all of that alike, costs next to nothing, and misses nothing for good.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::fs::{self, File};
use tokio::io::AsyncReadExt;
use tokio::time::{MissedTickBehavior, interval};

use super::admission::Candidate;
use super::updates::ReadFault;
use super::{Source, Updates};

/// The file of a component, with its signature beside it.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    path: PathBuf,
}

/// Those of a component and its signature; `None` for a file that is not there.
type Stamps = [Option<Stamp>; 2];

/// What tells that a path leads to another content than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl PolicyFile {
    /// The file at this path.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its signature is: `policy.wasm.sig`.
    #[must_use]
    pub fn signature(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".sig");
        path.into()
    }

    /// Reads it, and its signature if there is one. Of a file that is too large, one byte too many is
    /// read, and the examination finds that.
    ///
    /// # Errors
    /// If it cannot be read, or changes while it is.
    pub async fn read(&self, largest: usize) -> Result<Candidate, ReadFault> {
        let before = self.stamp().await?;
        let component = self.read_at_most(&self.path, largest).await?;
        let signature = self.read_signature().await?;
        if self.stamp().await? != before {
            return Err(ReadFault::Changing { path: self.path.clone() });
        }
        let source = Source::File(self.path.clone());
        Ok(Candidate { component: Arc::from(component), signature, source, forced: false })
    }

    async fn read_signature(&self) -> Result<Option<String>, ReadFault> {
        const LONGEST: usize = 1000;
        match self.read_at_most(&self.signature(), LONGEST).await {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(ReadFault::File { fault, .. }) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn read_at_most(&self, path: &Path, largest: usize) -> Result<Vec<u8>, ReadFault> {
        let read = async {
            let file = File::open(path).await?;
            let mut bytes = Vec::new();
            file.take(largest as u64 + 1).read_to_end(&mut bytes).await?;
            Ok(bytes)
        };
        read.await.map_err(|fault| ReadFault::File { path: path.to_owned(), fault })
    }

    async fn stamp(&self) -> Result<Stamps, ReadFault> {
        let component = Stamp::of(&self.path).await?;
        Ok([component, Stamp::of(&self.signature()).await?])
    }
}

impl Stamp {
    /// Follows links, so that it is that of the content. `None`: there is no such file.
    async fn of(path: &Path) -> Result<Option<Self>, ReadFault> {
        match fs::metadata(path).await {
            Ok(metadata) => Ok(Some(Self::new(&metadata))),
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(fault) => Err(ReadFault::File { path: path.to_owned(), fault }),
        }
    }

    fn new(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            bytes: file.len(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

/// Offers the file whenever another one has been there for two looks. Never ends.
pub async fn watch(file: PolicyFile, every: Duration, updates: Arc<Updates>) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = Looks::default();
    loop {
        ticks.tick().await;
        if looks.show_another(file.stamp().await.ok()) {
            updates.reload().await;
        }
    }
}

/// What the looks at a file have shown. Nothing is known at first: it may have changed since it was read at
/// the start.
#[derive(Default)]
struct Looks {
    offered: Option<Stamps>,
    last: Option<Stamps>,
}

impl Looks {
    /// Whether there is another file than was offered before. One that is being written changes from look
    /// to look; `None`: it cannot even be looked at.
    fn show_another(&mut self, now: Option<Stamps>) -> bool {
        let is_settled = now.is_some() && now == self.last;
        self.last = now;
        let is_another = is_settled && now != self.offered;
        if is_another {
            self.offered = now;
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
        let mut looks = Looks::default();
        let mut look = async || looks.show_another(file.stamp().await.ok());
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
