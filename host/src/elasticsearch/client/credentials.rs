use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::ClientError;
use crate::settings::{Authentication, Secret};

/// An [`Authentication`] that fits into a header.
pub(super) enum Credentials {
    None,
    Basic { username: String, password: Secret },
    ApiKey(HeaderValue),
}

impl Credentials {
    pub(super) fn new(authentication: Authentication) -> Result<Self, ClientError> {
        match authentication {
            Authentication::None => Ok(Self::None),
            Authentication::Basic { username, .. } if username.contains(|c: char| c == ':' || c.is_control()) => {
                Err(ClientError::InvalidUsername)
            }
            Authentication::Basic { username, password } => Ok(Self::Basic { username, password }),
            Authentication::ApiKey(key) => api_key_header(key.expose()).map(Self::ApiKey),
        }
    }

    /// Adds the header, marked so that it is not logged.
    pub(super) fn add_to(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::None => request,
            Self::Basic { username, password } => request.basic_auth(username, Some(password.expose())),
            Self::ApiKey(header) => request.header(AUTHORIZATION, header),
        }
    }
}

fn api_key_header(key: &str) -> Result<HeaderValue, ClientError> {
    if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ClientError::InvalidApiKey);
    }
    let mut header = HeaderValue::try_from(format!("ApiKey {key}")).map_err(|_invalid| ClientError::InvalidApiKey)?;
    header.set_sensitive(true);
    Ok(header)
}
