//! `optimize-backup doctor`.

use std::net::{Ipv4Addr, TcpListener};

use backup_test_support::engine::Engine;
use backup_test_support::installation::{Installation, unique_prefix};
use backup_test_support::repository::Repository;
use serde_json::json;

use super::*;
use crate::fixture::address_variables;
use crate::on_every_engine;
use crate::restore::each_privilege_of_a_restore_is_needed;
use crate::secured::Authority;

on_every_engine!(a_sound_installation_has_no_fault);

on_elasticsearch!(what_is_wrong_is_named_with_what_to_do);

/// What it found, by the names of the checks.
struct Examined {
    code: Option<i32>,
    report: Value,
}

impl Examined {
    /// A check ended in this way, with these words.
    #[track_caller]
    fn expect(&self, name: &str, outcome: &str, words: &[&str]) {
        let check = &self.report[name];
        let text = format!("{}\n{}", check["found"].as_str().unwrap(), check["advice"].as_str().unwrap_or_default());
        assert_eq!(check["outcome"], outcome, "{name}: {text}");
        for words in words {
            assert!(text.contains(words), "{name}: no '{words}' in {text}");
        }
    }

    /// The checks that have found a fault.
    fn faults(&self) -> Vec<&str> {
        let checks = self.report.as_object().unwrap().iter();
        checks.filter(|(_, check)| check["outcome"] == "fault").map(|(name, _)| name.as_str()).collect()
    }
}

async fn examine(options: &HostOptions) -> Result<Examined> {
    let ended = run_with(options, &["doctor", "--output", "json"]).await?;
    assert_eq!(ended.errors, "");
    let report: Value = serde_json::from_str(&ended.output)?;
    let checks = report["checks"].as_array().context("checks")?.iter();
    let by_name = checks.map(|check| (check["name"].as_str().unwrap().to_owned(), check.clone())).collect();
    Ok(Examined { code: ended.code, report: Value::Object(by_name) })
}

async fn a_sound_installation_has_no_fault(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let host = fixture.host().await?;
    host.create(7).await?;
    host.wait_for_state(7, "COMPLETE").await?;
    fixture.write_snapshot("camunda_optimize_nightly", &[], false).await?;
    let before = fixture.repository.snapshots().await?;
    let port = host.url().port().context("the port")?.to_string();
    let options = fixture.options().env("CAMUNDA_OPTIMIZE_CONTAINER_PORTS_ACTUATOR", &port);

    let examined = examine(&options.clone().env("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORYNAME", "x")).await?;
    assert_eq!(examined.code, Some(0), "{}", examined.report);
    let prefix = fixture.installation.prefix();
    examined.expect(
        "settings",
        "warning",
        &[prefix, "CAMUNDA_OPTIMIZE_BACKUP_REPOSITORYNAME (is CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME meant?)"],
    );
    examined.expect("engine", "ok", &[distribution.version]);
    examined.expect("privileges", "ok", &["all reads are allowed"]);
    examined.expect("repository", "ok", &[fixture.repository.name(), "type fs"]);
    examined.expect("storage", "ok", &["each node wrote a test file to it and read it: "]);
    examined.expect("backups", "ok", &["1 COMPLETE, the newest COMPLETE is 7; snapshots of others: 1"]);
    examined.expect("indices", "ok", &[" in part 1, ", prefix]);
    examined.expect("version", "ok", &["Optimize 8."]);
    examined.expect("clock", "ok", &[]);
    examined.expect("policy", "ok", &["embedded", "passes the self-test"]);
    examined.expect("tls", "ok", &["off"]);
    examined.expect("port", "ok", &["is taken by optimize-backup"]);
    assert_eq!(fixture.repository.snapshots().await?, before);

    let lines = run_with(&options, &["doctor"]).await?;
    lines.expect(0, "clock\tok\tit agrees with the search engine's\t-\n", "");
    assert_eq!(lines.output.lines().count(), 13, "{}", lines.output);

    for index in [fixture.installation.import_indices(), fixture.installation.other_indices()].concat() {
        fixture.engine.client().delete(&format!("/{index}")).await?.ok()?;
    }
    let lost = examine(&options).await?;
    lost.expect(
        "indices",
        "fault",
        &["nothing to back up", "if they are lost, `optimize-backup backup restore 7 --dry-run`"],
    );
    Ok(())
}

/// Five things in turn, then each privilege: an engine with security takes its time to start.
async fn what_is_wrong_is_named_with_what_to_do(distribution: Distribution) -> Result<()> {
    const PASSWORD: &str = "a password";
    let engine = Engine::start_secured(distribution, PASSWORD).await?;
    let repository = Repository::register(&engine).await?;
    let installation = Installation::minimal(&engine, &unique_prefix()).await?;
    let options = options(&engine, repository.name(), installation.prefix())
        .env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_USERNAME", "elastic")
        .env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD", PASSWORD);
    let sound = examine(&options).await?;
    assert_eq!((sound.code, sound.faults()), (Some(0), vec![]), "{}", sound.report);
    sound.expect("user", "ok", &["elastic, roles: superuser"]);

    five_things_are_wrong(&engine, &options, installation.prefix()).await?;
    each_privilege_is_missing(&engine, &options, installation.prefix()).await?;
    each_privilege_of_a_restore_is_needed(&engine, &options, &installation).await
}

