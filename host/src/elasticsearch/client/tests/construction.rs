use std::path::PathBuf;

use super::*;

fn refusal(connection: Connection) -> ClientError {
    Client::new(connection, limits()).err().unwrap()
}

fn node(host: &str) -> Node {
    Node { host: host.to_owned(), port: 9200 }
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
fn a_node_is_needed() {
    assert!(matches!(refusal(connection(Vec::new())), ClientError::NoNodes));
}

#[test]
fn a_host_is_only_a_host() {
    for host in ["", "http://es", "https://es:9200", "es/path", "es:9200", "es?a", "es#a", "es one", "[::1]", "a:b"] {
        let error = refusal(connection(vec![node(host)]));
        assert!(matches!(&error, ClientError::InvalidHost { host: named } if named == host), "{host}: {error}");
    }
    for host in ["localhost", "es-1.example", "127.0.0.1", "::1", "es_master"] {
        assert!(Client::new(connection(vec![node(host)]), limits()).is_ok(), "{host}");
    }
}

#[test]
fn a_password_in_a_host_is_not_shown() {
    for host in ["user:secret@es", "https://user:secret@es:9200"] {
        let text = format!("{:?}", refusal(connection(vec![node(host)])));
        assert!(!text.contains("secret"), "{text}");
    }
}

#[test]
fn a_user_name_with_a_colon_is_refused() {
    for username in ["a:b", "a\nb"] {
        let authentication = Authentication::Basic { username: username.into(), password: Secret::new("secret") };
        let error = refusal(Connection { authentication, ..connection(vec![node("localhost")]) });
        assert!(matches!(error, ClientError::InvalidUsername), "{error}");
    }
}

#[test]
fn an_api_key_that_fits_into_no_header_is_refused() {
    for key in ["", "secret\n", "secret\r\nX-Evil: 1", "sec ret", "schlüssel"] {
        let authentication = Authentication::ApiKey(Secret::new(key));
        let error = refusal(Connection { authentication, ..connection(vec![node("localhost")]) });
        assert!(matches!(error, ClientError::InvalidApiKey), "{error}");
        assert!(!error.to_string().contains("secret"));
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
