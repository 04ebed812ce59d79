use std::path::PathBuf;

use backup_core::EngineKind;

use super::super::{ApiKey, Authentication, Host, Username};
use super::{file, load};

const CA: &str = "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_SSL_CERTIFICATE_AUTHORITIES";
const USERNAME: &str = "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_USERNAME";
const PASSWORD: &str = "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD";

#[test]
fn only_the_chosen_database_is_read() {
    let yaml = "
es: {connection: {timeout: never, nodes: [{host: '${NOWHERE}'}]}}
opensearch: {connection: {nodes: [{host: search, httpPort: 9201}]}, settings: {index: {prefix: mine}}}";
    let settings = load(yaml, &[("CAMUNDA_OPTIMIZE_DATABASE", "opensearch")]).unwrap();
    assert_eq!(settings.engine, EngineKind::OpenSearch);
    assert_eq!(settings.connection.nodes[0].host.as_str(), "search");
    assert_eq!(settings.index_prefix.as_str(), "mine");
}

#[test]
fn a_host_is_a_name_or_an_address() {
    for (text, expected) in [
        ("es.example.org", "es.example.org"),
        ("10.0.0.1", "10.0.0.1"),
        ("'::1'", "::1"),
        ("'[2001:DB8::1]'", "2001:db8::1"),
    ] {
        let yaml = format!("es: {{connection: {{nodes: [{{host: {text}, httpPort: 9200}}]}}}}");
        assert_eq!(load(&yaml, &[]).unwrap().connection.nodes[0].host.as_str(), expected, "{text}");
    }
}

#[test]
fn a_host_is_only_a_host() {
    for text in ["", "http://es", "https://es:9200", "es/path", "es:9200", "es?a", "es#a", "es one", "a:b"] {
        assert!(Host::parse(text).is_err(), "{text}");
    }
    for text in ["user:secret@es", "https://user:secret@es:9200"] {
        let error = Host::parse(text).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn credentials_that_fit_into_no_header_are_refused() {
    for username in ["a:b", "a\nb"] {
        assert!(Username::parse(username).is_err(), "{username:?}");
    }
    for key in ["", "secret\n", "secret\r\nX-Evil: 1", "sec ret", "schlüssel"] {
        let error = ApiKey::parse(key).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn any_character_can_be_in_a_password() {
    for password in ["a#b: c", "'\"{[&*!|>%@`", "${USERNAME}", "$x", " ", "ünïcode", "null", "0123"] {
        let authentication =
            load("", &[(USERNAME, "elastic"), (PASSWORD, password)]).unwrap().connection.authentication;
        let Authentication::Basic { username, password: secret } = authentication else {
            panic!("no user with {password:?}");
        };
        assert_eq!((username.as_str(), secret.expose()), ("elastic", password));
    }
}

#[test]
fn an_unquoted_password_is_no_number() {
    let yaml = "es: {security: {username: elastic, password: 0123}}";
    let Authentication::Basic { password, .. } = load(yaml, &[]).unwrap().connection.authentication else {
        panic!("no user");
    };
    assert_eq!(password.expose(), "0123");
}

#[test]
fn secrets_can_be_in_files() {
    let secret = file("s3cret \r\n\n");
    let yaml = format!("es: {{security: {{username: elastic, passwordFile: {}}}}}", secret.path().display());
    let Authentication::Basic { password, .. } = load(&yaml, &[]).unwrap().connection.authentication else {
        panic!("no user");
    };
    assert_eq!(password.expose(), "s3cret ");

    let key = file("a2V5\n");
    let environment = &[("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_API_KEY_FILE", key.path().to_str().unwrap())];
    let Authentication::ApiKey(key) = load("", environment).unwrap().connection.authentication else {
        panic!("no key");
    };
    assert_eq!(key.header(), "ApiKey a2V5");
}

#[test]
fn certificate_authorities_are_a_list_or_a_text() {
    let [one, two] = [file("one"), file("two")];
    let [one, two] = [one.path().to_str().unwrap(), two.path().to_str().unwrap()];
    let cases: [(String, String, &[&str]); 8] = [
        (String::new(), String::new(), &[]),
        (String::new(), "[]".into(), &[]),
        (String::new(), one.into(), &[one]),
        (String::new(), format!("{one}, {two},"), &[one, two]),
        (String::new(), format!("['{one}', {two}]"), &[one, two]),
        (one.into(), "ignored".into(), &[one]),
        (format!("[{one}, '${{MISSING:}}', {two}]"), "ignored".into(), &[one, two]),
        ("[]".into(), one.into(), &[one]),
    ];
    for (in_file, in_environment, expected) in cases {
        let yaml = format!("es: {{security: {{ssl: {{enabled: TRUE, certificate_authorities: {in_file}}}}}}}");
        let connection = load(&yaml, &[(CA, &in_environment)]).unwrap().connection;
        let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
        assert_eq!(connection.tls.unwrap().certificate_authorities, expected, "{yaml}");
    }
}
