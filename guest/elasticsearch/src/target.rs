use backup_core::Request;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What is encoded in a path's segment: all but the unreserved characters (RFC 3986, 2.3), and `*` and
/// `,`, which a segment may hold as they are and which are easier to read in an engine's log.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'*').remove(b',');

/// The path of a request's URL, below what a proxy adds: empty, or such as `/search`.
#[must_use]
pub fn path(prefix: &str, request: &Request) -> String {
    let segments = request.path.iter().map(|segment| utf8_percent_encode(segment, ENCODED));
    segments.fold(prefix.trim_matches('/').to_owned(), |path, segment| format!("{path}/{segment}"))
}

/// The query of a request's URL, if it has one.
#[must_use]
pub fn query(request: &Request) -> Option<String> {
    let pairs = || form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.query).finish();
    (!request.query.is_empty()).then(pairs)
}
