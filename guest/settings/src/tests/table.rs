use std::cell::RefCell;
use std::collections::BTreeSet;

use super::super::{DEFAULTS, Settings};

/// The keys and variables that users know. Those of Elasticsearch and OpenSearch differ only in names.
const TABLE: &[(&str, &str)] = &[
    ("container.ports.actuator", "CAMUNDA_OPTIMIZE_CONTAINER_PORTS_ACTUATOR"),
    ("container.ports.actuator", "MANAGEMENT_SERVER_PORT"),
    ("backup.database", "CAMUNDA_OPTIMIZE_DATABASE"),
    ("backup.completeState", "CAMUNDA_OPTIMIZE_BACKUP_COMPLETE_STATE"),
    ("backup.resumeWindow", "CAMUNDA_OPTIMIZE_BACKUP_RESUME_WINDOW"),
    ("backup.callTimeout", "CAMUNDA_OPTIMIZE_BACKUP_CALL_TIMEOUT"),
    ("backup.maxResponseBytes", "CAMUNDA_OPTIMIZE_BACKUP_MAX_RESPONSE_BYTES"),
    ("backup.logFormat", "CAMUNDA_OPTIMIZE_BACKUP_LOG_FORMAT"),
    ("backup.logLevel", "CAMUNDA_OPTIMIZE_BACKUP_LOG_LEVEL"),
    ("optimize.version", "CAMUNDA_OPTIMIZE_VERSION"),
    ("policy.path", "CAMUNDA_OPTIMIZE_POLICY_PATH"),
    ("policy.token", "CAMUNDA_OPTIMIZE_POLICY_TOKEN"),
    ("policy.tokenFile", "CAMUNDA_OPTIMIZE_POLICY_TOKEN_FILE"),
    ("policy.keys", "CAMUNDA_OPTIMIZE_POLICY_KEYS"),
    ("policy.cacheDir", "CAMUNDA_OPTIMIZE_POLICY_CACHE_DIR"),
    ("policy.maxBytes", "CAMUNDA_OPTIMIZE_POLICY_MAX_BYTES"),
    ("policy.compileTime", "CAMUNDA_OPTIMIZE_POLICY_COMPILE_TIME"),
    ("policy.maxFailures", "CAMUNDA_OPTIMIZE_POLICY_MAX_FAILURES"),
    ("policy.maxMemoryBytes", "CAMUNDA_OPTIMIZE_POLICY_MAX_MEMORY_BYTES"),
    ("policy.cpuTime", "CAMUNDA_OPTIMIZE_POLICY_CPU_TIME"),
    ("policy.maxEngineCalls", "CAMUNDA_OPTIMIZE_POLICY_MAX_ENGINE_CALLS"),
    ("policy.maxTransferBytes", "CAMUNDA_OPTIMIZE_POLICY_MAX_TRANSFER_BYTES"),
    ("es.backup.repositoryName", "CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME"),
    ("es.connection.nodes[0].host", "OPTIMIZE_ELASTICSEARCH_HOST"),
    ("es.connection.nodes[0].httpPort", "OPTIMIZE_ELASTICSEARCH_HTTP_PORT"),
    ("es.connection.timeout", "CAMUNDA_OPTIMIZE_ELASTICSEARCH_CONNECTION_TIMEOUT"),
    ("es.connection.pathPrefix", "CAMUNDA_OPTIMIZE_ELASTICSEARCH_CONNECTION_PATH_PREFIX"),
    ("es.security.username", "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_USERNAME"),
    ("es.security.password", "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD"),
    ("es.security.passwordFile", "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD_FILE"),
    ("es.security.apiKey", "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_API_KEY"),
    ("es.security.apiKeyFile", "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_API_KEY_FILE"),
    ("es.security.ssl.enabled", "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SSL_ENABLED"),
    ("es.security.ssl.certificate_authorities", "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_SSL_CERTIFICATE_AUTHORITIES"),
    ("es.settings.index.prefix", "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SETTINGS_INDEX_PREFIX"),
];

/// The table with the keys and variables of one database.
fn table(block: &str) -> Vec<(String, String)> {
    let of_block = |(key, variable): &(&str, &str)| {
        let Some(key) = key.strip_prefix("es.").filter(|_| block == "opensearch") else {
            return ((*key).to_owned(), (*variable).to_owned());
        };
        let variable = match *variable {
            "OPTIMIZE_ELASTICSEARCH_HOST" => "CAMUNDA_OPTIMIZE_OPENSEARCH_HOST".to_owned(),
            "OPTIMIZE_ELASTICSEARCH_HTTP_PORT" => "CAMUNDA_OPTIMIZE_OPENSEARCH_HTTP_PORT".to_owned(),
            variable => variable.replace("ELASTICSEARCH", "OPENSEARCH"),
        };
        (format!("opensearch.{key}"), variable)
    };
    TABLE.iter().map(of_block).collect()
}

fn load(database: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
    let settings = Settings::load(None, |name| match environment(name) {
        None if name == "CAMUNDA_OPTIMIZE_DATABASE" => Some(database.to_owned()),
        value => value,
    });
    settings.map_err(|error| error.to_string())
}

#[test]
fn the_defaults_name_the_variables_of_the_table() {
    let named: BTreeSet<&str> = DEFAULTS
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split("${").skip(1))
        .filter_map(|placeholder| placeholder.split(':').next())
        .collect();
    let tables = [table("es"), table("opensearch")].concat();
    let known: BTreeSet<&str> = tables.iter().map(|(_, variable)| variable.as_str()).collect();
    assert_eq!(named, known);
}

#[test]
fn every_variable_of_the_table_is_asked_for() {
    let asked = RefCell::new(BTreeSet::new());
    let record = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        None
    };
    load("elasticsearch", record).unwrap();
    load("opensearch", record).unwrap();
    let tables = [table("es"), table("opensearch")].concat();
    let known: BTreeSet<String> = tables.into_iter().map(|(_, variable)| variable).collect();
    assert_eq!(asked.into_inner(), known);
}

#[test]
fn every_variable_sets_its_key() {
    // No name, number or file is called so. Where any text will do, the settings have it.
    let value = "? ?";
    for (database, block) in [("elasticsearch", "es"), ("opensearch", "opensearch")] {
        for (key, variable) in table(block) {
            let loaded = load(database, |name| (name == variable).then(|| value.to_owned()));
            match loaded {
                Ok(settings) => assert!(format!("{settings:?}").contains(value), "{variable}"),
                Err(line) => assert!(line.contains(&format!("{key} (from {variable}): ")), "{line}"),
            }
        }
    }
}
