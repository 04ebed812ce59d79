use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{fs, process};

use super::admission::Candidate;
use super::{PolicyFile, ReadError, Source};

/// The last known good policy on disk: the component, never machine code, with its signature.
///
/// It is not trusted more than any other file: a component from here is examined again.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: PathBuf,
}

impl Cache {
    const COMPONENT: &str = "last-known-good.wasm";

    /// A cache in this directory, which is made when it is needed.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Replaces what was saved before.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub fn save(&self, candidate: &Candidate) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let component = self.file();
        let signature = component.signature();
        // First the old signature goes: a crash in between leaves an unsigned component, not a wrong one.
        match fs::remove_file(&signature) {
            Err(fault) if fault.kind() != io::ErrorKind::NotFound => return Err(fault),
            _ => {}
        }
        replace(component.path(), &candidate.component)?;
        candidate.signature.as_ref().map_or(Ok(()), |text| replace(&signature, text.as_bytes()))
    }

    /// `None`: nothing is saved.
    ///
    /// # Errors
    /// If there is something that cannot be read.
    pub async fn load(&self, max_bytes: usize) -> Result<Option<Candidate>, ReadError> {
        let file = self.file();
        if !file.path().exists() {
            return Ok(None);
        }
        let candidate = file.read(max_bytes).await?;
        Ok(Some(Candidate { source: Source::Cache(file.path().to_owned()), ..candidate }))
    }

    fn file(&self) -> PolicyFile {
        PolicyFile::new(self.directory.join(Self::COMPONENT))
    }
}

/// Writes beside the file and renames: whoever reads it sees the old one or the new one, whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = path.with_extension(format!("new-{}", process::id()));
    let mut file = fs::File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn candidate(component: &[u8], signature: Option<&str>) -> Candidate {
        let signature = signature.map(str::to_owned);
        Candidate { component: Arc::from(component), signature, source: Source::Upload, forced: false }
    }

    #[tokio::test]
    async fn keeps_the_latest_with_its_own_signature_only() {
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::new(directory.path().join("made/when/needed"));
        assert!(cache.load(100).await.unwrap().is_none());
        cache.save(&candidate(b"one", Some("signature of one"))).unwrap();
        let loaded = cache.load(100).await.unwrap().unwrap();
        assert_eq!((&*loaded.component, loaded.signature.as_deref()), (&b"one"[..], Some("signature of one")));
        cache.save(&candidate(b"two", None)).unwrap();
        let loaded = cache.load(100).await.unwrap().unwrap();
        assert_eq!((&*loaded.component, loaded.signature), (&b"two"[..], None));
        assert!(matches!(loaded.source, Source::Cache(_)));
    }
}
