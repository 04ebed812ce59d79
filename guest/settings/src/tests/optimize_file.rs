use std::path::Path;
use std::time::Duration;

use super::super::{Authentication, Settings};
use super::variables;

/// As an operator of Optimize has it: most keys are not ours, and some name variables that only Optimize has.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/environment-config.yaml");

#[test]
fn optimizes_own_file_is_read_as_it_is() {
    let environment = [("ES_PASSWORD", "p#: 1"), ("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SSL_ENABLED", "false")];
    let settings = Settings::load(Some(Path::new(FILE)), variables(&environment)).unwrap();
    assert_eq!((settings.host.as_str(), settings.port), ("0.0.0.0", 8092));
    assert_eq!(settings.repository.unwrap().as_str(), "camunda-backups");
    assert_eq!(settings.index_prefix.as_str(), "optimize-prod");
    let connection = settings.connection;
    let nodes: Vec<_> = connection.nodes.iter().map(|node| (node.host.as_str(), node.port)).collect();
    assert_eq!(nodes, [("es-0.internal", 9200), ("es-1.internal", 9200)]);
    assert_eq!(settings.limits.connect_timeout, Duration::from_secs(30));
    assert!(connection.tls.is_none() && connection.proxy.is_none());
    let Authentication::Basic { username, password } = connection.authentication else {
        panic!("no user");
    };
    assert_eq!((username.as_str(), password.expose()), ("optimize", "p#: 1"));
}
