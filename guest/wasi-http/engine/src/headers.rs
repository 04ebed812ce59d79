use backup_core::TransportError;
use backup_settings::Authentication;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bindings::wasi::http::types::Fields;

const USER_AGENT: &str = concat!("optimize-backup/", env!("CARGO_PKG_VERSION"));

/// The headers of a request to the engine.
pub(crate) fn of_request(authentication: &Authentication, has_body: bool) -> Result<Fields, TransportError> {
    let mut headers = vec![("accept", "application/json".to_owned()), ("user-agent", USER_AGENT.to_owned())];
    if has_body {
        headers.push(("content-type", "application/json".to_owned()));
    }
    match authentication {
        Authentication::None => {}
        Authentication::Basic { username, password } => {
            let credentials = STANDARD.encode(format!("{}:{}", username.as_str(), password.expose()));
            headers.push(("authorization", format!("Basic {credentials}")));
        }
        Authentication::ApiKey(key) => {
            headers.push(("authorization", key.header().to_str().unwrap_or_default().to_owned()))
        }
        // `Settings::load_in_component` has refused it.
        Authentication::Aws => return Err(TransportError::Unreachable("requests cannot be signed here".to_owned())),
    }
    let headers: Vec<_> = headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
    Fields::from_list(&headers)
        .map_err(|error| TransportError::Unreachable(format!("the host refuses a header of the request: {error}")))
}
