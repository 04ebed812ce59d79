//! What every example is tried on.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use backup_test_support::contents::dump;
use backup_test_support::engine::Distribution;
use backup_test_support::fixture;
use backup_test_support::installation::part;
use optimize_backup::sandbox::EMBEDDED;
use serde_json::json;
use tempfile::TempDir;

use crate::example::Example;

/// The fixture of all tests on real engines, and the policy that the host serves, in a file.
pub(crate) struct Fixture {
    on: fixture::Fixture,
    folder: TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Result<Self> {
        Self::with(fixture::Fixture::new(Distribution::ELASTICSEARCH).await?)
    }

    /// The same, in which part 1 takes some seconds.
    pub(crate) async fn slow() -> Result<Self> {
        Self::with(fixture::Fixture::slow(Distribution::ELASTICSEARCH).await?)
    }

    fn with(on: fixture::Fixture) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("policy.wasm"), EMBEDDED)?;
        Ok(Self { on, folder })
    }

    /// The component.
    pub(crate) fn policy(&self) -> PathBuf {
        self.folder.path().join("policy.wasm")
    }

    /// Makes, shows and deletes backups, and looks at the repository in between.
    pub(crate) async fn try_out(&self, example: &Example) -> Result<()> {
        let (one, two) = (part(7, 1), part(7, 2));
        let complete = |id| format!("complete {id}: {}, {}", part(id, 1), part(id, 2));
        let said = self.run(example, &["create", "7"])?;
        assert_eq!(said.first(), Some(&format!("accepted 7: {one}")), "{said:?}");
        assert_eq!(said.last(), Some(&complete(7)), "{said:?}");
        assert_eq!(self.on.repository.snapshots().await?, [one.clone(), two.clone()]);

        let refusal = example.fail(&["create", "7"], &self.settings(self.url()))?;
        assert!(refusal.contains("backupAlreadyExists"), "{refusal}");
        assert_eq!(self.run(example, &["advance", "7"])?, [complete(7)], "nothing is left to do");
        assert_eq!(self.run(example, &["get", "7"])?, [complete(7)]);
        self.run(example, &["create", "8"])?;
        assert_eq!(self.run(example, &["list"])?, [complete(8), complete(7)]);

        assert_eq!(self.run(example, &["delete", "7"])?, [format!("deleted 7: {one}, {two}")]);
        assert_eq!(self.on.repository.snapshots().await?, [part(8, 1), part(8, 2)]);
        let refusal = example.fail(&["get", "7"], &self.settings(self.url()))?;
        assert!(refusal.contains("backupNotFound"), "{refusal}");
        self.without_an_engine(example)
    }

    /// Begins a backup in one host, which is killed, and lets another one finish it.
    pub(crate) async fn hand_over(&self, first: &Example, second: &Example) -> Result<()> {
        let line = first.kill_after_a_line(&["create", "7"], &self.settings(self.url()))?;
        assert_eq!(line, format!("accepted 7: {}\n", part(7, 1)));
        assert_eq!(self.on.repository.snapshots().await?, [part(7, 1)]);
        let said = self.run(second, &["advance", "7"])?;
        assert_eq!(said.last(), Some(&format!("complete 7: {}, {}", part(7, 1), part(7, 2))), "{said:?}");
        assert_eq!(self.on.repository.snapshots().await?, [part(7, 1), part(7, 2)]);
        Ok(())
    }

    /// Restores a backup after some of its indices were deleted and others changed.
    pub(crate) async fn restore(&self, example: &Example) -> Result<()> {
        let client = self.on.engine.client();
        let (import, others) = (self.on.installation.import_indices(), self.on.installation.other_indices());
        let (changed, deleted) = (import.first().context("an index")?, others.first().context("an index")?);
        let (before, before_of_deleted) = (dump(client, changed).await?, dump(client, deleted).await?);
        self.run(example, &["create", "7"])?;
        client.put(&format!("/{changed}/_doc/later?refresh=true"), &json!({"added": "later"})).await?.ok()?;
        client.delete(&format!("/{deleted}")).await?.ok()?;

        let plan = self.run(example, &["plan", "7"])?;
        assert!(plan.contains(&format!("replaced {changed}")), "{plan:?}");
        assert!(plan.contains(&format!("restored {deleted}")), "{plan:?}");
        assert_ne!(dump(client, changed).await?, before, "a plan changes nothing");

        let said = self.run(example, &["restore", "7"])?;
        let end = said.last().context("an end")?;
        assert!(end.starts_with("restored 7: ") && end.contains("start Optimize 8.6.0"), "{said:?}");
        assert_eq!(dump(client, changed).await?, before);
        assert_eq!(dump(client, deleted).await?, before_of_deleted);
        let refusal = example.fail(&["restore", "8"], &self.settings(self.url()))?;
        assert!(refusal.contains("backupNotFound"), "{refusal}");
        Ok(())
    }

    /// Every command says so if there is no Elasticsearch.
    fn without_an_engine(&self, example: &Example) -> Result<()> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        for command in [["create", "9"].as_slice(), &["list"], &["delete", "9"]] {
            let refusal = example.fail(command, &self.settings(&format!("http://{address}")))?;
            assert!(refusal.contains("engineUnreachable"), "{command:?}: {refusal}");
        }
        Ok(())
    }

    fn run(&self, example: &Example, command: &[&str]) -> Result<Vec<String>> {
        let said = example.succeed(command, &self.settings(self.url()))?;
        ensure!(!said.is_empty(), "{command:?} says nothing");
        Ok(said.lines().map(str::to_owned).collect())
    }

    fn url(&self) -> &str {
        self.on.engine.client().url().as_str()
    }

    fn settings<'a>(&'a self, url: &'a str) -> [(&'static str, &'a str); 3] {
        [
            ("ELASTICSEARCH_URL", url),
            ("BACKUP_REPOSITORY", self.on.repository.name()),
            ("INDEX_PREFIX", self.on.installation.prefix()),
        ]
    }
}
