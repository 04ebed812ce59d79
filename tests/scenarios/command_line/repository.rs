//! `optimize-backup repository …`.

use backup_test_support::engine::Engine;
use backup_test_support::installation::unique_prefix;
use backup_test_support::repository::Repository;

use super::*;
use crate::on_every_engine;

on_every_engine!(repositories_are_registered_and_verified);

async fn repositories_are_registered_and_verified(distribution: Distribution) -> Result<()> {
    let engine = Engine::shared(distribution).await?;
    let name = unique_prefix();
    let options = options(&engine, &name, "optimize");
    let location = format!("location={name}");
    let register = ["repository", "register", "--type", "fs", "--setting", &location];
    let with = |more: &'static [&'static str]| [&register[..], more].concat();

    run_with(&options, &["repository", "verify"]).await?.expect(
        5,
        "",
        "register it with `optimize-backup repository register`",
    );
    let registered = run_with(&options, &register).await?;
    registered.expect(0, &format!("{name}\t"), "");
    assert_eq!(run_with(&options, &["repository", "verify"]).await?.output, registered.output);
    let json = run_with(&options, &["repository", "verify", &name, "--output", "json"]).await?;
    assert_eq!(serde_json::from_str::<Value>(&json.output)?["repository"], name.as_str());
    run_with(&options, &register).await?.expect(0, &name, "");

    // Nobody changes it by mistake.
    let different = run_with(&options, &with(&["--readonly"])).await?;
    different.expect(4, "", "readonly: not set → 'true'; give --yes to change it");
    assert_eq!(settings(&engine, &name).await?["readonly"], Value::Null);
    run_with(&options, &with(&["--readonly", "--yes"])).await?.expect(0, &name, "");
    assert_eq!(settings(&engine, &name).await?["readonly"], "true");

    // What the search engine says, and what to do.
    let elsewhere = "register --type fs --setting location=/nowhere/below/path.repo";
    for (arguments, code, words) in [
        (elsewhere, 5, "add the folder to path.repo"),
        ("register --type tape --setting location=here", 5, "install the plugin for that type"),
        ("register --type fs --setting location", 2, "KEY=VALUE"),
        ("register --type fs --setting location=a --setting location=b", 2, "given twice"),
        ("register", 2, "--type"),
    ] {
        let other = options.clone().env("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", &unique_prefix());
        let arguments: Vec<&str> = ["repository"].into_iter().chain(arguments.split(' ')).collect();
        run_with(&other, &arguments).await?.expect(code, "", words);
    }
    let unnamed = options.clone().env("CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME", "");
    run_with(&unnamed, &["repository", "verify"]).await?.expect(5, "", "CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME");
    let [_, port] = crate::fixture::address_variables(engine.kind());
    run_with(&options.env(port, "1"), &register).await?.expect(6, "", "connection refused");
    Ok(())
}

async fn settings(engine: &Engine, name: &str) -> Result<Value> {
    let mut body = engine.client().get(&format!("/_snapshot/{name}")).await?.ok()?;
    Ok(body[name]["settings"].take())
}

on_elasticsearch!(a_storage_that_cannot_be_written_to_is_told);

async fn a_storage_that_cannot_be_written_to_is_told(distribution: Distribution) -> Result<()> {
    let engine = Engine::shared_own(distribution).await?;
    let repository = Repository::register(&engine).await?;
    fs::remove_dir_all(repository.folder()?)?;
    fs::write(repository.folder()?, "a file")?;
    let options = options(&engine, repository.name(), "optimize");
    let ended = run_with(&options, &["repository", "verify"]).await?;
    ended.expect(5, "", "not every node of the search engine can write to it");
    assert_eq!(ended.errors.lines().count(), 1, "{}", ended.errors);
    Ok(())
}
