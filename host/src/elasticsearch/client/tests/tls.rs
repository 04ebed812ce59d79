use std::io::Write;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

/// A certificate authority of our own, with its certificate in a file.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: NamedTempFile,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(params.self_signed(&key).unwrap().pem().as_bytes()).unwrap();
        Self { issuer: Issuer::new(params, key), file }
    }

    /// A server whose certificate is signed by the authority.
    async fn server(&self, params: CertificateParams) -> Server {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        Server::start_with(http_answer("200 OK", "{}"), Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    fn client(&self, server: &Server) -> Client {
        let connection = Connection {
            tls: true,
            certificate_authorities: vec![self.file.path().to_owned()],
            ..connection(vec![server.node.clone()])
        };
        Client::new(connection, limits()).unwrap()
    }
}

fn for_host(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

async fn assert_unreachable(client: &Client, server: &Server, cause: &str) {
    let error = client.send(&get_nodes(), LONG).await.unwrap_err();
    let expected = format!("{}: {cause}", server.node);
    assert!(matches!(&error, TransportError::Unreachable(text) if text.starts_with(&expected)), "{error:?}");
}

#[tokio::test]
async fn a_certificate_of_the_configured_authority_is_trusted() {
    let authority = Authority::new();
    let mut server = authority.server(for_host("127.0.0.1")).await;
    assert_eq!(authority.client(&server).send(&get_nodes(), LONG).await.unwrap().status, 200);
    server.request().await;
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_not_trusted() {
    let server = Authority::new().server(for_host("127.0.0.1")).await;
    let cause = "its certificate is not trusted: set `security.ssl.certificate_authorities` to the PEM file";
    assert_unreachable(&Authority::new().client(&server), &server, cause).await;
}

#[tokio::test]
async fn an_expired_certificate_is_not_trusted() {
    let authority = Authority::new();
    let mut expired = for_host("127.0.0.1");
    expired.not_after = date_time_ymd(2001, 1, 1);
    let server = authority.server(expired).await;
    assert_unreachable(&authority.client(&server), &server, "its certificate has expired").await;
}

#[tokio::test]
async fn a_certificate_from_the_future_is_not_trusted() {
    let authority = Authority::new();
    let mut future = for_host("127.0.0.1");
    future.not_before = date_time_ymd(3000, 1, 1);
    let server = authority.server(future).await;
    assert_unreachable(&authority.client(&server), &server, "its certificate is not valid yet").await;
}

#[tokio::test]
async fn a_certificate_for_another_host_is_not_trusted() {
    let authority = Authority::new();
    let server = authority.server(for_host("es.example")).await;
    assert_unreachable(&authority.client(&server), &server, "its certificate is for another host").await;
}

#[tokio::test]
async fn a_port_without_tls_is_named_as_such() {
    let server = Server::start(http_answer("400 Bad Request", "")).await;
    assert_unreachable(&Authority::new().client(&server), &server, "this port does not speak TLS").await;
}
