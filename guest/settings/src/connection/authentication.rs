//! Who this server is for the search engine, or for a proxy.

use std::convert::Infallible;
use std::fmt::Display;

use http::HeaderValue;

use crate::error::InvalidValue;
use crate::section::{Parsed, Section};
use crate::values::{self, Secret};

/// Who we are for the search engine.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// Nobody in particular.
    None,
    /// A user, by HTTP Basic.
    Basic {
        /// The name.
        username: Username,
        /// The password, not empty.
        password: Secret,
    },
    /// An API key.
    ApiKey(ApiKey),
    /// Whoever the AWS credentials are of that are found in the environment: requests are signed (SigV4).
    Aws,
}

/// The name of a user, which HTTP Basic can express: without a colon.
#[derive(Clone, Debug)]
pub struct Username(String);

/// An API key, kept as the value of the header `Authorization`.
#[derive(Clone, Debug)]
pub struct ApiKey(HeaderValue);

impl Username {
    /// Reads the name of a user.
    ///
    /// # Errors
    /// If HTTP Basic cannot express it.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        // RFC 7617: the colon ends the user name. It may be the password that follows it here.
        if text.contains(|c: char| c == ':' || c.is_control()) {
            return Err(InvalidValue::hidden("a user name for HTTP Basic, which has no colon in it"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ApiKey {
    /// Reads a key in its encoded form.
    ///
    /// # Errors
    /// If it cannot stand in a header.
    pub fn parse(text: &str) -> Result<Self, InvalidValue> {
        let header = HeaderValue::try_from(format!("ApiKey {text}")).ok();
        let Some(mut header) = header.filter(|_| !text.is_empty() && values::is_visible(text)) else {
            return Err(InvalidValue::hidden("an API key, which has only visible ASCII characters"));
        };
        header.set_sensitive(true);
        Ok(Self(header))
    }

    /// The value of the header `Authorization`, marked so that it is not logged.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }
}

/// The user of HTTP Basic.
type User = (Username, Secret);

impl Authentication {
    pub(super) fn of(security: &Section<'_>, connection: &Section<'_>) -> Parsed<Self> {
        let aws = connection.optional("awsEnabled", values::flag);
        let username = security.optional("username", Username::parse);
        let password = password(security);
        let api_key = secret(security, ["apiKey", "apiKeyFile"], ApiKey::parse);
        let (aws, username, password, api_key) = (aws?, username?, password?, api_key?);
        let of_user = username.as_ref().map(|_| "username").or(password.as_ref().map(|(key, _)| *key));
        if let (Some(true), Some(other)) = (aws, of_user.or(api_key.as_ref().map(|(key, _)| *key))) {
            let other = security.key_of(other);
            return Err(
                connection.report("awsEnabled", format!("cannot be used together with {other}: use one of them"))
            );
        }
        match (api_key, of_user) {
            (Some((key, _)), Some(other)) => Err(security.conflict(key, other)),
            (Some((_, key)), None) => Ok(Self::ApiKey(key)),
            (None, _) if aws == Some(true) => Ok(Self::Aws),
            (None, _) => Ok(complete(security, username, password)?
                .map_or(Self::None, |(username, password)| Self::Basic { username, password })),
        }
    }
}

/// The user in a block, if there is one.
pub(super) fn user(section: &Section<'_>) -> Parsed<Option<User>> {
    let (username, password) = (section.optional("username", Username::parse), password(section));
    complete(section, username?, password?)
}

fn password(section: &Section<'_>) -> Parsed<Option<(&'static str, Secret)>> {
    secret(section, ["password", "passwordFile"], |text| Ok::<_, Infallible>(Secret::new(text)))
}

fn complete(
    section: &Section<'_>,
    username: Option<Username>,
    password: Option<(&'static str, Secret)>,
) -> Parsed<Option<User>> {
    match (username, password) {
        (None, None) => Ok(None),
        (Some(username), Some((_, password))) => Ok(Some((username, password))),
        (Some(_), None) => {
            let password = section.key_of("password");
            Err(section.report("username", format!("needs {password}, or {password}File")))
        }
        (None, Some((key, _))) => Err(section.report(key, format!("needs {}", section.key_of("username")))),
    }
}

/// A secret that is given as it is or in a file, and the key that it was found under.
fn secret<T, E: Display>(
    section: &Section<'_>,
    [plain, file]: [&'static str; 2],
    parse: impl Fn(&str) -> Result<T, E>,
) -> Parsed<Option<(&'static str, T)>> {
    let given = section.secret(plain, &parse);
    let filed = section.optional(file, values::secret_file);
    match (given?, filed?) {
        (Some(_), Some(_)) => Err(section.conflict(plain, file)),
        (Some(given), None) => Ok(Some((plain, given))),
        (None, Some(text)) => {
            parse(&text).map(|filed| Some((file, filed))).map_err(|error| section.report(file, error))
        }
        (None, None) => Ok(None),
    }
}
