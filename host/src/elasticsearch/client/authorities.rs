use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::ClientError;

/// Reads every certificate of every file, and fails on a file that would silently add none.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<reqwest::Certificate>, ClientError> {
    let files = paths.iter().map(|path| read_file(path)).collect::<Result<Vec<_>, _>>()?;
    Ok(files.into_iter().flatten().collect())
}

fn read_file(path: &Path) -> Result<Vec<reqwest::Certificate>, ClientError> {
    let invalid = |reason: String| ClientError::InvalidCertificate { path: path.to_owned(), reason };
    let text =
        std::fs::read(path).map_err(|source| ClientError::UnreadableAuthority { path: path.to_owned(), source })?;
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| invalid(error.to_string()))?;
    if certificates.is_empty() {
        return Err(ClientError::NoCertificate { path: path.to_owned() });
    }
    certificates.iter().map(|der| check(der).map_err(invalid)).collect()
}

/// Here rather than when the client is built, where the file's name is no longer known.
fn check(der: &CertificateDer<'_>) -> Result<reqwest::Certificate, String> {
    RootCertStore::empty().add(der.clone().into_owned()).map_err(|error| error.to_string())?;
    reqwest::Certificate::from_der(der).map_err(|error| error.to_string())
}
