//! JSON in, JSON out: what tests say to an engine.

use std::sync::LazyLock;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, Url};
use serde_json::Value;

/// A test that hangs tells less than one that fails; the slowest call is the deletion of a running
/// snapshot, which can take more than a minute.
const TIMEOUT: Duration = Duration::from_secs(180);

/// One client for the whole test process.
///
/// Each test has its own runtime, and a connection that is kept open dies with the runtime that
/// opened it: so none is kept.
static HTTP: LazyLock<Result<reqwest::Client, String>> = LazyLock::new(|| {
    reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .no_proxy()
        .timeout(TIMEOUT)
        .build()
        .map_err(|error| error.to_string())
});

/// The HTTP client that everything here shares.
pub(crate) fn http() -> Result<reqwest::Client> {
    HTTP.clone().map_err(anyhow::Error::msg)
}

/// A user name and its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: String,
}

/// Speaks to one engine.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: Url,
    credentials: Option<Credentials>,
}

/// An engine's answer, whatever its status.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; as a JSON string where it is not JSON.
    pub body: Value,
}

impl Answer {
    /// The body of a successful answer.
    pub fn ok(self) -> Result<Value> {
        ensure!((200..300).contains(&self.status), "{}: {}", self.status, self.body);
        Ok(self.body)
    }
}

impl Client {
    /// A client for the engine at `url`, which may contain credentials.
    pub fn new(url: &str) -> Result<Self> {
        let mut url = Url::parse(url).with_context(|| format!("{url:?} is not a URL"))?;
        let credentials = url
            .password()
            .map(|password| Credentials { username: url.username().to_owned(), password: password.to_owned() });
        // `Err` says that this kind of URL has no place for them: then there are none.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok(Self { http: http()?, url, credentials })
    }

    /// The same engine, with other credentials or none.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Option<Credentials>) -> Self {
        self.credentials = credentials;
        self
    }

    /// Where the engine is, without credentials.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What this client authenticates with.
    #[must_use]
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, None).await
    }

    /// `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(Method::PUT, path, Some(body.to_string())).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(Method::POST, path, Some(body.to_string())).await
    }

    /// Any request without a body, which engines refuse where none belongs.
    pub async fn bare(&self, method: Method, path: &str) -> Result<Answer> {
        self.send(method, path, None).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(Method::DELETE, path, None).await
    }

    /// Writes many documents at once, as newline-delimited JSON, and fails if one is refused.
    pub async fn bulk(&self, lines: String) -> Result<()> {
        let answer = self.send(Method::POST, "/_bulk?refresh=true", Some(lines)).await?.ok()?;
        ensure!(answer.get("errors") == Some(&Value::Bool(false)), "documents were refused: {answer}");
        Ok(())
    }

    async fn send(&self, method: Method, path: &str, body: Option<String>) -> Result<Answer> {
        let url = self.url.join(path).with_context(|| format!("{path:?} is not a path"))?;
        let mut request = self.http.request(method.clone(), url);
        if let Some(credentials) = &self.credentials {
            request = request.basic_auth(&credentials.username, Some(&credentials.password));
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let response = request.send().await.with_context(|| format!("{method} {path}"))?;
        let status = response.status().as_u16();
        let text = response.text().await.with_context(|| format!("{method} {path}"))?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Answer { status, body })
    }
}
