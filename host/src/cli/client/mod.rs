//! A client of the API: of a running server, or of one within this process.

mod address;
mod answer;
mod error;
mod local;
mod options;
mod remote;
mod request;
#[cfg(test)]
mod tests;
mod token;

use std::time::Duration;

use backup_actuator::{
    BackupView, Message, ProgressView, RestorePlanView, RestoreView, RetentionView, VerificationBegun, VerificationView,
};
use backup_core::BackupId;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use self::address::InvalidUrl;
use self::answer::Answer;
use self::local::LocalServer;
use self::remote::RemoteServer;
use self::request::ApiRequest;
use crate::backups::{Left, Passed};
use crate::elasticsearch;
use crate::server::ServeError;

pub(super) use self::answer::{Received, one_line};
pub(super) use self::error::ClientError;
pub(super) use self::options::Target;

const BACKUPS: &str = "/actuator/backups";
const RETENTION: &str = "/actuator/retention";

/// A search engine opens the metadata of every snapshot for it.
const LIST_TIMEOUT: Duration = Duration::from_secs(600);

/// Who makes, shows and deletes backups.
pub(super) enum Client {
    Remote(RemoteServer),
    Local(LocalServer),
}

/// Why the options give no client.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientOptionsError {
    #[error(transparent)]
    Url(#[from] InvalidUrl),
    #[error("--ca-file: {0}")]
    Authorities(elasticsearch::ClientError),
    #[error("{option}: {error}; each is a PEM file, with a certificate and with its private key")]
    Identity { option: &'static str, error: String },
    #[error("TLS cannot be set up: {0}; install the system's CA certificates, or use --ca-file")]
    Tls(String),
    #[error("--local: {0}")]
    Local(#[from] ServeError),
}

/// Which backups to list, and how many of them.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) pattern: Option<String>,
    pub(super) limit: Option<u64>,
}

/// What is asked of a restore.
#[derive(Clone, Debug, Default)]
pub(super) struct RestoreOptions {
    pub(super) rename_prefix: Option<String>,
    pub(super) overridden: Vec<String>,
}

impl RestoreOptions {
    /// A body with the prefix, if there is one: null would be refused.
    fn body(&self, mut body: Value) -> Value {
        if let (Some(prefix), Some(fields)) = (&self.rename_prefix, body.as_object_mut()) {
            fields.insert("renamePrefix".to_owned(), json!(prefix));
        }
        body
    }
}

/// What the server that answers knows of a deletion.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DeletionStatus {
    /// It does not delete that backup, or has done so.
    NotKnown,
    /// The search engine is at it.
    Pending,
    /// The search engine did not do it, for this reason.
    Failed(String),
}

impl Client {
    /// Reads files; connects to nothing.
    pub(super) async fn new(target: Target) -> Result<Self, ClientOptionsError> {
        Ok(match target {
            Target::Server(options) => Self::Remote(RemoteServer::new(options)?),
            Target::Local { config } => Self::Local(LocalServer::start(config.as_deref()).await?),
        })
    }

    /// What goes on, goes on in this process, and ends with it.
    pub(super) fn is_local(&self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// A command about backups that asks the same server, for messages.
    pub(super) fn command(&self, arguments: &str) -> String {
        let local = if self.is_local() { " --local" } else { "" };
        format!("`optimize-backup backup {arguments}{local}`")
    }

    /// Has a backup made.
    pub(super) async fn create(&self, id: BackupId) -> Result<Message, ClientError> {
        let body = Some(format!("{{\"backupId\":{id}}}"));
        let request = ApiRequest { body, ..ApiRequest::new(Method::POST, BACKUPS) };
        Ok(self.send(request).await?.expect(StatusCode::ACCEPTED)?.body)
    }

    /// Drives a backup in this process that nobody drives any more. A server does so by itself.
    pub(super) async fn resume(&self, id: BackupId) -> Result<(), ClientError> {
        match self {
            Self::Remote(_) => Ok(()),
            Self::Local(server) => server.resume(&id.to_string()).await,
        }
    }

    /// Shows a backup.
    pub(super) async fn get(&self, id: BackupId) -> Result<Received<BackupView>, ClientError> {
        self.send(ApiRequest::new(Method::GET, backup(id))).await?.expect(StatusCode::OK)
    }

    /// Shows how far a backup is.
    pub(super) async fn progress(&self, id: BackupId) -> Result<Received<ProgressView>, ClientError> {
        let request = ApiRequest::new(Method::GET, format!("{}/progress", backup(id)));
        self.send(request).await?.expect(StatusCode::OK)
    }

    /// Shows all backups, or those that are selected.
    pub(super) async fn list(&self, selection: &Selection) -> Result<Received<Vec<BackupView>>, ClientError> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(pattern) = &selection.pattern {
            query.append_pair("pattern", pattern);
        }
        if let Some(limit) = selection.limit {
            query.append_pair("limit", &limit.to_string());
        }
        let query = Some(query.finish()).filter(|query| !query.is_empty());
        let request = ApiRequest { query, timeout: LIST_TIMEOUT, ..ApiRequest::new(Method::GET, BACKUPS) };
        self.send(request).await?.expect(StatusCode::OK)
    }

    /// Has a backup deleted.
    pub(super) async fn delete(&self, id: BackupId) -> Result<(), ClientError> {
        self.send(ApiRequest::new(Method::DELETE, backup(id))).await?.expect_nothing(StatusCode::NO_CONTENT)
    }

