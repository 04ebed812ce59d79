use std::path::Path;

use super::super::Settings;
use super::{Environment, error, file, load, nothing_set};

/// File, environment, and the one line that must come of them.
type Case<'a> = (&'a str, Environment<'a>, &'a str);

fn assert_lines(cases: &[Case<'_>]) {
    for (yaml, environment, line) in cases {
        assert_eq!(error(yaml, environment), *line, "{yaml} {environment:?}");
    }
}

#[test]
fn values_that_do_not_fit() {
    assert_lines(&[
        (
            "",
            &[("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", "92oo")],
            "es.connection.nodes[0].httpPort (from OPTIMIZE_ELASTICSEARCH_HTTP_PORT): '92oo' is not a whole number from 1 to 65535",
        ),
        (
            "",
            &[("OPTIMIZE_ELASTICSEARCH_HTTP_PORT", "0")],
            "es.connection.nodes[0].httpPort (from OPTIMIZE_ELASTICSEARCH_HTTP_PORT): '0' is not a whole number from 1 to 65535",
        ),
        (
            "container: {ports: {actuator: 65536}}",
            &[],
            "container.ports.actuator: '65536' is not a whole number from 0 to 65535",
        ),
        (
            "container: {ports: {actuator: '${A:1}-${B:2}'}}",
            &[("A", "1"), ("B", "2")],
            "container.ports.actuator (from A, B): '1-2' is not a whole number from 0 to 65535",
        ),
        ("backup: {completeState: DONE}", &[], "backup.completeState: 'DONE' is not one of COMPLETE, COMPLETED"),
        (
            "",
            &[("CAMUNDA_OPTIMIZE_DATABASE", "mysql")],
            "backup.database (from CAMUNDA_OPTIMIZE_DATABASE): 'mysql' is not one of elasticsearch, opensearch",
        ),
        ("backup: {logFormat: xml}", &[], "backup.logFormat: 'xml' is not one of text, json"),
        (
            "backup: {resumeWindow: 0s}",
            &[],
            "backup.resumeWindow: '0s' is not a time such as 90s, 10m or 1h 30m, greater than 0s and up to 8760h",
        ),
        (
            "policy: {cpuTime: 10}",
            &[],
            "policy.cpuTime: '10' is not a time such as 90s, 10m or 1h 30m, greater than 0s and up to 8760h",
        ),
        (
            "policy: {maxMemoryBytes: 64MiB}",
            &[],
            "policy.maxMemoryBytes: '64MiB' is not a whole number from 1048576 to 4294967295",
        ),
        (
            "es: {connection: {timeout: -1}}",
            &[],
            "es.connection.timeout: '-1' is not a whole number from 1 to 2147483647",
        ),
        (
            "es: {connection: {nodes: [{host: 'http://es:9200', httpPort: 9200}]}}",
            &[],
            "es.connection.nodes[0].host: 'http://es:9200' is not a host name or an IP address alone, without https:// and port",
        ),
        (
            "",
            &[("OPTIMIZE_ELASTICSEARCH_HOST", "elastic:hunter2@es")],
            "es.connection.nodes[0].host (from OPTIMIZE_ELASTICSEARCH_HOST): the value, not shown here, is not a host name or an IP address alone, without https:// and port",
        ),
        (
            "es: {connection: {pathPrefix: /a/../b}}",
            &[],
            "es.connection.pathPrefix: '/a/../b' is not a path such as /search, of letters, digits, '-', '.', '_' and '~'",
        ),
        ("es: {security: {ssl: {enabled: 'yes'}}}", &[], "es.security.ssl.enabled: 'yes' is not one of true, false"),
        ("backup: {logFormat: \"two\\nlines\"}", &[], "backup.logFormat: 'two\\nlines' is not one of text, json"),
    ]);
}

#[test]
fn names_that_would_reach_too_far() {
    for prefix in ["'*'", "opti*", "'a,b'", "Optimize", "_all", "'a b'"] {
        let yaml = format!("es: {{settings: {{index: {{prefix: {prefix}}}}}}}");
        let line = error(&yaml, &[]);
        assert!(line.starts_with("es.settings.index.prefix: "), "{line}");
        assert_eq!(line.lines().count(), 1);
    }
    for repository in ["'*'", "a/b", "'a,b'", "_all"] {
        let line = error(&format!("backup: {{repositoryName: {repository}}}"), &[]);
        assert!(line.starts_with("backup.repositoryName: "), "{line}");
    }
    let line = error("", &[("CAMUNDA_OPTIMIZE_VERSION", "8_6\n")]);
    assert!(line.starts_with("optimize.version (from CAMUNDA_OPTIMIZE_VERSION): "), "{line}");
    assert_eq!(line.lines().count(), 1);
}

#[test]
fn keys_that_do_not_exist_or_have_no_value() {
    assert_lines(&[
        ("optimize: {Version: 8.6.0}", &[], "optimize.Version: is unknown: use version"),
        ("backup: 10m", &[], "backup: must be a block of keys"),
        ("backup: {resumeWindow: [10m]}", &[], "backup.resumeWindow: must be a single value"),
        ("es: {connection: {nodes: es1}}", &[], "es.connection.nodes: must be a list of blocks"),
        ("es: {connection: {nodes: [es1]}}", &[], "es.connection.nodes[0]: must be a block of keys"),
        (
            "es: {security: {ssl: {certificate_authorities: {a: b}}}}",
            &[],
            "es.security.ssl.certificate_authorities: must be a list",
        ),
        (
            "es: {security: {ssl: {certificate_authorities: [[a]]}}}",
            &[],
            "es.security.ssl.certificate_authorities[0]: must be a single value",
        ),
        (
            "es: {security: {ssl: {certificate_authorities: '${CA}'}}}",
            &[("CA", "[a")],
            "es.security.ssl.certificate_authorities (from CA): must be a list such as [a, b], or a text with commas",
        ),
        (
            "es: {connection: {nodes: [{host: a, httpPort: 1}, {host: b}]}}",
            &[],
            "es.connection.nodes[1].httpPort: is missing",
        ),
        (
            "es: {connection: {nodes: [{host: '${ES_HOST}', httpPort: 1}]}}",
            &[("ES_HOST", "")],
            "es.connection.nodes[0].host: the environment variable ES_HOST is not set: set it, or write ${ES_HOST:default}",
        ),
    ]);
}

#[test]
fn settings_that_contradict_each_other() {
    let secret = file("hunter2");
    let path = secret.path().to_str().unwrap();
    let password = "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD";
    assert_lines(&[
        (
            "es: {security: {username: u}}",
            &[],
            "es.security.username: needs es.security.password, or es.security.passwordFile",
        ),
        (
            "",
            &[(password, "hunter2")],
            "es.security.password (from CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD): needs es.security.username",
        ),
        (
            "es: {security: {username: u, password: p, apiKey: k}}",
            &[],
            "es.security.apiKey: cannot be used together with es.security.username: use one of them",
        ),
        (
            &format!("es: {{security: {{username: u, passwordFile: {path}}}}}"),
            &[(password, "hunter2")],
            "es.security.password (from CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD): cannot be used together with es.security.passwordFile: use one of them",
        ),
        (
            &format!("es: {{security: {{ssl: {{certificate_authorities: {path}}}}}}}"),
            &[],
            "es.security.ssl.certificate_authorities: needs es.security.ssl.enabled to be true",
        ),
        (
            "es: {security: {username: 'elastic:hunter2', password: p}}",
            &[],
            "es.security.username: the value, not shown here, is not a user name for HTTP Basic, which has no colon in it",
        ),
    ]);
}

#[test]
fn files_that_cannot_be_used() {
    let empty = file("\n");
    let path = empty.path().to_str().unwrap();
    assert_lines(&[
        (
            "es: {security: {username: u, passwordFile: /nowhere}}",
            &[],
            "es.security.passwordFile: the file '/nowhere' cannot be read: No such file or directory (os error 2)",
        ),
        (
            &format!("es: {{security: {{username: u, passwordFile: {path}}}}}"),
            &[],
            &format!("es.security.passwordFile: the file '{path}' is empty"),
        ),
        (
            "es: {security: {ssl: {enabled: true, certificate_authorities: [/nowhere, /]}}}",
            &[],
            "es.security.ssl.certificate_authorities[0]: the file '/nowhere' cannot be read: No such file or directory (os error 2)\n\
             es.security.ssl.certificate_authorities[1]: the file '/' cannot be read: is a directory",
        ),
    ]);
}

#[test]
fn all_faults_are_told_at_once() {
    let yaml = "
backup: {database: oracle, completeState: DONE, colour: red}
policy: [fast]
optimize: {version: '${VERSION}'}";
    assert_eq!(
        error(yaml, &[("CAMUNDA_OPTIMIZE_CONTAINER_PORTS_ACTUATOR", "http")]),
        "backup.colour: is unknown: use callTimeout, completeState, database, logFormat, logLevel, maxResponseBytes, repositoryName, restore, resumeWindow, retention, schedule\n\
         policy: must be a block of keys\n\
         container.ports.actuator (from CAMUNDA_OPTIMIZE_CONTAINER_PORTS_ACTUATOR): 'http' is not a whole number from 0 to 65535\n\
         optimize.version: the environment variable VERSION is not set: set it, or write ${VERSION:default}\n\
         backup.completeState: 'DONE' is not one of COMPLETE, COMPLETED\n\
         backup.database: 'oracle' is not one of elasticsearch, opensearch"
    );
}

#[test]
fn a_file_that_is_not_there() {
    let missing = Path::new("/nowhere/settings.yaml");
    assert_eq!(
        Settings::load(Some(missing), nothing_set).unwrap_err().to_string(),
        "/nowhere/settings.yaml: cannot be read: No such file or directory (os error 2)"
    );
}

#[test]
fn a_file_that_is_not_yaml() {
    for (yaml, place) in [
        ("es:\n  - a\n b: c", "line 3, column 2: "),
        ("es: [a", "line 1, column 5: "),
        ("a: 1\nb: 2\na: 3", "line 3, column 1: the key a is there twice"),
        ("a: &x 1\nb: *x", "line 2, column 4: an alias; write the value itself"),
        ("a: 1\n---\nb: 2", "line 3, column 1: a second document; settings are one"),
        ("? [a]\n: b", "line 1, column 3: a key that is not a word"),
        ("just a text", "line 1, column 1: settings are a block of keys"),
        ("[a]", "line 1, column 1: settings are a block of keys"),
    ] {
        let file = file(yaml);
        let error = Settings::load(Some(file.path()), nothing_set).unwrap_err().to_string();
        let start = format!("{}: {place}", file.path().display());
        assert!(error.starts_with(&start), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn a_byte_order_mark_does_no_harm() {
    assert_eq!(load("\u{feff}container: {ports: {actuator: 3}}", &[]).unwrap().port, 3);
}
