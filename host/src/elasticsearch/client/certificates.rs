use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::ClientError;

/// Reads every certificate of a file, and fails on a file that would silently add none.
pub(crate) fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let invalid = |reason: String| ClientError::InvalidCertificate { path: path.to_owned(), reason };
    let text =
        std::fs::read(path).map_err(|source| ClientError::UnreadableCertificate { path: path.to_owned(), source })?;
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| invalid(error.to_string()))?;
    if certificates.is_empty() {
        return Err(ClientError::NoCertificate { path: path.to_owned() });
    }
    let mut unused = RootCertStore::empty();
    for certificate in &certificates {
        unused.add(certificate.clone()).map_err(|error| invalid(error.to_string()))?;
    }
    Ok(certificates)
}
