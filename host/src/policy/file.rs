use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::fs::{self, File};
use tokio::io::AsyncReadExt;

use super::Source;
use super::admission::Candidate;

/// The file of a component, with its signature beside it.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    path: PathBuf,
}

/// Those of a component and its signature; `None` for a file that is not there.
pub(super) type Stamps = [Option<Stamp>; 2];

/// What tells that a path leads to another content than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl PolicyFile {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `policy.wasm.minisig`
    pub fn signature(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".minisig");
        path.into()
    }

    /// Reads it, and its signature if there is one. Of a file that is too large one byte more than `max_bytes` is read: the
    /// admission refuses it.
    ///
    /// # Errors
    /// If it cannot be read, or changes while it is.
    pub async fn read(&self, max_bytes: usize) -> Result<Candidate, ReadError> {
        let before = self.stamp().await?;
        let component = self.read_at_most(&self.path, max_bytes).await?;
        let signature = self.read_signature().await?;
        if self.stamp().await? != before {
            return Err(ReadError::Changing { path: self.path.clone() });
        }
        let source = Source::File(self.path.clone());
        Ok(Candidate { component: Arc::from(component), signature, source, forced: false })
    }

    async fn read_signature(&self) -> Result<Option<String>, ReadError> {
        const MAX_SIGNATURE_BYTES: usize = 16 << 10;
        match self.read_at_most(&self.signature(), MAX_SIGNATURE_BYTES).await {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
            Err(ReadError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn read_at_most(&self, path: &Path, max_bytes: usize) -> Result<Vec<u8>, ReadError> {
        let read = async {
            let file = File::open(path).await?;
            let mut bytes = Vec::new();
            file.take(max_bytes as u64 + 1).read_to_end(&mut bytes).await?;
            Ok(bytes)
        };
        read.await.map_err(|error| ReadError::File { path: path.to_owned(), error })
    }

    pub(super) async fn stamp(&self) -> Result<Stamps, ReadError> {
        let component = Stamp::of(&self.path).await?;
        Ok([component, Stamp::of(&self.signature()).await?])
    }
}

impl Stamp {
    /// Follows links, so that it is that of the content. `None`: there is no such file.
    async fn of(path: &Path) -> Result<Option<Self>, ReadError> {
        match fs::metadata(path).await {
            Ok(metadata) => Ok(Some(Self::new(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ReadError::File { path: path.to_owned(), error }),
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

/// Why a file did not become a candidate.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{}: cannot be read: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{}: changed while it was read; it is read again when it has settled", path.display())]
    Changing { path: PathBuf },
}
