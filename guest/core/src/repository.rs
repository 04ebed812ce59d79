//! What the engine tells of a registered snapshot repository.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::refusal::{document, success};
use crate::{Error, RepositoryName, Request, Response, TransportError};

/// A snapshot repository as it is registered in the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The type of its storage: `fs`, `s3`, `gcs`, `azure`.
    pub storage: String,
    /// Nothing can be written to it.
    pub read_only: bool,
}

impl Registration {
    /// Reads the response to [`Request::repository`].
    ///
    /// # Errors
    /// [`Error::RepositoryMissing`], or why it is not known.
    pub fn read(repository: &RepositoryName, response: Result<&Response, TransportError>) -> Result<Self, Error> {
        let request = Request::repository(repository);
        let response = response.map_err(|error| Error::transport(&request, error))?;
        let body = success(response).map_err(|refusal| Error::refused(&request, refusal, repository))?;
        let mut repositories: BTreeMap<String, RawRepository> = document(&request, body)?;
        match repositories.remove(repository.as_str()) {
            None => Err(Error::RepositoryMissing { repository: repository.clone(), refusal: None }),
            Some(found) => Ok(Self { read_only: found.is_read_only(), storage: found.storage }),
        }
    }
}

#[derive(Deserialize)]
struct RawRepository {
    #[serde(rename = "type", default)]
    storage: String,
    #[serde(default)]
    settings: BTreeMap<String, Value>,
}

impl RawRepository {
    /// Engines return settings as strings.
    fn is_read_only(&self) -> bool {
        matches!(self.settings.get("readonly"), Some(Value::Bool(true)))
            || self.settings.get("readonly").and_then(Value::as_str) == Some("true")
    }
}
