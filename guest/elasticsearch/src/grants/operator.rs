use backup_core::{EngineKind, IndexPrefix, Method, Request};

use serde_json::json;

use super::{Denial, Grant, Granted, Grants};

/// A request of a command that an operator gives, and that no policy may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorRequest {
    /// `PUT /_snapshot/{repository}`: registers it without verifying it. The body has its type and settings.
    RegisterRepository {
        /// JSON.
        body: String,
    },
    /// Who the user is, where there is security.
    User(EngineKind),
    /// `GET /_security/user/_has_privileges`: which of those that backups need the user has. OpenSearch has no such request.
    HasPrivileges,
    /// `GET /_resolve/index/*-timestamp-based-import-index*`: an index that each installation of Optimize has.
    Installations,
}

/// The privileges of Elasticsearch that backups need: those of the cluster.
const CLUSTER_PRIVILEGES: [&str; 3] = ["monitor", "create_snapshot", "cluster:admin/snapshot/delete"];
/// Those on the indices of the installation.
const INDEX_PRIVILEGES: [&str; 2] = ["view_index_metadata", "read"];

impl Grants {
    /// A request of an operator's command.
    ///
    /// # Errors
    /// [`Denial::NoRepository`] if it is for a repository, and none is configured.
    pub fn operator(&self, request: OperatorRequest) -> Result<Granted, Denial> {
        let (method, path, body) = match request {
            OperatorRequest::RegisterRepository { body } => {
                let repository = self.repository.as_ref().ok_or(Denial::NoRepository)?;
                (Method::Put, vec!["_snapshot", repository.as_str()], Some(body))
            }
            OperatorRequest::User(EngineKind::Elasticsearch) => (Method::Get, vec!["_security", "_authenticate"], None),
            OperatorRequest::User(EngineKind::OpenSearch) => {
                (Method::Get, vec!["_plugins", "_security", "authinfo"], None)
            }
            OperatorRequest::HasPrivileges => {
                (Method::Get, vec!["_security", "user", "_has_privileges"], Some(privileges(&self.prefix)))
            }
            OperatorRequest::Installations => {
                (Method::Get, vec!["_resolve", "index", "*-timestamp-based-import-index*"], None)
            }
        };
        let query = match method {
            Method::Put => vec![("verify".to_owned(), "false".to_owned())],
            _ => Vec::new(),
        };
        let path = path.into_iter().map(str::to_owned).collect();
        Ok(Granted {
            request: Request { method, path, query, body },
            grant: Grant::Operator,
            checks_health: false,
            is_dispensable: false,
        })
    }
}

fn privileges(prefix: &IndexPrefix) -> String {
    let indices = json!([{"names": [format!("{prefix}-*")], "privileges": INDEX_PRIVILEGES}]);
    json!({"cluster": CLUSTER_PRIVILEGES, "index": indices}).to_string()
}

#[cfg(test)]
mod tests {
    use backup_core::RepositoryName;
    use serde_json::{Value, json};

    use super::*;
    use crate::Scope;

    fn grants(repository: Option<&str>) -> Grants {
        let repository = repository.map(|name| RepositoryName::parse(name).unwrap());
        Grants::new(repository, IndexPrefix::parse("optimize").unwrap())
    }

    #[test]
    fn a_command_may_register_its_repository_and_no_other() {
        let register = || OperatorRequest::RegisterRepository { body: "{}".to_owned() };
        let granted = grants(Some("backups")).operator(register()).unwrap();
        assert_eq!(granted.request().method, Method::Put);
        assert_eq!(crate::path("", granted.request()), "/_snapshot/backups");
        assert_eq!(crate::query(granted.request()).as_deref(), Some("verify=false"));
        assert!(grants(Some("backups")).check(granted.request().clone(), Scope::Read).is_err());
        assert_eq!(grants(None).operator(register()), Err(Denial::NoRepository));
    }

    #[test]
    fn the_privileges_are_those_of_the_installation() {
        let granted = grants(None).operator(OperatorRequest::HasPrivileges).unwrap();
        let body: Value = serde_json::from_str(granted.request().body.as_deref().unwrap()).unwrap();
        assert_eq!(body["index"], json!([{"names": ["optimize-*"], "privileges": INDEX_PRIVILEGES}]));
        assert_eq!(body["cluster"], json!(CLUSTER_PRIVILEGES));
    }
}
