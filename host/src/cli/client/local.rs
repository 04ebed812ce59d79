//! The server's own router, called in this process: its answers, errors and statuses are a running server's.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use http::Request;
use http::header::CONTENT_TYPE;
use tower::ServiceExt;

use super::answer::Answer;
use super::error::ClientError;
use super::request::ApiRequest;
use crate::backups::{BackupService, Left, Passed, Retention};
use crate::cli::{load_settings, log};
use crate::http::{ApiError, Callers, router};
use crate::sandbox::CallError;
use crate::server::{ServeError, assemble};
use crate::telemetry::Loggers;

/// What stands in messages in the place of a URL.
const NAME: &str = "this process (--local)";

/// A server without a port. It drives what is begun through it, and looks for no backups of others.
pub(in crate::cli) struct LocalServer {
    router: Router,
    service: Arc<BackupService>,
    retention: Arc<Retention>,
}

impl LocalServer {
    /// With the settings of `serve`.
    pub(super) async fn start(config: Option<&Path>) -> Result<Self, ServeError> {
        log::warnings_to_standard_error();
        let settings = load_settings(config)?;
        // What is logged here is for the one who has given the command.
        let loggers = Arc::new(Loggers::unattached(&settings.log.filter)?);
        let api = Arc::new(assemble(settings, loggers, Callers::this_process()).await?);
        let (service, retention) = (Arc::clone(&api.service), Arc::clone(&api.retention));
        Ok(Self { service, retention, router: router(api) })
    }

    pub(super) async fn send(&self, request: ApiRequest) -> Result<Answer, ClientError> {
        let ApiRequest { method, path, query, body, .. } = request;
        let target = query.map_or(path.clone(), |query| format!("{path}?{query}"));
        let request = Request::builder().method(method).uri(target).header(CONTENT_TYPE, "application/json");
        let request = request.body(body.map_or_else(Body::empty, Body::from));
        let request = request.map_err(|error| no_answer(&error))?;
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        Answer::collect(NAME.to_owned(), response).await.map_err(|error| no_answer(&error))
    }

    /// Deletes these, as far as they still expire.
    pub(super) async fn expire(&self, only: &[u64]) -> Result<Passed, ClientError> {
        match self.retention.pass(Some(only)).await {
            Ok(passed) => Ok(passed),
            Err(error) => Err(refused(error).await),
        }
    }

    /// Clears what a verification has left that nobody drives any more. Whether the next one can begin.
    pub(super) async fn take_over_verification(&self, at_once: bool) -> Result<bool, ClientError> {
        match self.service.verifications.take_over(at_once).await {
            Ok(is_free) => Ok(is_free),
            Err(error) => Err(refused(error).await),
        }
    }

    /// Stops the verification that runs here, and clears what it has made. What is left.
    pub(super) async fn stop_verification(&self) -> Left {
        self.service.verifications.shut_down().await
    }

    /// Drives a backup that is in progress, and that nobody drives any more.
    pub(super) async fn resume(&self, id: &str) -> Result<(), ClientError> {
        match self.service.resume(id).await {
            Ok(()) => Ok(()),
            Err(error) => Err(refused(error).await),
        }
    }
}

/// As a running server's refusal is told.
async fn refused(error: CallError) -> ClientError {
    match Answer::collect(NAME.to_owned(), ApiError::from(error).into_response()).await {
        Ok(answer) => answer.into_error(),
        Err(error) => no_answer(&error),
    }
}

fn no_answer(error: &dyn std::fmt::Display) -> ClientError {
    ClientError::NoAnswer { server: NAME.to_owned(), reason: error.to_string() }
}