async fn five_things_are_wrong(engine: &Engine, options: &HostOptions, prefix: &str) -> Result<()> {
    let wrong = async |variable: &str, value: &str| examine(&options.clone().env(variable, value)).await;

    let password = wrong("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD", "never-shown").await?;
    assert_eq!((password.code, password.faults()), (Some(5), vec!["user"]));
    password.expect(
        "user",
        "fault",
        &["'elastic'", "401", "es.security.password (CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD)"],
    );
    password.expect("repository", "notChecked", &["not checked: the search engine cannot be asked"]);
    assert!(!password.report.to_string().contains("never-shown"), "{}", password.report);

    let repository = wrong("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", "not-there").await?;
    assert_eq!((repository.code, repository.faults()), (Some(5), vec!["repository"]));
    repository.expect("repository", "fault", &["'not-there'", "`optimize-backup repository register"]);
    repository.expect("storage", "notChecked", &[]);

    let other = wrong("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SETTINGS_INDEX_PREFIX", "optimise").await?;
    assert_eq!((other.code, other.faults()), (Some(5), vec!["indices", "version"]));
    other.expect("indices", "fault", &["'optimise-'", "es.settings.index.prefix", &format!("'{prefix}'")]);

    let taken = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let port = taken.local_addr()?.port().to_string();
    let taken = wrong("CAMUNDA_OPTIMIZE_CONTAINER_PORTS_ACTUATOR", &port).await?;
    assert_eq!((taken.code, taken.faults()), (Some(1), vec!["port"]));
    taken.expect("port", "fault", &["is taken by another program", "container.ports.actuator"]);

    let (ours, unknown) = (Authority::new()?, Authority::new()?);
    let [_, port] = address_variables(engine.kind());
    let tls = options
        .clone()
        .env(port, &ours.serve(engine, 2090).await?.port().to_string())
        .env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SSL_ENABLED", "true");
    let trusting = |authority: &Authority| {
        let file = authority.file.path().display().to_string();
        tls.clone().env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_SSL_CERTIFICATE_AUTHORITIES", &file)
    };
    assert_eq!(examine(&trusting(&ours)).await?.faults(), [""; 0]);
    let certificate = examine(&trusting(&unknown)).await?;
    assert_eq!((certificate.code, certificate.faults()), (Some(1), vec!["engine"]));
    certificate.expect("engine", "fault", &["its certificate is not trusted", "security.ssl.certificate_authorities"]);
    Ok(())
}

/// The role of docs/reference/privileges.md, and the same without each privilege in turn.
async fn each_privilege_is_missing(engine: &Engine, options: &HostOptions, prefix: &str) -> Result<()> {
    const CLUSTER: [&str; 3] = ["monitor", "create_snapshot", "cluster:admin/snapshot/delete"];
    const INDICES: [&str; 2] = ["view_index_metadata", "read"];
    let role = |missing: &str| {
        let granted =
            |all: &[&str]| all.iter().filter(|name| **name != missing).map(|name| json!(name)).collect::<Value>();
        let indices = json!([{"names": [format!("{prefix}-*")], "privileges": granted(&INDICES)}]);
        json!({"cluster": granted(&CLUSTER), "indices": indices})
    };
    let names: Vec<(String, &str)> = ["nothing"]
        .into_iter()
        .chain(CLUSTER)
        .chain(INDICES)
        .enumerate()
        .map(|(number, missing)| (format!("user{number}"), missing))
        .collect();
    let users: Vec<(&str, Value)> = names.iter().map(|(name, missing)| (name.as_str(), role(missing))).collect();
    let password = engine.add_users(&users).await?;
    for (user, missing) in &names {
        let options = options
            .clone()
            .env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_USERNAME", user)
            .env("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD", password);
        let examined = examine(&options).await?;
        if *missing == "nothing" {
            assert_eq!((examined.code, examined.faults()), (Some(0), vec![]), "{}", examined.report);
            examined.expect("storage", "warning", &["cluster:admin/repository/verify"]);
            for arguments in [&["create", "7"][..], &["delete", "7", "--yes"]] {
                run_with(&options, &[&["backup", "--local"], arguments].concat()).await?.expect(0, "7", "");
            }
            continue;
        }
        assert_eq!(examined.code, Some(5), "{}", examined.report);
        examined.expect("privileges", "fault", &[missing, "docs/reference/privileges.md"]);
    }
    Ok(())
}
