//! Which servers a client trusts.

use std::sync::Arc;

use reqwest::ClientBuilder;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::{ClientError, certificates};
use crate::settings::{Connection, Tls};

pub(super) fn configure(builder: ClientBuilder, connection: &Connection) -> Result<ClientBuilder, ClientError> {
    let proxy_speaks_tls = connection.proxy.as_ref().is_some_and(|proxy| proxy.tls);
    match &connection.tls {
        Some(tls) if trusts_the_system_in_all(tls) => Ok(builder),
        Some(tls) => Ok(builder.tls_backend_preconfigured(config(tls)?)),
        None if proxy_speaks_tls => Ok(builder),
        // Otherwise a host without any system certificates could not even connect without TLS.
        None => Ok(builder.tls_certs_only([])),
    }
}

fn trusts_the_system_in_all(tls: &Tls) -> bool {
    tls.certificate_authorities.is_empty() && tls.certificate.is_none() && !tls.any_name
}

fn config(tls: &Tls) -> Result<ClientConfig, ClientError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(Verifier::new(tls, &provider)?);
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| ClientError::Tls { reason: error.to_string() })?;
    let mut config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Trusts what the configured authorities have signed, and each configured certificate itself, even if it is an authority's
/// or signed by nobody else: as Java does, which Optimize runs on. Unlike Java, it heeds the dates of the latter.
#[derive(Debug)]
struct Verifier {
    roots: RootCertStore,
    configured: Vec<CertificateDer<'static>>,
    any_name: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    fn new(tls: &Tls, provider: &CryptoProvider) -> Result<Self, ClientError> {
        let files = tls.certificate_authorities.iter().chain(&tls.certificate);
        let configured = files.map(|path| certificates::read(path)).collect::<Result<Vec<_>, _>>()?.concat();
        let mut roots = RootCertStore::empty();
        if configured.is_empty() {
            roots.add_parsable_certificates(system_certificates()?);
        } else {
            roots.add_parsable_certificates(configured.iter().cloned());
        }
        let algorithms = provider.signature_verification_algorithms;
        Ok(Self { roots, configured, any_name: tls.any_name, algorithms })
    }
}

fn system_certificates() -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let reason =
            found.errors.first().map_or_else(|| "the system has no certificates".to_owned(), ToString::to_string);
        return Err(ClientError::Tls { reason });
    }
    Ok(found.certs)
}

/// The dates are what is looked at first in a certificate, so that all other objections come from one that is in date.
fn is_about_dates(error: &Error) -> bool {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    matches!(
        error,
        Error::InvalidCertificate(Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. })
    )
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let signed = verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        );
        if let Err(objection) = signed
            && (is_about_dates(&objection) || !self.configured.iter().any(|configured| configured == end_entity))
        {
            return Err(objection);
        }
        if !self.any_name {
            verify_server_name(&certificate, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
