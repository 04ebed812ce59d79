use std::collections::BTreeMap;
use std::time::Duration;

use backup_core::memory::{Dialect, StoredIndex};
use backup_core::operations::restore;
use backup_core::restore::{
    FindingCode, IndexWrites, Restore, RestoreOptions, RestorePlan, RestoreRun, RestoreState, RestoreStep,
};
use backup_core::{BackupState, Engine, Error, IndexPrefix, Request};
use serde_json::json;

use crate::fixture::{Fixture, IMPORT_INDICES, OTHER_INDICES, VERSION};

pub(crate) const ID: u64 = 7;

/// Indices of others, beside those of the fixture.
pub(crate) const OF_OTHERS: [&str; 4] =
    ["operate-list-view-8.3.0_", "optimizer-settings_v1", ".security-7", "optimize-eu-settings_v3"];

/// An installation with a backup, whose data has changed since then.
pub(crate) fn changed(dialect: Dialect) -> Fixture {
    let fixture = backed_up(dialect);
    for index in IMPORT_INDICES.iter().chain(&OTHER_INDICES) {
        fixture.engine.set_document(index, Some(json!({"of": "later", "schemaVersion": VERSION})));
    }
    fixture.engine.remove_index(OTHER_INDICES[2]);
    fixture
}

/// An installation with documents, a neighbour with a nested prefix, and a backup.
pub(crate) fn backed_up(dialect: Dialect) -> Fixture {
    let fixture = Fixture::new(dialect);
    for index in IMPORT_INDICES.iter().chain(&OTHER_INDICES).filter(|index| !index.contains("metadata")) {
        fixture.engine.set_document(index, Some(json!({"of": index})));
    }
    for name in ["metadata_v3", "settings_v3", "timestamp-based-import-index_v5"] {
        fixture.engine.set_document(&format!("optimize-eu-{name}"), Some(json!({"of": "eu"})));
    }
    fixture.engine.change_index(OTHER_INDICES[2], |index| index.blocks.push("index.blocks.write".to_owned()));
    fixture.create(ID, "run").unwrap();
    assert_eq!(fixture.drive(ID).state, BackupState::Complete);
    fixture.engine.change_index(OTHER_INDICES[2], |index| index.blocks.clear());
    fixture
}

impl Fixture {
    pub(crate) fn look(
        &self,
        engine: &impl Engine,
        options: &RestoreOptions,
        writes: Option<&[IndexWrites]>,
    ) -> Result<RestorePlan, Error> {
        restore::plan(engine, &self.context("unused"), &ID.to_string(), options, writes)
    }

    /// The plan, after the second look if the first asks for one.
    pub(crate) fn plan_with(&self, options: &RestoreOptions) -> RestorePlan {
        let first = self.look(&self.engine, options, None).unwrap();
        match first.again_in {
            None => first,
            Some(delay) => {
                self.engine.pass(delay);
                self.look(&self.engine, options, Some(&first.writes)).unwrap()
            }
        }
    }

    pub(crate) fn plan(&self) -> RestorePlan {
        self.plan_with(&RestoreOptions::default())
    }

    pub(crate) fn step(&self, run: &RestoreRun) -> Result<RestoreStep, Error> {
        restore::advance(&self.engine, &self.context("unused"), run)
    }

    /// Takes steps until one has deleted something.
    pub(crate) fn delete_first(&self, run: &RestoreRun) {
        while run.indices.iter().all(|index| index.replaces.is_none() || self.exists(&index.target)) {
            self.step(run).unwrap();
        }
    }

    fn exists(&self, index: &str) -> bool {
        self.engine.indices().contains_key(index)
    }

    /// Takes steps until part 1 is there and noted.
    pub(crate) fn restore_part_one(&self, run: &RestoreRun) {
        let is_noted = |index: &&str| self.engine.mark_of(index).is_some_and(|mark| mark.ends_with(".restored"));
        while !IMPORT_INDICES.iter().all(&is_noted) {
            let delay = self.step(run).unwrap().again_in.unwrap();
            self.engine.pass(delay);
        }
    }

    /// Takes steps until the run ends.
    pub(crate) fn run(&self, run: &RestoreRun) -> Restore {
        for _ in 0..200 {
            match self.step(run).unwrap() {
                RestoreStep { again_in: Some(delay), .. } => self.engine.pass(delay),
                RestoreStep { restore, .. } => return restore,
            }
        }
        panic!("the restore does not end");
    }

    /// Plans and restores, as a host does.
    pub(crate) fn restore(&self) -> Restore {
        let plan = self.plan();
        self.run(&plan.run.unwrap_or_else(|| panic!("{:?}", plan.findings)))
    }

    pub(crate) fn standing(&self) -> Restore {
        restore::get(&self.engine, &self.context("unused"), &ID.to_string(), None).unwrap()
    }

    /// What is in the indices.
    pub(crate) fn contents(&self) -> BTreeMap<String, StoredIndex> {
        self.engine.indices().into_iter().map(|(name, (_, stored))| (name, stored)).collect()
    }

    /// The indices of others with their identities.
    pub(crate) fn of_others(&self) -> BTreeMap<String, (String, StoredIndex)> {
        let mut indices = self.engine.indices();
        indices.retain(|name, _| OF_OTHERS.contains(&name.as_str()) || name.starts_with("optimize-eu-"));
        indices
    }

    pub(crate) fn restoring_takes(&self, millis: u64) {
        self.engine.restore_within(Duration::from_millis(millis));
    }
}

/// It asks for a restore under a name that no index can have.
pub(crate) fn is_probe(request: &Request) -> bool {
    request.body.as_deref().is_some_and(|body| body.contains("#NOT-RESTORED-"))
}

pub(crate) fn codes(plan: &RestorePlan) -> Vec<FindingCode> {
    plan.findings.iter().map(|finding| finding.code).collect()
}

pub(crate) fn renamed(prefix: &str) -> RestoreOptions {
    RestoreOptions { rename_prefix: Some(IndexPrefix::parse(prefix).unwrap()), overridden: Vec::new() }
}

pub(crate) fn overriding(code: FindingCode) -> RestoreOptions {
    RestoreOptions { rename_prefix: None, overridden: vec![code.as_str().to_owned()] }
}

pub(crate) fn assert_complete(restore: &Restore) {
    assert_eq!(restore.state, RestoreState::Complete, "{restore:#?}");
}
