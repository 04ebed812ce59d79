use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::admission::Candidate;
use super::{PolicyFile, ReadError, Source, Withdrawal};

/// The last known good policy on disk, the component, never machine code, with its signature; and which policies were
/// withdrawn.
///
/// It is not trusted more than any other file: a component from here is examined again.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: PathBuf,
}

impl Cache {
    const COMPONENT: &str = "last-known-good.wasm";
    const WITHDRAWALS: &str = "withdrawn.json";

    /// A cache in this directory, which is made when it is needed.
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
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        replace(component.path(), &candidate.component)?;
        candidate.signature.as_ref().map_or(Ok(()), |text| replace(&signature, text.as_bytes()))
    }

    /// Replaces the withdrawals that were saved before.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub fn save_withdrawals(&self, withdrawals: &[Withdrawal]) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        replace(&self.directory.join(Self::WITHDRAWALS), &serde_json::to_vec_pretty(withdrawals)?)
    }

    /// None, if nothing is saved.
    ///
    /// # Errors
    /// If there is something that cannot be read.
    pub fn withdrawals(&self) -> io::Result<Vec<Withdrawal>> {
        match fs::read(self.directory.join(Self::WITHDRAWALS)) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
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

/// Writes a file of its own and renames it: whoever reads `path` sees the old content or the new one, whole.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = NamedTempFile::new_in(path.parent().unwrap_or(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
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
