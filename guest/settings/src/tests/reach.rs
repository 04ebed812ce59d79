//! The settings that say how the search engine is reached, and the server itself.

use super::super::{Authentication, Connection, Settings};
use super::{Environment, error, file, load, variables};

const AWS: &str = "CAMUNDA_OPTIMIZE_OPENSEARCH_AWS_ENABLED";
const OPENSEARCH: (&str, &str) = ("CAMUNDA_OPTIMIZE_DATABASE", "opensearch");

fn connection(yaml: &str, environment: Environment<'_>) -> Connection {
    load(yaml, environment).unwrap().connection
}

#[test]
fn the_api_has_an_address() {
    for (yaml, environment, expected) in [
        ("", [].as_slice(), "0.0.0.0"),
        ("", &[("CONTAINER_HOST", "127.0.0.1")], "127.0.0.1"),
        ("container: {host: localhost}", &[("CONTAINER_HOST", "127.0.0.1")], "localhost"),
        ("container: {host: '::'}", &[], "::"),
        ("container: {host: '[::1]'}", &[], "::1"),
    ] {
        assert_eq!(load(yaml, environment).unwrap().host.as_str(), expected, "{yaml}");
    }
    assert_eq!(
        error("container: {host: 'http://a:1'}", &[]),
        "container.host: 'http://a:1' is not a host name or an IP address alone, without https:// and port"
    );
}

#[test]
fn a_proxy_is_used_only_if_it_is_enabled() {
    assert!(connection("es: {connection: {proxy: {host: proxy, port: 3128}}}", &[]).proxy.is_none());
    let proxy = connection("es: {connection: {proxy: {enabled: true, host: proxy, port: 3128}}}", &[]).proxy.unwrap();
    assert_eq!((proxy.to_string().as_str(), proxy.user.is_none()), ("http://proxy:3128", true));
    let yaml =
        "es: {connection: {proxy: {enabled: true, host: '::1', port: 1, sslEnabled: true, username: u, password: p}}}";
    let proxy = connection(yaml, &[]).proxy.unwrap();
    assert_eq!(proxy.to_string(), "https://[::1]:1");
    let (username, password) = proxy.user.unwrap();
    assert_eq!((username.as_str(), password.expose()), ("u", "p"));
}

#[test]
fn a_proxy_comes_from_variables_too() {
    let variable = |name: &str| format!("CAMUNDA_OPTIMIZE_OPENSEARCH_CONNECTION_PROXY_{name}");
    let secret = file("s3cret\n");
    let path = secret.path().to_str().unwrap();
    let names = ["ENABLED", "HOST", "PORT", "SSL_ENABLED", "USERNAME", "PASSWORD_FILE"].map(variable);
    let values = ["true", "10.0.0.1", "8080", "true", "u", path];
    let mut environment: Vec<_> = names.iter().map(String::as_str).zip(values).collect();
    environment.push(OPENSEARCH);
    let proxy = connection("", &environment).proxy.unwrap();
    assert_eq!((proxy.to_string().as_str(), proxy.user.unwrap().1.expose()), ("https://10.0.0.1:8080", "s3cret"));
}

#[test]
fn a_server_can_have_a_certificate_of_its_own() {
    let certificate = file("one");
    let path = certificate.path();
    let yaml =
        format!("es: {{security: {{ssl: {{enabled: true, selfSigned: true, certificate: {}}}}}}}", path.display());
    let tls = connection(&yaml, &[]).tls.unwrap();
    assert_eq!((tls.certificate.as_deref(), tls.any_name), (Some(path), false));
    let yaml = "es: {connection: {skipHostnameVerification: true}, security: {ssl: {enabled: true}}}";
    assert!(connection(yaml, &[]).tls.unwrap().any_name);
    // As in Optimize: nothing is verified where there is no TLS.
    let yaml = "es: {connection: {skipHostnameVerification: true}, security: {ssl: {selfSigned: true}}}";
    assert!(connection(yaml, &[]).tls.is_none());
}

#[test]
fn aws_credentials_take_the_place_of_a_user() {
    let authentication = connection("", &[OPENSEARCH, (AWS, "true")]).authentication;
    assert!(matches!(authentication, Authentication::Aws), "{authentication:?}");
    let authentication = connection("", &[OPENSEARCH, (AWS, "false")]).authentication;
    assert!(matches!(authentication, Authentication::None), "{authentication:?}");
    // It says nothing of Elasticsearch.
    assert!(matches!(connection("", &[(AWS, "true")]).authentication, Authentication::None));
}

