//! How large a finished backup is, and how long it took.

use std::time::Duration;

use backup_core::{RepositoryName, Request};
use serde::Deserialize;

use super::{Capability, Response, TransportError};
use crate::metrics::LastSuccess;

#[derive(Debug, thiserror::Error)]
pub enum ContentsError {
    #[error("{0}")]
    NoRepository(#[from] backup_core::InvalidRepositoryName),
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("the search engine answers {status} to {request}: {body}")]
    Refused { status: u16, request: Request, body: String },
    #[error("the search engine's answer to {request} cannot be read: {error}")]
    Unreadable { request: Request, error: serde_json::Error },
}

#[derive(Deserialize)]
struct List<S> {
    #[serde(default = "Vec::new")]
    snapshots: Vec<S>,
}

#[derive(Deserialize)]
struct Contents {
    #[serde(rename = "start_time_in_millis")]
    start: u64,
    #[serde(rename = "end_time_in_millis")]
    end: u64,
    indices: Vec<String>,
}

#[derive(Deserialize)]
struct Status {
    stats: Stats,
}

#[derive(Deserialize)]
struct Stats {
    total: Total,
}

#[derive(Deserialize)]
struct Total {
    size_in_bytes: u64,
}

impl Capability {
    /// What these snapshots, which have ended, are together. Without the bytes where the engine does not tell them.
    pub async fn contents(
        &self,
        repository: &RepositoryName,
        names: &[String],
        timeout: Duration,
    ) -> Result<LastSuccess, ContentsError> {
        let contents: List<Contents> = self.document(Request::contents(repository, names), timeout).await?;
        let sizes = self.document::<List<Status>>(Request::sizes(repository, names), timeout).await;
        let sizes = sizes.inspect_err(|error| tracing::warn!(%error, "cannot read how large the last backup is"));
        let bytes = sizes.ok().map(|list| list.snapshots.iter().map(|status| status.stats.total.size_in_bytes).sum());
        Ok(summary(&contents.snapshots, bytes))
    }

    async fn document<T: for<'a> Deserialize<'a>>(
        &self,
        request: Request,
        timeout: Duration,
    ) -> Result<T, ContentsError> {
        let Response { status, body, .. } = self.read_once(request.clone(), timeout).await?;
        if status != 200 {
            return Err(ContentsError::Refused { status, request, body: body.chars().take(500).collect() });
        }
        serde_json::from_str(&body).map_err(|error| ContentsError::Unreadable { request, error })
    }
}

fn summary(snapshots: &[Contents], bytes: Option<u64>) -> LastSuccess {
    let started = snapshots.iter().map(|snapshot| snapshot.start).min().unwrap_or_default();
    let ended = snapshots.iter().map(|snapshot| snapshot.end).max().unwrap_or_default();
    LastSuccess {
        started: Duration::from_millis(started),
        ended: Duration::from_millis(ended),
        bytes,
        indices: snapshots.iter().map(|snapshot| snapshot.indices.len()).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_as_long_and_as_large_as_both_parts() {
        let list: List<Contents> = serde_json::from_str(
            r#"{"snapshots": [
                {"start_time_in_millis": 9000, "end_time_in_millis": 12000, "indices": ["c"]},
                {"start_time_in_millis": 5000, "end_time_in_millis": 7000, "indices": ["a", "b"]}]}"#,
        )
        .unwrap();
        let (started, ended) = (Duration::from_secs(5), Duration::from_secs(12));
        assert_eq!(summary(&list.snapshots, Some(7)), LastSuccess { started, ended, bytes: Some(7), indices: 3 });
    }
}
