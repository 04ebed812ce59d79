use std::time::Duration;

use backup_core::EngineKind;

use super::super::{Authentication, CompleteState, LogFormat, Settings};
use super::{Environment, load, nothing_set};

const PORT: &str = "CAMUNDA_OPTIMIZE_CONTAINER_PORTS_ACTUATOR";
const REPOSITORY: &str = "CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME";

#[test]
fn without_file_and_environment_the_defaults_count() {
    let settings = Settings::load(None, nothing_set).unwrap();
    assert_eq!(settings.port, 8092);
    assert_eq!(settings.engine, EngineKind::Elasticsearch);
    assert_eq!(settings.repository, None);
    assert_eq!(settings.index_prefix.as_str(), "optimize");
    assert_eq!(settings.optimize_version, None);
    assert_eq!(settings.complete_state, CompleteState::Complete);
    assert_eq!(settings.resume_window, Duration::from_secs(600));
    let connection = settings.connection;
    assert_eq!(connection.nodes.len(), 1);
    assert_eq!((connection.nodes[0].host.as_str(), connection.nodes[0].port), ("localhost", 9200));
    assert_eq!(connection.path_prefix, "");
    assert!(connection.tls.is_none());
    assert!(matches!(connection.authentication, Authentication::None));
    assert_eq!(settings.limits.connect_timeout, Duration::from_secs(10));
    assert_eq!(settings.limits.request_timeout, Duration::from_secs(60));
    assert_eq!(settings.limits.max_response_bytes, 32 << 20);
    assert_eq!(settings.policy.path, None);
    assert_eq!(settings.policy.call.memory, 64 << 20);
    assert_eq!(settings.policy.call.cpu_time, Duration::from_secs(5));
    assert_eq!(settings.policy.call.engine_calls, 64);
    assert_eq!(settings.log.format, LogFormat::Text);
    assert_eq!(settings.log.filter, "info");
}

#[test]
fn the_file_wins_over_the_variable_and_the_variable_over_the_default() {
    let cases: &[(&str, Environment<'_>, u16)] = &[
        ("", &[], 8092),
        ("", &[(PORT, "1")], 1),
        ("", &[(PORT, "")], 8092),
        ("", &[("MANAGEMENT_SERVER_PORT", "2")], 2),
        ("", &[(PORT, "1"), ("MANAGEMENT_SERVER_PORT", "2")], 1),
        ("container: {ports: {actuator: 3}}", &[(PORT, "1")], 3),
        ("container: {ports: {actuator: '3'}}", &[(PORT, "1")], 3),
        ("container: {ports: {actuator: '${MINE:4}'}}", &[(PORT, "1")], 4),
        ("container: {ports: {actuator: '${MINE:4}'}}", &[("MINE", "5")], 5),
        ("container: {ports: {actuator: '${MINE}'}}", &[("MINE", "5")], 5),
        ("container: {ports: {actuator: '${MINE:${YOURS:6}}'}}", &[], 6),
        ("container: {ports: {actuator: '${MINE:${YOURS:6}}'}}", &[("YOURS", "7")], 7),
        ("container: {ports: {actuator: '8${A}${B:9}0'}}", &[("A", "1")], 8190),
        // An empty value counts as not set, a block too.
        ("container: {ports: {actuator: ''}}", &[(PORT, "1")], 1),
        ("container: {ports: {actuator: null}}", &[(PORT, "1")], 1),
        ("container: {ports: {actuator: '${MINE:}'}}", &[(PORT, "1")], 1),
        ("container: {ports: {actuator: '${MINE:null}'}}", &[(PORT, "1")], 1),
        ("container: {ports: }", &[(PORT, "1")], 1),
        ("container:", &[], 8092),
        ("---\n# nothing here\n", &[], 8092),
    ];
    for (yaml, environment, port) in cases {
        assert_eq!(load(yaml, environment).unwrap().port, *port, "{yaml} {environment:?}");
    }
}

#[test]
fn blocks_are_merged_and_lists_replaced() {
    let yaml = "
es:
  connection:
    pathPrefix: /search/
    nodes:
      - {host: one, httpPort: 1}
      - {host: two, httpPort: '2'}";
    let settings = load(yaml, &[("OPTIMIZE_ELASTICSEARCH_HOST", "ignored")]).unwrap();
    let connection = settings.connection;
    let nodes: Vec<_> = connection.nodes.iter().map(|node| (node.host.as_str(), node.port)).collect();
    assert_eq!(nodes, [("one", 1), ("two", 2)]);
    assert_eq!(connection.path_prefix, "/search");
    assert_eq!(settings.limits.connect_timeout, Duration::from_secs(10));
}

#[test]
fn the_repository_has_two_places() {
    let cases: &[(&str, Environment<'_>, Option<&str>)] = &[
        ("", &[], None),
        ("", &[(REPOSITORY, "variable")], Some("variable")),
        ("es: {backup: {repositoryName: theirs}}", &[(REPOSITORY, "variable")], Some("theirs")),
        ("backup: {repositoryName: ours}", &[(REPOSITORY, "variable")], Some("ours")),
        ("{backup: {repositoryName: ours}, es: {backup: {repositoryName: theirs}}}", &[], Some("ours")),
        ("{backup: {repositoryName: ''}, es: {backup: {repositoryName: theirs}}}", &[], Some("theirs")),
        ("opensearch: {backup: {repositoryName: other}}", &[], None),
        ("{backup: {database: opensearch}, opensearch: {backup: {repositoryName: other}}}", &[], Some("other")),
    ];
    for (yaml, environment, expected) in cases {
        let repository = load(yaml, environment).unwrap().repository;
        assert_eq!(repository.as_ref().map(|name| name.as_str()), *expected, "{yaml}");
    }
}

#[test]
fn a_text_stays_as_it_was_written() {
    let version = |yaml| load(yaml, &[]).unwrap().optimize_version.unwrap().to_string();
    assert_eq!(version("optimize: {version: 8.10}"), "8.10");
    assert_eq!(version("optimize: {version: 0x1F}"), "0x1f");
    assert_eq!(version("optimize: {version: 1e5}"), "1e5");
}

#[test]
fn times_are_read_as_people_write_them() {
    for (text, seconds) in [("90s", 90), ("10m", 600), ("1h 30m", 5400), ("PT2M", 120)] {
        let yaml = format!("backup: {{resumeWindow: {text}}}");
        assert_eq!(load(&yaml, &[]).unwrap().resume_window, Duration::from_secs(seconds), "{text}");
    }
}
