mod answers;
mod construction;
mod nodes;
mod proxies;
mod renewal;
mod requests;
mod server;
mod tls;

use backup_core::{IndexPrefix, RepositoryName};

use self::server::{Answer, Server};
use super::*;
use crate::elasticsearch::{Grants, Method, Request, Scope};
use crate::settings::{ApiKey, Host, Node, Proxy, Secret, SecretFiles, Tls, Username};

/// Longer than any test takes, for what is not meant to time out.
const LONG: Duration = Duration::from_secs(60);

fn limits() -> Limits {
    Limits { connect_timeout: LONG, request_timeout: LONG, max_response_bytes: 1000 }
}

fn connection(nodes: Vec<Node>) -> Connection {
    Connection {
        nodes,
        path_prefix: String::new(),
        tls: None,
        proxy: None,
        authentication: Authentication::None,
        secret_files: SecretFiles::default(),
    }
}

fn client(server: &Server) -> Client {
    Client::new(connection(vec![server.node.clone()]), limits()).unwrap()
}

/// A request as it would be made for backup 1.
fn granted(request: Request) -> Granted {
    let repository = RepositoryName::parse("backups").unwrap();
    let scope = match request.method {
        Method::Get | Method::Post => Scope::Read,
        Method::Put => Scope::of_create("1"),
        Method::Delete => Scope::of_delete("1"),
    };
    Grants::new(Some(repository), IndexPrefix::parse("optimize").unwrap()).check(request, scope).unwrap()
}

fn request(method: Method, path: &[&str]) -> Request {
    Request { method, path: path.iter().map(|&segment| segment.to_owned()).collect(), query: Vec::new(), body: None }
}

fn get_nodes() -> Granted {
    granted(request(Method::Get, &["_nodes"]))
}

fn http_answer(status: &str, body: &str) -> Answer {
    Answer::bytes(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}