    /// Tells what a restore would do.
    pub(super) async fn plan_restore(
        &self,
        id: BackupId,
        asked: &RestoreOptions,
    ) -> Result<Received<RestorePlanView>, ClientError> {
        let body = asked.body(json!({"dryRun": true, "override": asked.overridden}));
        self.send(restore(Method::POST, id, Some(body))).await?.expect(StatusCode::OK)
    }

    /// Has a backup restored. `prefix` is the installation's, as the plan tells it.
    pub(super) async fn begin_restore(
        &self,
        id: BackupId,
        asked: &RestoreOptions,
        prefix: &str,
    ) -> Result<Received<Message>, ClientError> {
        let body = asked.body(json!({"dryRun": false, "confirm": prefix, "override": asked.overridden}));
        self.send(restore(Method::POST, id, Some(body))).await?.expect(StatusCode::ACCEPTED)
    }

    /// Tells where a restore stands.
    pub(super) async fn restore(
        &self,
        id: BackupId,
        rename_prefix: Option<&str>,
    ) -> Result<Received<RestoreView>, ClientError> {
        let query = rename_prefix
            .map(|prefix| form_urlencoded::Serializer::new(String::new()).append_pair("renamePrefix", prefix).finish());
        let request = ApiRequest { query, ..restore(Method::GET, id, None) };
        self.send(request).await?.expect(StatusCode::OK)
    }

    /// Has a backup verified.
    pub(super) async fn begin_verification(&self, id: BackupId) -> Result<Received<VerificationBegun>, ClientError> {
        self.send(verification(Method::POST, id)).await?.expect(StatusCode::ACCEPTED)
    }

    /// Tells where a verification stands.
    pub(super) async fn verification(&self, id: BackupId) -> Result<Received<VerificationView>, ClientError> {
        self.send(verification(Method::GET, id)).await?.expect(StatusCode::OK)
    }

    /// Clears in this process what a verification has left: at once, or once it has shown no sign of life for long enough.
    /// False: it is alive. A server does so by itself.
    pub(super) async fn take_over_verification(&self, at_once: bool) -> Result<bool, ClientError> {
        match self {
            Self::Remote(_) => Ok(false),
            Self::Local(server) => server.take_over_verification(at_once).await,
        }
    }

    /// Stops the verification that runs in this process, and clears what it has made. What is left.
    pub(super) async fn stop_verification(&self) -> Left {
        match self {
            Self::Remote(_) => Left::NotBegun,
            Self::Local(server) => server.stop_verification().await,
        }
    }

    /// Shows what expires. Unless it is a dry run, a running server deletes that afterwards.
    pub(super) async fn expire(&self, dry_run: bool) -> Result<Received<RetentionView>, ClientError> {
        let body = Some(format!("{{\"dryRun\":{dry_run}}}"));
        let request = ApiRequest { body, timeout: LIST_TIMEOUT, ..ApiRequest::new(Method::POST, RETENTION) };
        let status = if dry_run { StatusCode::OK } else { StatusCode::ACCEPTED };
        self.send(request).await?.expect(status)
    }

    /// Deletes these in this process, as far as they still expire, and waits for it. `None`: a running server does it.
    pub(super) async fn expire_here(&self, only: &[u64]) -> Result<Option<Passed>, ClientError> {
        match self {
            Self::Remote(_) => Ok(None),
            Self::Local(server) => server.expire(only).await.map(Some),
        }
    }

    /// How the deletion of a backup is, if the server that answers is the one that took it.
    pub(super) async fn deletion(&self, id: BackupId) -> Result<DeletionStatus, ClientError> {
        let answer = self.send(ApiRequest::new(Method::GET, "/actuator/health")).await?;
        // A health that is DOWN is answered with 503.
        let Some(health) = answer.json() else { return Err(answer.into_error()) };
        let deletions = health.pointer("/components/deletions/details");
        let id = id.to_string();
        let pending = deletions.and_then(|details| details.get("pending")?.as_array());
        if pending.is_some_and(|pending| pending.iter().any(|entry| entry.as_str() == Some(&id))) {
            return Ok(DeletionStatus::Pending);
        }
        let failed = deletions.and_then(|details| details.get("failed")?.get(&id)).and_then(Value::as_str);
        Ok(failed.map_or(DeletionStatus::NotKnown, |reason| DeletionStatus::Failed(reason.to_owned())))
    }

    async fn send(&self, request: ApiRequest) -> Result<Answer, ClientError> {
        match self {
            Self::Remote(server) => server.send(request).await,
            Self::Local(server) => server.send(request).await,
        }
    }
}

/// The engine opens the metadata of every shard of a backup for it, and the server looks twice, some time apart.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(600);

fn restore(method: Method, id: BackupId, body: Option<Value>) -> ApiRequest {
    let body = body.map(|body| body.to_string());
    ApiRequest { body, timeout: RESTORE_TIMEOUT, ..ApiRequest::new(method, format!("{}/restore", backup(id))) }
}

fn verification(method: Method, id: BackupId) -> ApiRequest {
    ApiRequest::new(method, format!("{}/verify", backup(id)))
}

fn backup(id: BackupId) -> String {
    format!("{BACKUPS}/{id}")
}
