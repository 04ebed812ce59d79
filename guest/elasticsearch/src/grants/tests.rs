mod denied;
mod denied_bodies;
mod granted;
mod properties;
mod restores;
mod scopes;
mod verifications;

use super::*;

/// `GET /_snapshot/backups/camunda_optimize_*?verbose=false` as text becomes a request.
fn request(line: &str) -> Request {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Request {
        method: match method {
            "GET" => Method::Get,
            "PUT" => Method::Put,
            "POST" => Method::Post,
            "DELETE" => Method::Delete,
            _ => panic!("{line}"),
        },
        path: path.strip_prefix('/').unwrap().split('/').map(str::to_owned).collect(),
        query: query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: None,
    }
}

/// A new snapshot with this body.
fn put(body: &str) -> Request {
    Request {
        body: Some(body.to_owned()),
        ..request("PUT /_snapshot/backups/camunda_optimize_12_8.7.0_part_1_of_2?wait_for_completion=false")
    }
}

fn grants() -> Grants {
    Grants::new(Some(RepositoryName::parse("backups").unwrap()), IndexPrefix::parse("optimize").unwrap())
}

/// The call in which this request would be made, if it were one of backup 12.
fn call_for(request: &Request) -> Scope {
    match request.method {
        Method::Get | Method::Post => Scope::Read,
        Method::Put => Scope::of_create("12"),
        Method::Delete => Scope::of_delete("12"),
    }
}

fn check(request: Request) -> Result<Granted, Denial> {
    let scope = call_for(&request);
    grants().check(request, scope)
}

fn denial(request: Request) -> Denial {
    let shown = format!("{request:?}");
    check(request).expect_err(&shown)
}
