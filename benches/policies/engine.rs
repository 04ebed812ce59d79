//! The engine in memory over HTTP, for a host in another process.

use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, Method, StatusCode, Uri};
use backup_core::memory::MemoryEngine;
use backup_core::{Engine, Request};
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;

/// Serves the engine as long as this process lives; the port.
pub(crate) async fn serve(engine: Arc<MemoryEngine>) -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let router = Router::new().fallback(answer).with_state(engine);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(port)
}

async fn answer(
    State(engine): State<Arc<MemoryEngine>>,
    method: Method,
    uri: Uri,
    body: String,
) -> (StatusCode, [(HeaderName, &'static str); 1], String) {
    let request = Request {
        method: match method {
            Method::PUT => backup_core::Method::Put,
            Method::DELETE => backup_core::Method::Delete,
            _ => backup_core::Method::Get,
        },
        path: uri.path().split('/').skip(1).map(decoded).collect(),
        query: uri.query().unwrap_or_default().split('&').filter_map(parameter).collect(),
        body: Some(body).filter(|body| !body.is_empty()),
    };
    let json = [(CONTENT_TYPE, "application/json")];
    match engine.send(&request) {
        Ok(answer) => (StatusCode::from_u16(answer.status).unwrap_or_default(), json, answer.body),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, json, error.to_string()),
    }
}

fn parameter(pair: &str) -> Option<(String, String)> {
    let (name, value) = pair.split_once('=')?;
    Some((decoded(name), decoded(value)))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