#[test]
fn what_cannot_be_obeyed_stops_the_start() {
    let certificate = file("one");
    let path = certificate.path().display();
    let cases: &[(&str, Environment<'_>, &str)] = &[
        (
            "es: {connection: {proxy: {enabled: 'on'}}}",
            &[],
            "es.connection.proxy.enabled: 'on' is not one of true, false",
        ),
        (
            "es: {connection: {proxy: {enabled: true}}}",
            &[],
            "es.connection.proxy.host: is missing, and es.connection.proxy.enabled is true\n\
             es.connection.proxy.port: is missing, and es.connection.proxy.enabled is true",
        ),
        (
            "es: {connection: {proxy: {enabled: true, host: 'http://proxy', port: 0}}}",
            &[],
            "es.connection.proxy.host: 'http://proxy' is not a host name or an IP address alone, without https:// and port\n\
             es.connection.proxy.port: '0' is not a whole number from 1 to 65535",
        ),
        (
            "es: {connection: {proxy: {username: u}}}",
            &[],
            "es.connection.proxy.username: needs es.connection.proxy.password, or es.connection.proxy.passwordFile",
        ),
        (
            "es: {connection: {proxy: {password: hunter2}}}",
            &[],
            "es.connection.proxy.password: needs es.connection.proxy.username",
        ),
        ("es: {connection: {proxy: on}}", &[], "es.connection.proxy: must be a block of keys"),
        (
            "",
            &[("CAMUNDA_OPTIMIZE_ELASTICSEARCH_CONNECTION_SKIP_HOSTNAME_VERIFICATION", "1")],
            "es.connection.skipHostnameVerification (from CAMUNDA_OPTIMIZE_ELASTICSEARCH_CONNECTION_SKIP_HOSTNAME_VERIFICATION): '1' is not one of true, false",
        ),
        (
            &format!("es: {{security: {{ssl: {{certificate: {path}}}}}}}"),
            &[],
            "es.security.ssl.certificate: needs es.security.ssl.enabled to be true",
        ),
        (
            "es: {security: {ssl: {enabled: true, certificate: /nowhere}}}",
            &[],
            "es.security.ssl.certificate: the file '/nowhere' cannot be read: No such file or directory (os error 2)",
        ),
        (
            "es: {security: {ssl: {enabled: true, selfSigned: true}}}",
            &[],
            "es.security.ssl.selfSigned: needs es.security.ssl.certificate, the file of that certificate",
        ),
        (
            "opensearch: {security: {username: u, password: p}}",
            &[OPENSEARCH, (AWS, "true")],
            "opensearch.connection.awsEnabled (from CAMUNDA_OPTIMIZE_OPENSEARCH_AWS_ENABLED): cannot be used together with opensearch.security.username: use one of them",
        ),
        (
            "opensearch: {security: {apiKey: k}, connection: {awsEnabled: true}}",
            &[OPENSEARCH],
            "opensearch.connection.awsEnabled: cannot be used together with opensearch.security.apiKey: use one of them",
        ),
        (
            "es: {interceptorPlugins: {0: {id: '', className: org.None}, 3: {id: tokens}}}",
            &[],
            "es.interceptorPlugins.3.id: is that of a Java class that changes Optimize's requests, which this server cannot run: remove it if the search engine can be reached without",
        ),
    ];
    for (yaml, environment, lines) in cases {
        assert_eq!(error(yaml, environment), *lines, "{yaml} {environment:?}");
    }
}

#[test]
fn in_a_component_connections_are_its_hosts_matter() {
    const SKIP: &str = "CAMUNDA_OPTIMIZE_OPENSEARCH_CONNECTION_SKIP_HOSTNAME_VERIFICATION";
    const PROXY: &str = "CAMUNDA_OPTIMIZE_ELASTICSEARCH_CONNECTION_PROXY_";
    let tls = ("CAMUNDA_OPTIMIZE_OPENSEARCH_SSL_ENABLED", "true");
    let proxy = ["ENABLED", "HOST", "PORT"].map(|name| format!("{PROXY}{name}"));
    let [enabled, host, port] = proxy.each_ref().map(String::as_str);
    let cases: &[(Environment<'_>, &[&str])] = &[
        (&[], &[]),
        (&[OPENSEARCH, tls], &[]),
        (&[OPENSEARCH, tls, (SKIP, "true")], &["opensearch.connection.skipHostnameVerification"]),
        (&[OPENSEARCH, (AWS, "true")], &["opensearch.connection.awsEnabled"]),
        (&[(enabled, "true"), (host, "proxy"), (port, "1")], &["es.connection.proxy.enabled"]),
    ];
    for (environment, keys) in cases {
        let text = "the host of this component makes the connections: set it up there";
        let expected: Vec<String> = keys.iter().map(|key| format!("{key}: {text}")).collect();
        let refused = Settings::load_in_component(variables(environment)).err().map(|error| error.to_string());
        assert_eq!(refused.unwrap_or_default(), expected.join("\n"), "{environment:?}");
    }
}
