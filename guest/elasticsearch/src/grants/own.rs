use backup_core::{Method, Request};

use super::{Denial, Grant, Granted, Grants};
use crate::Scope;

/// A request that a host sends for its health, and that no policy may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnRequest {
    /// `GET /`: which engine it is.
    EngineInfo,
    /// `POST /_snapshot/{repository}/_verify`: each node writes a small file to the repository and reads it.
    VerifyRepository,
}

impl Grants {
    /// A request of the host itself.
    ///
    /// # Errors
    /// [`Denial::NoRepository`] if it is for a repository, and none is configured.
    pub fn own(&self, own: OwnRequest) -> Result<Granted, Denial> {
        let (grant, method, path) = match own {
            // An empty segment stands for the slash.
            OwnRequest::EngineInfo => (Grant::ReadInfo, Method::Get, vec![String::new()]),
            OwnRequest::VerifyRepository => {
                let repository = self.repository.as_ref().ok_or(Denial::NoRepository)?;
                let path = ["_snapshot", repository.as_str(), "_verify"].map(str::to_owned);
                (Grant::VerifyRepository, Method::Post, path.to_vec())
            }
        };
        let request = Request { method, path, query: Vec::new(), body: None };
        Ok(Granted { request, grant, checks_health: true, is_dispensable: false })
    }

    /// A read of the host itself that a policy may send, too.
    ///
    /// # Errors
    /// As [`Grants::check`].
    pub fn health_check(&self, request: Request) -> Result<Granted, Denial> {
        Ok(Granted { checks_health: true, ..self.check(request, Scope::Read)? })
    }
}

#[cfg(test)]
mod tests {
    use backup_core::{IndexPrefix, RepositoryName};

    use super::*;

    fn grants(repository: Option<&str>) -> Grants {
        let repository = repository.map(|name| RepositoryName::parse(name).unwrap());
        Grants::new(repository, IndexPrefix::parse("optimize").unwrap())
    }

    #[test]
    fn the_host_may_verify_its_repository_and_a_policy_may_not() {
        let granted = grants(Some("backups")).own(OwnRequest::VerifyRepository).unwrap();
        assert_eq!(
            (granted.request().method, crate::path("", granted.request())),
            (Method::Post, "/_snapshot/backups/_verify".into())
        );
        for method in [Method::Get, Method::Put, Method::Post, Method::Delete] {
            let request = Request { method, ..granted.request().clone() };
            assert!(grants(Some("backups")).check(request, Scope::Read).is_err(), "{method}");
        }
        assert_eq!(grants(None).own(OwnRequest::VerifyRepository), Err(Denial::NoRepository));
    }

    #[test]
    fn the_root_is_below_the_path_of_a_proxy() {
        let granted = grants(None).own(OwnRequest::EngineInfo).unwrap();
        assert_eq!(crate::path("", granted.request()), "/");
        assert_eq!(crate::path("/search", granted.request()), "search/");
        assert!(grants(None).check(granted.request().clone(), Scope::Read).is_err());
    }
}
