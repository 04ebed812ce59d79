//! Sends granted requests to the engine.

mod answer;
mod aws;
mod cause;
mod certificates;
mod error;
mod nodes;
mod proxy;
#[cfg(test)]
mod tests;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{RequestBuilder, StatusCode, redirect};

pub(crate) use cause::{of_connect, root as root_cause};
pub(crate) use certificates::read as read_certificates;
pub use error::ClientError;

use self::aws::Signer;
use self::nodes::{BaseUrl, Nodes};
use crate::correlation::{self, OPAQUE_ID};
use crate::elasticsearch::large_response::{LargeResponseLimit, LargeResponsePermit};
use crate::elasticsearch::{Granted, Method, Response, TransportError};
use crate::rotation::Rotating;
use crate::settings::{Authentication, Connection, Limits};

/// A connection to one cluster, to be shared: it keeps connections open between requests.
///
/// It stays with one node as long as that one answers: a few requests a minute are no load to spread,
/// and each visit to a node that is down would cost the connect timeout. A request goes to the next
/// node only if none of it was sent; otherwise only the requests after it do.
pub struct Client {
    access: Arc<Rotating<Access>>,
    nodes: Nodes,
    /// Signs requests, where [`Authentication::Aws`] asks for it.
    signer: Option<Signer>,
    behind_proxy: bool,
    limits: Limits,
    large_responses: LargeResponseLimit,
}

/// What is made again when a file of a secret or of certificates changes.
struct Access {
    http: reqwest::Client,
    authentication: Authentication,
}

/// Whose requests health checks are: nobody's who has asked for something. It stands in the search engine's tasks and slow
/// logs.
const HEALTH: HeaderValue = HeaderValue::from_static("optimize-backup-health");

/// Why one node gave no answer.
enum Failure {
    /// Nothing was sent; another node can be asked.
    NoConnection(String),
    Final(TransportError),
}

impl Client {
    const USER_AGENT: &str = concat!("optimize-backup/", env!("CARGO_PKG_VERSION"));
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    /// Shorter than the idle timeouts of common proxies, so that they seldom close a connection that
    /// is about to be used.
    const IDLE: Duration = Duration::from_secs(20);

    /// Prepares a client. Reads the certificates; does not connect.
    pub fn new(connection: Connection, limits: Limits) -> Result<Self, ClientError> {
        let signs = matches!(connection.authentication, Authentication::Aws);
        Ok(Self {
            nodes: Nodes::new(&connection)?,
            signer: signs.then(Signer::of_the_environment).transpose()?,
            behind_proxy: connection.proxy.is_some(),
            access: Arc::new(Access::rotating(connection, limits)?),
            limits,
            large_responses: LargeResponseLimit::new(),
        })
    }

    /// Looks for other secrets and certificates in their files, in the background.
    pub fn keep_looking(&self) {
        self.access.keep_looking();
    }

    /// Sends a request and waits for the answer, for the request timeout or `budget` if that is shorter.
    ///
    /// # Errors
    /// [`TransportError`], which tells whether the engine may have acted. A status is not an error.
    pub async fn send(&self, request: &Granted, budget: Duration) -> Result<Response, TransportError> {
        self.read(request, budget, &LargeResponsePermit::default()).await
    }

