//! How the log names whoever sends a client certificate.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// The common name in a certificate that has been verified, or else the first DNS name or URI that it is for.
pub(in crate::http) fn of_client(certificate: &CertificateDer<'_>) -> Arc<str> {
    const MAX_LENGTH: usize = 64;
    let parsed = EndEntityCert::try_from(certificate).ok();
    let name = parsed.and_then(|certificate| {
        let other = || certificate.valid_dns_names().chain(certificate.valid_uri_names()).next().map(str::to_owned);
        common_name(certificate.subject()).or_else(other)
    });
    let name = name.unwrap_or_else(|| "a certificate without a name".to_owned());
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_LENGTH).collect::<String>().into()
}

/// X.501: a name is a sequence of sets of pairs, of an attribute's identifier and a text.
fn common_name(mut subject: &[u8]) -> Option<String> {
    const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    while let Some(mut set) = next_value(&mut subject) {
        while let Some(mut pair) = next_value(&mut set) {
            if next_value(&mut pair)? == COMMON_NAME {
                return String::from_utf8(next_value(&mut pair)?.to_vec()).ok().filter(|name| !name.is_empty());
            }
        }
    }
    None
}

/// Takes the next value of a DER encoding, whatever its type is.
fn next_value<'a>(der: &mut &'a [u8]) -> Option<&'a [u8]> {
    let [_tag, length, rest @ ..] = *der else { return None };
    let (length, rest) = match (length, rest) {
        (0..=0x7f, rest) => (usize::from(*length), rest),
        (0x81, [length, rest @ ..]) => (usize::from(*length), rest),
        (0x82, [high, low, rest @ ..]) => (usize::from(u16::from_be_bytes([*high, *low])), rest),
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    *der = rest;
    Some(value)
}
