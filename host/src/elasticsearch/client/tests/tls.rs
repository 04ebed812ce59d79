use std::io::Write;
use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
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
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Server::start_with(http_answer("200 OK", "{}"), Some(acceptor(&certificate, &key))).await
    }

    fn tls(&self) -> Tls {
        Tls { certificate_authorities: vec![self.file.path().to_owned()], ..Tls::default() }
    }

    fn client(&self, server: &Server) -> Client {
        client_of(server, self.tls())
    }
}

/// A server whose certificate has signed itself, with that in a file.
async fn self_signed(params: CertificateParams) -> (Server, Tls, NamedTempFile) {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(certificate.pem().as_bytes()).unwrap();
    let server = Server::start_with(http_answer("200 OK", "{}"), Some(acceptor(&certificate, &key))).await;
    let tls = Tls { certificate: Some(file.path().to_owned()), ..Tls::default() };
    (server, tls, file)
}

pub(super) fn acceptor(certificate: &Certificate, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let chain = vec![certificate.der().clone()];
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn client_of(server: &Server, tls: Tls) -> Client {
    Client::new(Connection { tls: Some(tls), ..connection(vec![server.node.clone()]) }, limits()).unwrap()
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

#[tokio::test]
async fn a_certificate_for_another_host_is_trusted_where_names_do_not_matter() {
    let authority = Authority::new();
    let server = authority.server(for_host("es.example")).await;
    let client = client_of(&server, Tls { any_name: true, ..authority.tls() });
    assert_eq!(client.send(&get_nodes(), LONG).await.unwrap().status, 200);
    // Everything else does.
    let client = client_of(&server, Tls { any_name: true, ..Authority::new().tls() });
    assert_unreachable(&client, &server, "its certificate is not trusted").await;
    let mut expired = for_host("es.example");
    expired.not_after = date_time_ymd(2001, 1, 1);
    let server = authority.server(expired).await;
    let client = client_of(&server, Tls { any_name: true, ..authority.tls() });
    assert_unreachable(&client, &server, "its certificate has expired").await;
}

#[tokio::test]
async fn where_names_do_not_matter_the_systems_authorities_still_do() {
    let server = Authority::new().server(for_host("127.0.0.1")).await;
    let client = client_of(&server, Tls { any_name: true, ..Tls::default() });
    assert_unreachable(&client, &server, "its certificate is not trusted").await;
}

/// As `openssl req -x509` makes it: of an authority, which signed itself.
fn of_an_authority(name: &str) -> CertificateParams {
    let mut params = for_host(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

#[tokio::test]
async fn a_servers_own_certificate_is_trusted() {
    for params in [for_host("127.0.0.1"), of_an_authority("127.0.0.1")] {
        let (server, tls, _file) = self_signed(params).await;
        assert_eq!(client_of(&server, tls.clone()).send(&get_nodes(), LONG).await.unwrap().status, 200);
        // Optimize's operators may have it among the authorities.
        let tls = Tls { certificate_authorities: tls.certificate.into_iter().collect(), ..Tls::default() };
        assert_eq!(client_of(&server, tls).send(&get_nodes(), LONG).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_servers_own_certificate_is_no_other_servers() {
    for is_authority in [false, true] {
        let params = || if is_authority { of_an_authority("127.0.0.1") } else { for_host("127.0.0.1") };
        let (_one, tls, _file) = self_signed(params()).await;
        let (other, _tls, _other_file) = self_signed(params()).await;
        let error = client_of(&other, tls).send(&get_nodes(), LONG).await.unwrap_err().to_string();
        assert!(error.contains("its certificate"), "{error}");
    }
}

#[tokio::test]
async fn a_servers_own_certificate_has_dates_and_a_name() {
    for params in [for_host("127.0.0.1"), of_an_authority("127.0.0.1")] {
        let mut expired = params.clone();
        expired.not_after = date_time_ymd(2001, 1, 1);
        let (server, tls, _file) = self_signed(expired).await;
        assert_unreachable(&client_of(&server, tls), &server, "its certificate has expired").await;
        let mut future = params;
        future.not_before = date_time_ymd(3000, 1, 1);
        let (server, tls, _file) = self_signed(future).await;
        assert_unreachable(&client_of(&server, tls), &server, "its certificate is not valid yet").await;
    }
    for params in [for_host("es.example"), of_an_authority("es.example")] {
        let (server, tls, _file) = self_signed(params).await;
        assert_unreachable(&client_of(&server, tls.clone()), &server, "its certificate is for another host").await;
        let client = client_of(&server, Tls { any_name: true, ..tls });
        assert_eq!(client.send(&get_nodes(), LONG).await.unwrap().status, 200);
    }
}
