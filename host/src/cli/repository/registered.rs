use std::collections::BTreeMap;

use backup_core::{Refusal, RepositoryName, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RepositoryCommandError;
use crate::cli::engine::EngineAccess;

/// Type and settings of a repository, as the search engine keeps them: settings are texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Registered {
    #[serde(rename = "type")]
    pub(super) storage: String,
    pub(super) settings: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "type")]
    storage: String,
    #[serde(default)]
    settings: BTreeMap<String, Value>,
}

impl Registered {
    /// What is registered under a name. `None`: nothing.
    pub(super) async fn under(
        engine: &EngineAccess,
        name: &RepositoryName,
    ) -> Result<Option<Self>, RepositoryCommandError> {
        let response = engine.read(Request::repository(name)).await?;
        match response {
            Response { status: 404, .. } => Ok(None),
            Response { status: 200, body, .. } => {
                let found = serde_json::from_str::<BTreeMap<String, Raw>>(&body);
                let mut found = found.map_err(|_| RepositoryCommandError::NoEngine)?;
                Ok(found.remove(name.as_str()).map(Self::from))
            }
            response => Err(Refusal::of(&response).into()),
        }
    }

    /// Where the other one differs, each as `location: '/a' → '/b'`.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let changed = |name: &str, from: Option<&str>, to: Option<&str>| {
            let quoted = |value: Option<&str>| match value {
                None => "not set".to_owned(),
                Some(_) if is_secret(name) => "(not shown)".to_owned(),
                Some(text) => format!("'{text}'"),
            };
            (from != to).then(|| format!("{name}: {} → {}", quoted(from), quoted(to)))
        };
        let storage = changed("type", Some(self.storage.as_str()), Some(other.storage.as_str()));
        let names: std::collections::BTreeSet<&String> = self.settings.keys().chain(other.settings.keys()).collect();
        let value = |of: &'_ Self, name: &String| of.settings.get(name).cloned();
        let settings = names
            .into_iter()
            .filter_map(|name| changed(name, value(self, name).as_deref(), value(other, name).as_deref()));
        storage.into_iter().chain(settings).collect()
    }
}

impl From<Raw> for Registered {
    fn from(Raw { storage, settings }: Raw) -> Self {
        let text = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        Self { storage, settings: settings.into_iter().map(|(name, value)| (name, text(value))).collect() }
    }
}

/// Some plugins still take credentials as settings.
fn is_secret(setting: &str) -> bool {
    ["secret", "password", "token", "access_key"].iter().any(|word| setting.contains(word))
}
