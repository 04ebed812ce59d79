use std::collections::BTreeMap;

use backup_actuator::Verification;
use backup_core::{Refusal, RepositoryName};
use backup_elasticsearch::OwnRequest;
use serde::Deserialize;
use serde_json::json;

use super::RepositoryCommandError;
use crate::cli::engine::EngineAccess;
use crate::cli::output::{Format, print, terminal_width};

#[derive(Deserialize)]
struct Verified {
    nodes: BTreeMap<String, Node>,
}

#[derive(Deserialize)]
struct Node {
    name: String,
}

/// Has it verified, and prints the nodes that can write to it.
pub(super) async fn run(
    engine: &EngineAccess,
    name: &RepositoryName,
    format: Format,
) -> Result<(), RepositoryCommandError> {
    let response = engine.own(OwnRequest::VerifyRepository).await?;
    if let Verification::Failed(reason) = Verification::read(Ok(&response)) {
        return Err(RepositoryCommandError::NotVerified { name: name.clone(), reason });
    }
    if response.status != 200 {
        return Err(Refusal::of(&response).into());
    }
    let nodes = nodes(&response.body).ok_or(RepositoryCommandError::NoEngine)?;
    Ok(match (format, terminal_width()) {
        (Format::Json, _) => print(&json!({"repository": name.as_str(), "nodes": nodes}).to_string()),
        (Format::Text, None) => print(&format!("{name}\t{}", nodes.join(","))),
        (Format::Text, Some(_)) => {
            print(&format!("Each node of the search engine can use the repository {name}: {}.", nodes.join(", ")))
        }
    }?)
}

/// The names in the answer to `_verify`.
pub(in crate::cli) fn nodes(body: &str) -> Option<Vec<String>> {
    let verified: Verified = serde_json::from_str(body).ok()?;
    let mut names: Vec<String> = verified.nodes.into_values().map(|node| node.name).collect();
    names.sort();
    Some(names)
}
