use std::path::PathBuf;

use super::*;

fn refusal(connection: Connection) -> ClientError {
    Client::new(connection, limits()).err().unwrap()
}

fn node(host: &str) -> Node {
    Node { host: Host::parse(host).unwrap(), port: 9200 }
}

fn with_authority(content: &[u8]) -> (ClientError, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.crt");
    std::fs::write(&path, content).unwrap();
    let connection =
        Connection { tls: true, certificate_authorities: vec![path.clone()], ..connection(vec![node("localhost")]) };
    (refusal(connection), path)
}

#[test]
fn a_host_that_no_url_can_have_is_named() {
    let error = refusal(connection(vec![node("256.1.1.1")]));
    assert!(matches!(&error, ClientError::InvalidHost { node, .. } if node == "256.1.1.1:9200"), "{error}");
    for host in ["localhost", "es-1.example", "127.0.0.1", "::1", "es_master"] {
        assert!(Client::new(connection(vec![node(host)]), limits()).is_ok(), "{host}");
    }
}

#[test]
fn an_authority_that_is_not_there_is_named() {
    let connection = Connection {
        tls: true,
        certificate_authorities: vec!["/nowhere/ca.crt".into()],
        ..connection(vec![node("localhost")])
    };
    let text = refusal(connection).to_string();
    assert!(text.starts_with("the certificate authority `/nowhere/ca.crt` cannot be read: "), "{text}");
}

#[test]
fn an_authority_that_is_no_certificate_is_named() {
    let key = rcgen::KeyPair::generate().unwrap();
    for content in [&b""[..], b"text", b"\x30\x82\x01\x00", key.serialize_pem().as_bytes()] {
        let (error, path) = with_authority(content);
        assert!(matches!(&error, ClientError::NoCertificate { path: named } if *named == path), "{error}");
    }
    let damaged: [&[u8]; 2] = [
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----\n",
    ];
    for content in damaged {
        let (error, path) = with_authority(content);
        assert!(matches!(&error, ClientError::InvalidCertificate { path: named, .. } if *named == path), "{error}");
    }
}

#[test]
fn without_tls_authorities_are_left_alone() {
    let connection =
        Connection { certificate_authorities: vec!["/nowhere/ca.crt".into()], ..connection(vec![node("localhost")]) };
    assert!(Client::new(connection, limits()).is_ok());
}
