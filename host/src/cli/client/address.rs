use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

/// The server's URL, which a path is added to.
#[derive(Clone, Debug)]
pub(super) struct ServerUrl(Url);

/// Why a text is no [`ServerUrl`]. No message repeats a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum InvalidUrl {
    #[error("--url: '{0}' is not a URL ({1}); give one such as http://localhost:8092")]
    Unreadable(String, String),
    #[error("--url: '{0}' does not begin with http:// or https://; give one such as http://localhost:8092")]
    Scheme(String),
    #[error("--url: a user's name or password does not belong there; a token is given with --token-file")]
    Credentials,
    #[error("--url: '{0}' has a query or a fragment; give the address alone, such as http://localhost:8092")]
    Query(String),
}

impl ServerUrl {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidUrl> {
        let url = Url::parse(text).map_err(|error| match text.contains('@') {
            true => InvalidUrl::Credentials,
            false => InvalidUrl::Unreadable(text.to_owned(), error.to_string()),
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidUrl::Credentials);
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidUrl::Scheme(text.to_owned()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidUrl::Query(text.to_owned()));
        }
        Ok(Self(url))
    }

    /// The URL of a path that begins with a slash, below a path of the server's own.
    pub(super) fn join(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        url
    }

    /// Whether it is this machine, which no proxy leads to.
    pub(super) fn is_local(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    pub(super) fn uses_tls(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_added_to_the_address() {
        for (address, joined) in [
            ("http://localhost:8092", "http://localhost:8092/actuator/backups"),
            ("https://[::1]:8092/", "https://[::1]:8092/actuator/backups"),
            ("http://gateway/optimize/", "http://gateway/optimize/actuator/backups"),
        ] {
            assert_eq!(ServerUrl::parse(address).unwrap().join("/actuator/backups").as_str(), joined);
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for (address, is_local) in [
            ("http://localhost:8092", true),
            ("http://127.0.0.1", true),
            ("https://[::1]:8092", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
        ] {
            assert_eq!(ServerUrl::parse(address).unwrap().is_local(), is_local, "{address}");
        }
    }

    #[test]
    fn what_is_no_address_is_told_without_its_password() {
        let error = |text: &str| ServerUrl::parse(text).unwrap_err();
        assert!(matches!(error("nowhere"), InvalidUrl::Unreadable(..)));
        assert!(matches!(error("localhost:8092"), InvalidUrl::Scheme(_)));
        assert!(matches!(error("http://host/?a=b"), InvalidUrl::Query(_)));
        for text in
            ["http://me:secret@host", "ftp://me:secret@host", "http://me:secret@host:99999", "http://me:secret@ho st"]
        {
            assert!(!error(text).to_string().contains("secret"));
        }
    }
}
