//! The dates of a certificate.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};

/// As long before its end as `OptimizeBackupCertificateExpires` fires.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// No certificate is valid at this time: X.509 has years of four digits.
const NEVER: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(253_402_300_800));

pub(super) fn is_soon(expires: Timestamp, now: Timestamp) -> bool {
    expires.duration_since(now) < SOON
}

/// What is wrong with them now.
pub(super) fn problem(certificate: &CertificateDer<'_>, provider: &CryptoProvider) -> Option<String> {
    match refusal(certificate, provider, UnixTime::now())? {
        CertificateError::ExpiredContext { not_after, .. } => Some(format!("has expired, on {}", text(not_after))),
        CertificateError::NotValidYetContext { not_before, .. } => {
            Some(format!("is not valid before {}", text(not_before)))
        }
        _ => None,
    }
}

pub(super) fn expiry(certificate: &CertificateDer<'_>, provider: &CryptoProvider) -> Option<Timestamp> {
    match refusal(certificate, provider, NEVER)? {
        CertificateError::ExpiredContext { not_after, .. } => timestamp(not_after),
        _ => None,
    }
}

/// The dates are what is looked at first in a certificate: whoever signed it is not asked for here.
fn refusal(certificate: &CertificateDer<'_>, provider: &CryptoProvider, at: UnixTime) -> Option<CertificateError> {
    let parsed = ParsedCertificate::try_from(certificate).ok()?;
    let (nobody, algorithms) = (RootCertStore::empty(), provider.signature_verification_algorithms.all);
    match verify_server_cert_signed_by_trust_anchor(&parsed, &nobody, &[], at, algorithms) {
        Err(Error::InvalidCertificate(reason)) => Some(reason),
        _ => None,
    }
}

fn timestamp(time: UnixTime) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(time.as_secs()).ok()?).ok()
}

fn text(time: UnixTime) -> String {
    timestamp(time).map_or_else(|| time.as_secs().to_string(), |time| time.to_string())
}