    /// The same. After a large answer `permit` is held until its owner releases it.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn read(
        &self,
        request: &Granted,
        budget: Duration,
        permit: &LargeResponsePermit,
    ) -> Result<Response, TransportError> {
        self.ask_nodes(request, budget.min(self.limits.request_timeout), permit).await
    }

    /// Sends a request that can take minutes, such as a deletion: `timeout` takes the place of the usual limit.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn submit(&self, request: &Granted, timeout: Duration) -> Result<Response, TransportError> {
        self.ask_nodes(request, timeout, &LargeResponsePermit::default()).await
    }

    async fn ask_nodes(
        &self,
        request: &Granted,
        timeout: Duration,
        permit: &LargeResponsePermit,
    ) -> Result<Response, TransportError> {
        let started = Instant::now();
        let mut unreachable = Vec::new();
        for (index, node) in self.nodes.in_order() {
            let left = timeout.saturating_sub(started.elapsed());
            if left.is_zero() {
                unreachable.push("no time was left".to_owned());
                break;
            }
            let answer = tokio::time::timeout(left, self.ask(node, request, permit)).await;
            match answer.unwrap_or_else(|_elapsed| Err(out_of_time(node, timeout))) {
                Ok(response) => return Ok(response),
                Err(Failure::NoConnection(cause)) => {
                    tracing::warn!(node = node.name, cause, "no connection to the search engine's node");
                    self.nodes.leave(index);
                    unreachable.push(format!("{}: {cause}", node.name));
                }
                Err(Failure::Final(error)) => {
                    self.nodes.leave(index);
                    return Err(error);
                }
            }
        }
        Err(TransportError::Unreachable(unreachable.join("; ")))
    }

    async fn ask(&self, node: &BaseUrl, request: &Granted, permit: &LargeResponsePermit) -> Result<Response, Failure> {
        let access = self.access.current();
        let mut answer = self.execute(node, request, &access).await?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Some(renewed) = self.renewed(&access).await
        {
            answer = self.execute(node, request, &renewed).await?;
        }
        answer::read(answer, &node.name, self.limits.max_response_bytes, (&self.large_responses, permit))
            .await
            .map_err(Failure::Final)
    }

    /// What the files hold now, if that is something else: the search engine may know the new secret first.
    async fn renewed(&self, used: &Arc<Access>) -> Option<Arc<Access>> {
        let access = Arc::clone(&self.access);
        tokio::task::spawn_blocking(move || access.look_now()).await.ok()?;
        Some(self.access.current()).filter(|current| !Arc::ptr_eq(current, used))
    }

    async fn execute(&self, node: &BaseUrl, request: &Granted, access: &Access) -> Result<reqwest::Response, Failure> {
        let failed = |error| self.sending_failed(node, &error);
        let mut request = access.build(node, request).build().map_err(failed)?;
        if let Some(signer) = &self.signer {
            let unsigned = |error: aws::SignError| Failure::Final(TransportError::Unreachable(error.to_string()));
            signer.sign(&mut request).await.map_err(unsigned)?;
        }
        let answer = access.http.execute(request).await.map_err(failed)?;
        // No search engine says so.
        if answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(Failure::NoConnection(cause::proxy_asks_for_a_user().to_string()));
        }
        Ok(answer)
    }

    fn sending_failed(&self, node: &BaseUrl, error: &reqwest::Error) -> Failure {
        if error.is_connect() {
            let cause = match self.behind_proxy {
                true => cause::of_connect_through_proxy(error, node.speaks_tls()),
                false => cause::of_connect(error),
            };
            return Failure::NoConnection(cause.to_string());
        }
        let hint =
            if node.speaks_tls() { "" } else { "; if it never answers, it may expect TLS: `security.ssl.enabled`" };
        let text = format!("{} sent no answer: {}{hint}", node.name, cause::root(error));
        Failure::Final(TransportError::Interrupted(text))
    }
}

impl Access {
    fn rotating(connection: Connection, limits: Limits) -> Result<Rotating<Self>, ClientError> {
        const WHAT: &str = "a file of the connection to the search engine (security.*, connection.proxy.passwordFile)";
        let files = connection.files();
        // The first time, too: a file may have changed since the settings were read.
        Rotating::new(WHAT, files, move |_| Self::new(&connection.renewed()?, limits))
    }

    fn new(connection: &Connection, limits: Limits) -> Result<Self, ClientError> {
        Ok(Self { http: http_client(connection, limits)?, authentication: connection.authentication.clone() })
    }

    fn build(&self, node: &BaseUrl, granted: &Granted) -> RequestBuilder {
        let request = granted.request();
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Put => reqwest::Method::PUT,
            Method::Post => reqwest::Method::POST,
            Method::Delete => reqwest::Method::DELETE,
        };
        let correlated = match correlation::current() {
            _ if granted.checks_health() => vec![(OPAQUE_ID, HEALTH)],
            Some(current) => current.headers().collect(),
            None => Vec::new(),
        };
        let builder = self.authorize(self.http.request(method, node.join(request)));
        let builder = correlated.into_iter().fold(builder, |builder, (name, value)| builder.header(name, value));
        match &request.body {
            Some(body) => builder.header(CONTENT_TYPE, Client::JSON).body(body.clone()),
            None => builder,
        }
    }

    fn authorize(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.authentication {
            Authentication::None | Authentication::Aws => request,
            Authentication::Basic { username, password } => {
                request.basic_auth(username.as_str(), Some(password.expose()))
            }
            Authentication::ApiKey(key) => request.header(AUTHORIZATION, key.header()),
        }
    }
}

fn http_client(connection: &Connection, limits: Limits) -> Result<reqwest::Client, ClientError> {
    let builder = reqwest::Client::builder()
        .user_agent(Client::USER_AGENT)
        .default_headers(HeaderMap::from_iter([(ACCEPT, Client::JSON)]))
        .connect_timeout(limits.connect_timeout.min(limits.request_timeout))
        .pool_idle_timeout(Client::IDLE)
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never());
    let builder = tls::configure(proxy::configure(builder, connection)?, connection)?;
    builder.build().map_err(|error| ClientError::Tls { reason: cause::root(&error) })
}

/// It may have been while connecting, but nobody can tell: the safe assumption is that it was after.
fn out_of_time(node: &BaseUrl, timeout: Duration) -> Failure {
    Failure::Final(TransportError::Interrupted(format!("{} sent no complete answer within {timeout:?}", node.name)))
}
