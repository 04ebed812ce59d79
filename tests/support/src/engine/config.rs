//! The files that an engine is configured by.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use super::distribution::{Distribution, Kind};
use super::security;

/// Small, quick to start, and nothing outside the engine's own folder.
const JVM_OPTIONS: &str = "\
-Xms512m
-Xmx512m
-XX:+UseSerialGC
";

/// OpenSearch 2 sandboxes itself with Java's security manager.
const OPENSEARCH_2_JVM_OPTIONS: &str = "\
18-:-Djava.security.manager=allow
-Djava.util.concurrent.ForkJoinPool.common.threadFactory=org.opensearch.secure_sm.SecuredForkJoinWorkerThreadFactory
";

/// OpenSearch 3 has an agent for that, in its own folder, where its launcher goes to.
const OPENSEARCH_JVM_OPTIONS: &str = "\
-javaagent:agent/opensearch-agent.jar
";

/// One line an event, on the console only.
const LOGGING: &str = "\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
";

/// The name of the folder with the configuration, in the engine's folder.
pub(crate) const FOLDER: &str = "config";
/// The name of the folder below which every repository has its own.
pub(crate) const REPOSITORIES: &str = "repositories";
/// The name of the folder for temporary files.
pub(crate) const TEMPORARY: &str = "tmp";

/// Writes the configuration of an engine that lives in `folder`. Port 0: any that is free.
pub(crate) fn write(distribution: Distribution, folder: &Path, port: u16, secured: bool) -> Result<()> {
    let config = folder.join(FOLDER);
    let name = distribution.kind.name();
    fs::write(config.join(format!("{name}.yml")), settings(distribution, folder, port, secured)?)?;
    fs::write(config.join("log4j2.properties"), LOGGING)?;
    let mut options = String::from(JVM_OPTIONS);
    writeln!(options, "-Djava.io.tmpdir={}", folder.join(TEMPORARY).display())?;
    options.push_str(match (distribution.kind, distribution.major()) {
        (Kind::Elasticsearch, _) => "",
        (Kind::OpenSearch, ..3) => OPENSEARCH_2_JVM_OPTIONS,
        (Kind::OpenSearch, _) => OPENSEARCH_JVM_OPTIONS,
    });
    fs::write(config.join("jvm.options"), options)?;
    Ok(())
}

/// JSON, which is YAML too and has no quoting to get wrong.
fn settings(distribution: Distribution, folder: &Path, port: u16, secured: bool) -> Result<String> {
    let common = json!({
        "path.data": folder.join("data"),
        "path.logs": folder.join("logs"),
        "path.repo": [folder.join(REPOSITORIES)],
        // Only one address: with any free port, each address would get another one.
        "network.host": "127.0.0.1",
        "http.port": port,
        "transport.port": 0,
        "discovery.type": "single-node",
        // A full disk of the machine is no reason to refuse a test's few kilobytes.
        "cluster.routing.allocation.disk.threshold_enabled": false,
        // An installation has about thirty indices, and a shared engine serves all tests of a file.
        "cluster.max_shards_per_node": 20_000,
        // By default half of the processors: on a small machine one throttled snapshot would hold up
        // those of all other tests.
        "thread_pool.snapshot.max": 16,
    });
    let mut settings: BTreeMap<String, Value> = serde_json::from_value(common)?;
    match distribution.kind {
        Kind::Elasticsearch => {
            settings.insert("xpack.security.enabled".to_owned(), json!(secured));
        }
        Kind::OpenSearch if secured => {
            settings.extend(security::opensearch_settings().map(|(name, value)| (name.to_owned(), value)));
        }
        Kind::OpenSearch => {}
    }
    Ok(serde_json::to_string_pretty(&settings)?)
}
