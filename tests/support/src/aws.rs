//! What AWS has around an OpenSearch: services that hand out credentials, and a check of signatures before the engine. The
//! check is written after AWS's description of Signature Version 4, and shares nothing with what it checks.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_lc_rs::{digest, hmac};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use backup_core::memory::MemoryEngine;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use reqwest::Url;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::memory;

/// The region that requests must be signed for.
pub const REGION: &str = "eu-central-1";
/// What a container must show to get credentials.
pub const CONTAINER_TOKEN: &str = "container-token";
/// What a service account must show to get credentials.
pub const WEB_IDENTITY: &str = "web-identity-token";

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An OpenSearch in memory behind AWS's signatures. It ends with this value.
#[derive(Debug)]
pub struct Aws {
    url: Url,
    state: Arc<Shared>,
    _server: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    engine: Arc<MemoryEngine>,
    /// For how long credentials are valid.
    lifetime: Duration,
    seen: Mutex<Seen>,
}

/// What has happened so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How many credentials were handed out.
    pub issued: usize,
    /// The access keys of requests that were signed well.
    pub accepted: Vec<String>,
    /// What was wrong with the others.
    pub refused: Vec<String>,
}

/// The access key, the secret and the session token with a number. The one with 0 is never handed out.
#[must_use]
pub fn credentials(number: usize) -> [String; 3] {
    ["ASIAEXAMPLE", "secret/", "token+/="].map(|text| format!("{text}{number}"))
}

impl Aws {
    /// Serves this engine, and credentials that are valid for so long.
    pub async fn start(engine: Arc<MemoryEngine>, lifetime: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("opening a port for AWS")?;
        let url = Url::parse(&format!("http://{}", listener.local_addr()?))?;
        let state = Arc::new(Shared { engine, lifetime, seen: Mutex::default() });
        let router = Router::new()
            .route("/credentials", get(of_container))
            .route("/sts/", post(of_service_account))
            .fallback(signed)
            .with_state(Arc::clone(&state));
        let mut server = JoinSet::new();
        server.spawn(async move {
            // Never returns.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, state, _server: server })
    }

    /// Where all of it is.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What has happened so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.state.seen(|seen| seen.clone())
    }
}

impl Shared {
    fn seen<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// New credentials, and when they expire.
    fn issue(&self) -> ([String; 3], String) {
        let number = self.seen(|seen| {
            seen.issued += 1;
            seen.issued
        });
        let expiry = Timestamp::now() + self.lifetime;
        (credentials(number), expiry.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
    }
}

async fn of_container(State(state): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    if headers.get(AUTHORIZATION).is_none_or(|token| token != CONTAINER_TOKEN) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let ([key, secret, token], expiry) = state.issue();
    let answer = json!({"AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "Expiration": expiry});
    answer.to_string().into_response()
}

async fn of_service_account(State(state): State<Arc<Shared>>, body: String) -> Response {
    if !body.contains("Action=AssumeRoleWithWebIdentity") || !body.contains(WEB_IDENTITY) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let ([key, secret, token], expiry) = state.issue();
    let answer = format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>{key}</AccessKeyId>\
         <SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>\
         <Expiration>{expiry}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
         </AssumeRoleWithWebIdentityResponse>"
    );
    ([(CONTENT_TYPE, "text/xml")], answer).into_response()
}

async fn signed(
    State(state): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match check(&method, &uri, &headers, &body) {
        Ok(key) => {
            state.seen(|seen| seen.accepted.push(key));
            let body = String::from_utf8_lossy(&body).into_owned();
            memory::answer(State(Arc::clone(&state.engine)), method, uri, body).await.into_response()
        }
        Err(error) => {
            state.seen(|seen| seen.refused.push(format!("{method} {uri}: {error:#}")));
            (StatusCode::FORBIDDEN, json!({"message": error.to_string()}).to_string()).into_response()
        }
    }
}

/// The access key that a request was signed with, if it was signed well.
fn check(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<String> {
    let header = |name: &str| {
        let value = headers.get(name).with_context(|| format!("the header {name} is missing"))?;
        anyhow::Ok(value.to_str()?.trim().to_owned())
    };
    let authorization = header("authorization")?;
    let fields = authorization.strip_prefix("AWS4-HMAC-SHA256 ").context("another algorithm")?;
    let field = |name: &str| {
        let found = fields.split(", ").find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        found.with_context(|| format!("no {name}"))
    };
    let (key, scope) = field("Credential")?.split_once('/').context("no scope")?;
    let number = key.strip_prefix("ASIAEXAMPLE").context("another access key")?.parse()?;
    let [_, secret, token] = credentials(number);
    let (signed, date) = (field("SignedHeaders")?, header("x-amz-date")?);
    for name in [HOST.as_str(), "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"] {
        ensure!(signed.split(';').any(|signed| signed == name), "{name} is not signed");
    }
    ensure!(body.is_empty() || signed.split(';').any(|signed| signed == "content-type"), "content-type is not signed");
    ensure!(header("x-amz-security-token")? == token, "another session token");
    ensure!(header("x-amz-content-sha256")? == hash(body), "another body");
    let day = date.get(..8).context("a date")?;
    ensure!(scope == format!("{day}/{REGION}/es/aws4_request"), "another scope: {scope}");

    let mut canonical = format!("{method}\n{}\n{}\n", again(uri.path()), sorted(uri.query().unwrap_or_default()));
    for name in signed.split(';') {
        writeln!(canonical, "{name}:{}", header(name)?)?;
    }
    write!(canonical, "\n{signed}\n{}", hash(body))?;
    let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hash(canonical.as_bytes()));
    let mut signing_key = format!("AWS4{secret}").into_bytes();
    for part in scope.split('/') {
        signing_key = mac(&signing_key, part);
    }
    ensure!(field("Signature")? == hex(&mac(&signing_key, &to_sign)), "another signature than of\n{canonical}");
    Ok(key.to_owned())
}

/// A path whose segments are encoded once more than they are in the request, as for every service but S3.
fn again(path: &str) -> String {
    path.split('/').map(encoded).collect::<Vec<_>>().join("/")
}

fn sorted(query: &str) -> String {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        format!("{}={}", encoded(&decoded(name)), encoded(&decoded(value)))
    };
    let mut pairs: Vec<String> = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
    pairs.sort();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hash(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
