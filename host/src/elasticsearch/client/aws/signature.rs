//! AWS Signature Version 4 of one request. The algorithm is AWS's own crate.

use std::error::Error;
use std::time::SystemTime;

use aws_sigv4::http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;

use super::SignError;

/// With the hash of the body in a header.
pub(super) const BODY_HASH: PayloadChecksumKind = PayloadChecksumKind::XAmzSha256;

/// A request, as it is sent.
pub(super) struct Unsigned<'a> {
    pub(super) method: &'a str,
    pub(super) url: &'a str,
    /// Those that are signed, without `Host`.
    pub(super) headers: Vec<(&'a str, &'a str)>,
    pub(super) body: &'a [u8],
}

/// What a signature is for.
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) time: SystemTime,
}

/// The headers that sign a request.
pub(super) fn of(
    request: &Unsigned<'_>,
    scope: &Scope<'_>,
    identity: &Identity,
    body_hash: PayloadChecksumKind,
) -> Result<Vec<(String, String)>, SignError> {
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = body_hash;
    let params = v4::SigningParams::builder()
        .identity(identity)
        .region(scope.region)
        .name(scope.service)
        .time(scope.time)
        .settings(settings)
        .build()
        .map_err(|error| unsignable(&error))?;
    let headers = request.headers.iter().copied();
    let body = SignableBody::Bytes(request.body);
    let signable =
        SignableRequest::new(request.method, request.url, headers, body).map_err(|error| unsignable(&error))?;
    let (instructions, _signature) = sign(signable, &params.into()).map_err(|error| unsignable(&error))?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn unsignable(error: &(dyn Error + 'static)) -> SignError {
    SignError::Unsignable(crate::elasticsearch::client::cause::root(error))
}

#[cfg(test)]
mod tests;
