//! The indices of the installation, and its version.

use std::collections::BTreeSet;

use backup_actuator::{Finding, HealthStatus, IndicesFacts};
use backup_core::{Request, operations};
use backup_elasticsearch::OperatorRequest;
use serde_json::Value;

use super::Doctor;
use super::report::Check;
use super::repository::of_error;

const NAME: &str = "indices";
const VERSION: &str = "version";
/// Each installation has it, from its first start.
const IMPORT_INDEX: &str = "-timestamp-based-import-index";

impl Doctor<'_> {
    pub(super) async fn indices(&self) -> Check {
        let prefix = &self.settings.index_prefix;
        let response = self.access.read(Request::resolve(prefix)).await;
        let found = Finding::of_indices(prefix, response.as_ref().map_err(Clone::clone));
        let IndicesFacts { part_one, part_two, neighbours, .. } = &found.facts;
        if found.status == HealthStatus::Up {
            let (one, two) = (part_one.unwrap_or_default(), part_two.unwrap_or_default());
            let mut told = format!("{one} in part 1, {two} in part 2, under the prefix '{prefix}'");
            if !neighbours.is_empty() {
                told.push_str(&format!("\nleft out, as other installations: {}", neighbours.join(", ")));
            }
            return Check::ok(NAME, told);
        }
        let check = Check::refused(NAME, found.error.clone().unwrap_or_default());
        if (*part_one, *part_two) != (Some(0), Some(0)) {
            return check;
        }
        match self.why_there_are_none().await {
            Some(advice) => check.advise(advice),
            None => check,
        }
    }

    /// What to do where there is no index: a backup under this prefix tells that they are lost, and the prefix is right.
    async fn why_there_are_none(&self) -> Option<String> {
        if let Some(id) = self.newest_complete().await {
            return Some(format!(
                "if they are lost, `optimize-backup backup restore {id} --dry-run` tells what backup {id} brings back"
            ));
        }
        let others = self.prefixes().await;
        let key = format!("{}.settings.index.prefix", self.block());
        (!others.is_empty())
            .then(|| format!("correct {key}: there are indices of Optimize under {}", others.join(", ")))
    }

    /// The prefixes of the installations that the user may see.
    async fn prefixes(&self) -> Vec<String> {
        let response = self.access.operate(OperatorRequest::Installations).await;
        let body = response.ok().and_then(|response| serde_json::from_str::<Value>(&response.body).ok());
        body.map(|body| prefixes_in(&body)).unwrap_or_default()
    }

    pub(super) async fn version(&self) -> Check {
        match &self.settings.optimize_version {
            Some(version) => Check::ok(VERSION, format!("Optimize {version}, as optimize.version says")),
            None => match self.access.operation(operations::optimize_version).await {
                Ok(version) => Check::ok(VERSION, format!("Optimize {version}, as its metadata index says")),
                Err(error) => of_error(VERSION, &error),
            },
        }
    }
}

fn prefixes_in(resolved: &Value) -> Vec<String> {
    let indices = resolved.get("indices").and_then(Value::as_array).into_iter().flatten();
    let names = indices.filter_map(|index| index.get("name")?.as_str());
    let prefixes: BTreeSet<String> =
        names.filter_map(|name| Some(format!("'{}'", name.split_once(IMPORT_INDEX)?.0))).collect();
    prefixes.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_prefixes_that_there_are_are_told_once() {
        let names = ["optimize-eu-timestamp-based-import-index_v5", "optimize-timestamp-based-import-index_v5"];
        let indices: Vec<Value> = names.iter().chain(&names).map(|name| json!({"name": name})).collect();
        assert_eq!(prefixes_in(&json!({"indices": indices})), ["'optimize'", "'optimize-eu'"]);
        assert!(prefixes_in(&json!({"error": {}})).is_empty());
    }
}
