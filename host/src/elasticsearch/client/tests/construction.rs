use std::path::PathBuf;

use super::*;

fn refusal(connection: Connection) -> ClientError {
    Client::new(connection, limits()).err().unwrap()
}

fn node(host: &str) -> Node {
    Node { host: Host::parse(host).unwrap(), port: 9200 }
}

fn trusting(tls: Tls) -> Connection {
    Connection { tls: Some(tls), ..connection(vec![node("localhost")]) }
}

/// What comes of a file, once as an authority's and once as the server's own.
fn with_certificate(content: &[u8]) -> ([ClientError; 2], PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.crt");
    std::fs::write(&path, content).unwrap();
    let of_authority = Tls { certificate_authorities: vec![path.clone()], ..Tls::default() };
    let own = Tls { certificate: Some(path.clone()), ..Tls::default() };
    ([of_authority, own].map(|tls| refusal(trusting(tls))), path)
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
fn a_certificate_that_is_not_there_is_named() {
    let tls = Tls { certificate_authorities: vec!["/nowhere/ca.crt".into()], ..Tls::default() };
    let text = refusal(trusting(tls)).to_string();
    assert!(text.starts_with("the certificate file `/nowhere/ca.crt` cannot be read: "), "{text}");
}

#[test]
fn a_file_without_a_certificate_is_named() {
    let key = rcgen::KeyPair::generate().unwrap();
    for content in [&b""[..], b"text", b"\x30\x82\x01\x00", key.serialize_pem().as_bytes()] {
        let (errors, path) = with_certificate(content);
        for error in errors {
            assert!(matches!(&error, ClientError::NoCertificate { path: named } if *named == path), "{error}");
        }
    }
    let damaged: [&[u8]; 2] = [
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        b"-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----\n",
    ];
    for content in damaged {
        let (errors, path) = with_certificate(content);
        for error in errors {
            assert!(matches!(&error, ClientError::InvalidCertificate { path: named, .. } if *named == path), "{error}");
        }
    }
}
