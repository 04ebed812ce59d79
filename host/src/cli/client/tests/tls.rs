use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::*;

/// A server without backups, with a certificate for this name: where it is, and the certificate.
async fn server(name: &str) -> (String, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            if let Ok(mut connection) = acceptor.accept(connection).await {
                let _ = connection.read(&mut [0; 4096]).await;
                let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]").await;
            }
        }
    });
    (address, cert.pem())
}

async fn list(url: String, authority: &str) -> Result<usize, ClientError> {
    let folder = tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    fs::write(&ca_file, authority).unwrap();
    let options = ServerOptions { ca_file: Some(ca_file), ..ServerOptions::at(url) };
    let client = Client::Remote(RemoteServer::new(options).unwrap());
    client.list(&Selection::default()).await.map(|backups| backups.body.len())
}

#[tokio::test]
async fn a_server_is_trusted_by_its_authority() {
    let (address, authority) = server("127.0.0.1").await;
    let (elsewhere, other) = server("elsewhere").await;
    assert_eq!(list(format!("https://{address}"), &authority).await.unwrap(), 0);

    let untrusted = list(format!("https://{address}"), &other).await.unwrap_err();
    assert_told(
        &untrusted,
        Unreachable,
        "its certificate is not trusted: give the authority that signed it with --ca-file",
    );
    let misnamed = list(format!("https://{elsewhere}"), &other).await.unwrap_err();
    assert_told(&misnamed, Unreachable, "its certificate is for another host: use one of its names in --url");
}

#[tokio::test]
async fn http_and_https_are_told_apart() {
    let (address, authority) = server("127.0.0.1").await;
    let without = list(format!("http://{address}"), &authority).await.unwrap_err();
    assert_told(&without, Unreachable, "if it expects TLS, begin --url with https://");
    let plain = serve(Router::new()).await.replace("http:", "https:");
    let with = list(plain, &authority).await.unwrap_err();
    assert_told(&with, Unreachable, "it does not speak TLS: begin --url with http://");
}
