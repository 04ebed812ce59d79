//! Whether the user may do what backups need.

use backup_core::{EngineKind, IdPattern, ListMode, Request, Response};
use backup_elasticsearch::OperatorRequest;
use serde_json::Value;

use super::Doctor;
use super::engine::Security;
use super::report::Check;

const NAME: &str = "privileges";

impl Doctor<'_> {
    /// Elasticsearch tells it; elsewhere the reads are tried.
    pub(super) async fn privileges(&self, security: Security) -> Check {
        if security == Security::On && self.settings.engine == EngineKind::Elasticsearch {
            let response = self.access.operate(OperatorRequest::HasPrivileges).await;
            if let Some(missing) = response.ok().and_then(|response| missing(&response)) {
                return self.told(
                    &missing,
                    "monitor, create_snapshot, cluster:admin/snapshot/delete, view_index_metadata, read",
                );
            }
        }
        let denied = self.denied_reads().await;
        let not_tried = match self.settings.engine {
            EngineKind::Elasticsearch => "create_snapshot and cluster:admin/snapshot/delete",
            EngineKind::OpenSearch => "cluster:admin/snapshot/create and cluster:admin/snapshot/delete",
        };
        match security {
            Security::Off if denied.is_empty() => Check::ok(NAME, "all reads are allowed"),
            _ => self.told(&denied, &format!("all that read; not tried are {not_tried}")),
        }
    }

    fn told(&self, missing: &[String], all: &str) -> Check {
        if missing.is_empty() {
            return Check::ok(NAME, format!("it has {all}"));
        }
        Check::refused(NAME, format!("it has not: {}", missing.join(", ")))
            .advise("give them to a role of the search engine's user; docs/reference/privileges.md has the role")
    }

    /// The privileges of the reads that are answered with 403.
    async fn denied_reads(&self) -> Vec<String> {
        let prefix = &self.settings.index_prefix;
        let [monitor_nodes, monitor_clock, repository, list, resolve, document] = match self.settings.engine {
            EngineKind::Elasticsearch => {
                ["monitor", "monitor", "create_snapshot", "create_snapshot", "view_index_metadata", "read"]
            }
            EngineKind::OpenSearch => [
                "cluster:monitor/nodes/info",
                "cluster:monitor/nodes/stats",
                "cluster:admin/repository/get",
                "cluster:admin/snapshot/get",
                "indices:admin/resolve/index",
                "indices:data/read/get",
            ],
        };
        let on_indices = |privilege: &str| format!("{privilege} on '{prefix}-*'");
        let mut reads = vec![
            (Request::node_versions(), monitor_nodes.to_owned()),
            (Request::engine_clock(), monitor_clock.to_owned()),
            (Request::resolve(prefix), on_indices(resolve)),
            (Request::optimize_version(prefix), on_indices(document)),
        ];
        if let Some(name) = &self.settings.repository {
            let names = Request::list(name, &IdPattern::All.snapshot_pattern(), ListMode::NamesOnly);
            reads.extend([(Request::repository(name), repository.to_owned()), (names, list.to_owned())]);
        }
        let mut denied = Vec::new();
        for (request, privilege) in reads {
            if matches!(self.access.read(request).await, Ok(Response { status: 403, .. }))
                && !denied.contains(&privilege)
            {
                denied.push(privilege);
            }
        }
        denied
    }
}

/// The privileges that the answer to `_has_privileges` does not confirm. `None`: there is no such answer.
fn missing(response: &Response) -> Option<Vec<String>> {
    let body: Value = serde_json::from_str(&response.body).ok().filter(|_| response.status == 200)?;
    let lacking = |of: &Value| -> Vec<String> {
        let privileges = of.as_object().into_iter().flatten();
        privileges.filter(|(_, has)| **has != Value::Bool(true)).map(|(name, _)| name.clone()).collect()
    };
    let cluster = lacking(body.get("cluster")?);
    let indices = body.get("index")?.as_object()?.iter();
    let indices =
        indices.flat_map(|(names, of)| lacking(of).into_iter().map(move |name| format!("{name} on '{names}'")));
    Some(cluster.into_iter().chain(indices).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_lacks_is_named() {
        let body = r#"{"username":"u","has_all_requested":false,
            "cluster":{"monitor":true,"create_snapshot":false},"index":{"optimize-*":{"read":false,"view_index_metadata":true}}}"#;
        let read = |status| missing(&Response { status, retry_after: None, body: body.to_owned() });
        assert_eq!(read(200), Some(vec!["create_snapshot".to_owned(), "read on 'optimize-*'".to_owned()]));
        assert_eq!(read(400), None);
    }
}
