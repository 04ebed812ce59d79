//! Two installations of Optimize in one cluster and one repository.

use std::cell::RefCell;

use backup_core::memory::{Damage, Dialect, Intercepted};
use backup_core::operations::{self, Accepted, BackupList, Deleted, Step};
use backup_core::{
    Backup, BackupId, BackupState, Context, Error, ErrorKind, IndexPrefix, ListQuery, OptimizeVersion, Origin,
    PageLimit, Part, Request, SnapshotState,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixture::{Fixture, IMPORT_INDICES, OTHER_INDICES, REPOSITORY, is_write, on_every_engine, part};

/// Its prefix begins with that of the fixture's installation.
const TEAM: &str = "optimize-team-b";
/// A version whose names of snapshots differ from the fixture's.
const OTHER_VERSION: &str = "8.7.0";

fn team_indices(of: &[&str]) -> Vec<String> {
    of.iter().map(|index| index.replacen("optimize", TEAM, 1)).collect()
}

/// The fixture's installation, and a second one.
fn on_every_engine_with_a_team(test: impl Fn(&Fixture, &Server<'_>)) {
    on_every_engine(|fixture| test(fixture, &Server::of_team(fixture)));
}

/// A server of one installation.
struct Server<'a> {
    fixture: &'a Fixture,
    prefix: &'static str,
    version: &'static str,
}

impl<'a> Server<'a> {
    fn of_team(fixture: &'a Fixture) -> Self {
        [&IMPORT_INDICES[..], &OTHER_INDICES].iter().flat_map(|of| team_indices(of)).for_each(|index| {
            fixture.engine.add_index(&index);
        });
        Self { fixture, prefix: TEAM, version: crate::fixture::VERSION }
    }

    fn context(&self, run_id: &str) -> Context {
        let mut context = self.fixture.context(run_id);
        context.settings.index_prefix = IndexPrefix::parse(self.prefix).unwrap();
        context.settings.optimize_version = OptimizeVersion::parse(self.version).ok();
        context
    }

    fn create(&self, id: u64, run_id: &str) -> Result<Accepted, Error> {
        operations::create(&self.fixture.engine, &self.context(run_id), &id.to_string())
    }

    fn advance(&self, id: u64) -> Result<Step, Error> {
        operations::advance(&self.fixture.engine, &self.context("-"), BackupId::new(id).unwrap())
    }

    fn get(&self, id: u64) -> Result<Backup, Error> {
        operations::get(&self.fixture.engine, &self.context("-"), &id.to_string())
    }

    fn list(&self) -> BackupList {
        operations::list(&self.fixture.engine, &self.context("-"), &ListQuery::default()).unwrap()
    }

    fn delete(&self, id: u64, only_runs: Option<&[String]>) -> Result<Deleted, Error> {
        operations::delete(&self.fixture.engine, &self.context("-"), &id.to_string(), only_runs)
    }

    fn complete(&self, id: u64, run_id: &str) {
        self.create(id, run_id).unwrap();
        self.fixture.engine.finish(&part(id, 1), SnapshotState::Success);
        self.advance(id).unwrap();
        self.fixture.engine.finish(&part(id, 2), SnapshotState::Success);
    }

    /// A snapshot that its run has written.
    fn store(&self, id: u64, number: u8, state: SnapshotState) {
        let of = if number == 1 { Part::One } else { Part::Two };
        let origin = Origin::new("run-of-team", of, &self.context("-"));
        let name = part(id, number).replace(crate::fixture::VERSION, self.version);
        self.fixture.store_foreign(&name, state);
        self.fixture.set_metadata(&name, &json!({"optimizeBackup": origin}));
    }
}

impl Fixture {
    fn set_metadata(&self, name: &str, metadata: &Value) {
        let mut snapshot = self.snapshots().into_iter().find(|snapshot| snapshot.name == name).unwrap();
        self.delete_behind_our_back(name);
        snapshot.metadata = Some(metadata.clone());
        self.engine.store(REPOSITORY, snapshot);
    }
}

fn refused<T>(outcome: Result<T, Error>, kind: ErrorKind, code: &str) {
    let Err(error) = outcome else { panic!("it was not refused") };
    assert_eq!((error.kind(), error.code()), (kind, code), "{error}");
    assert!(error.to_string().contains(TEAM), "{error}");
}

#[test]
fn each_has_its_own_backups_and_leaves_the_others_alone() {
    on_every_engine_with_a_team(|fixture, team| {
        team.complete(7, "run-1");
        fixture.create(8, "run-2").unwrap();
        let before = fixture.snapshots();
        let writes = fixture.writes().len();

        let list = fixture.list().unwrap();
        assert_eq!(list.backups.iter().map(|backup| backup.id.get()).collect::<Vec<_>>(), [8]);
        assert_eq!(list.foreign, 2);
        refused(fixture.get(7), ErrorKind::NotFound, "backupNotFound");
        refused(fixture.advance(7), ErrorKind::NotFound, "backupNotFound");
        refused(fixture.create(7, "run-3"), ErrorKind::Conflict, "backupAlreadyExists");
        refused(fixture.delete(7, None), ErrorKind::Conflict, "backupOfAnotherInstallation");
        assert_eq!(fixture.delete(7, Some(&["run-1".to_owned()])).unwrap().snapshots, Vec::<String>::new());
        assert_eq!((fixture.snapshots(), fixture.writes().len()), (before, writes));

        let list = team.list();
        assert_eq!(
            list.backups.iter().map(|found| (found.id.get(), found.state)).collect::<Vec<_>>(),
            [(7, BackupState::Complete)]
        );
        assert_eq!(team.delete(7, None).unwrap().snapshots, [part(7, 1), part(7, 2)]);
        assert_eq!(fixture.names(), [part(8, 1)]);
    });
}

#[test]
fn each_has_its_own_indices() {
    on_every_engine_with_a_team(|fixture, team| {
        team.complete(7, "run-1");
        fixture.create(8, "run-2").unwrap();
        fixture.drive(8);
        let indices: Vec<Vec<String>> = fixture.snapshots().into_iter().map(|snapshot| snapshot.indices).collect();
        let own = [IMPORT_INDICES.map(str::to_owned).to_vec(), OTHER_INDICES.map(str::to_owned).to_vec()];
        assert_eq!(indices, [&[team_indices(&IMPORT_INDICES), team_indices(&OTHER_INDICES)], &own[..]].concat());
    });
}

/// The engine accepts one of them, since the names are the same.
#[test]
fn the_slower_one_learns_whose_the_id_is() {
    on_every_engine_with_a_team(|fixture, team| {
        let engine = Intercepted::new(&fixture.engine, |request| {
            if is_write(request) {
                team.create(7, "run-of-team").unwrap();
            }
            None
        });
        let outcome = operations::create(&engine, &fixture.context("run-1"), "7");
        refused(outcome, ErrorKind::Conflict, "backupAlreadyExists");
        assert!(team.get(7).is_ok());
    });
}

#[test]
fn what_is_unreadable_beside_anothers_is_anothers() {
    for damage in [Damage::Missing, Damage::Unreadable] {
        on_every_engine_with_a_team(|fixture, team| {
            team.complete(7, "run-1");
            fixture.engine.damage(&part(7, 1), Some(damage));
            refused(fixture.get(7), ErrorKind::NotFound, "backupNotFound");
            refused(fixture.delete(7, None), ErrorKind::Conflict, "backupOfAnotherInstallation");
            assert!(fixture.list().unwrap().backups.is_empty());
            assert_eq!(team.get(7).unwrap().state, BackupState::Failed);
            assert_eq!(team.delete(7, None).unwrap().snapshots.len(), 2);
        });
    }
}

/// Their indices tell it. A storage that is away for a moment makes all of them unreadable.
#[test]
fn what_is_unreadable_as_a_whole_is_not_everybodys() {
    for damage in [Damage::Missing, Damage::Unreadable] {
        on_every_engine_with_a_team(|fixture, team| {
            team.complete(7, "run-1");
            fixture.create(8, "run-2").unwrap();
            fixture.drive(8);
            [part(7, 1), part(7, 2), part(8, 1), part(8, 2)].iter().for_each(|name| {
                fixture.engine.damage(name, Some(damage));
            });
            refused(fixture.get(7), ErrorKind::NotFound, "backupNotFound");
            refused(fixture.delete(7, None), ErrorKind::Conflict, "backupOfAnotherInstallation");
            assert_eq!((fixture.get(8).unwrap().state, fixture.names().len()), (BackupState::Failed, 4));
            assert_eq!(fixture.delete(8, None).unwrap().snapshots.len(), 2);
            assert_eq!(team.delete(7, None).unwrap().snapshots.len(), 2);
        });
    }
}

/// It is cut into pages before the metadata is read.
#[test]
fn names_alone_do_not_tell_whose_a_backup_is() {
    on_every_engine_with_a_team(|fixture, team| {
        team.complete(7, "run-1");
        fixture.create(8, "run-2").unwrap();
        fixture.drive(8);
        team.create(9, "run-3").unwrap();
        let ids = |query: &ListQuery| {
            let list = fixture.list_of(query).unwrap();
            (list.backups.iter().map(|backup| backup.id.get()).collect::<Vec<_>>(), list.foreign)
        };
        assert_eq!(ids(&ListQuery::default()), (vec![8], 3));
        assert_eq!(ids(&ListQuery { verbose: false, ..ListQuery::default() }), (vec![8, 7], 1));
        let first = ListQuery { limit: PageLimit::parse("1").ok(), ..ListQuery::default() };
        assert_eq!(ids(&first), (vec![], 1));
    });
}

/// Optimize's own snapshots have no metadata.
#[test]
fn what_tells_no_installation_is_everybodys() {
    let none =
        [json!({}), json!({"optimizeBackup": {"runId": "r", "part": 1, "parts": 2, "host": "h", "policy": "p"}})];
    for metadata in none {
        on_every_engine_with_a_team(|fixture, team| {
            fixture.store_foreign(&part(7, 1), SnapshotState::Success);
            fixture.set_metadata(&part(7, 1), &metadata);
            assert!(fixture.get(7).is_ok() && team.get(7).is_ok());
            assert_eq!((fixture.list().unwrap().backups.len(), team.list().backups.len()), (1, 1));
            assert_eq!(team.delete(7, None).unwrap().snapshots, [part(7, 1)]);
        });
    }
}

/// Servers of different versions can take one ID at the same moment: the names of their snapshots differ.
#[test]
fn an_id_of_both_is_failed_and_each_deletes_its_own() {
    on_every_engine_with_a_team(|fixture, team| {
        let team = Server { version: OTHER_VERSION, ..Server { fixture, ..*team } };
        let others = [1, 2].map(|number| part(7, number).replace(crate::fixture::VERSION, OTHER_VERSION));
        fixture.create(7, "run-1").unwrap();
        team.store(7, 1, SnapshotState::Success);
        fixture.finish(7, 1, SnapshotState::Success);
        fixture.store_foreign(&others[1], SnapshotState::Success);
        let writes = fixture.writes().len();

        let progress = fixture.advance(7).unwrap();
        assert_eq!((progress.again_in, fixture.writes().len()), (None, writes));
        let backup = fixture.get(7).unwrap();
        assert_eq!((backup.state, backup.snapshots.len()), (BackupState::Failed, 1));
        let reason = backup.failure_reason.as_deref().unwrap();
        assert!(reason.contains(TEAM) && reason.contains(&others[0]), "{reason}");
        assert_eq!(fixture.list().unwrap().backups, [backup]);
        assert_eq!(team.get(7).unwrap().state, BackupState::Failed);
        assert!(matches!(fixture.create(7, "run-2"), Err(Error::BackupExists { another: None, .. })));

        assert_eq!(fixture.delete(7, None).unwrap().snapshots, [part(7, 1)]);
        assert_eq!(fixture.names(), others);
        assert_eq!(team.delete(7, None).unwrap().snapshots, others);
    });
}

/// After a deletion the ID is free, also for the other installation.
#[test]
fn a_look_for_leftovers_spares_anothers_new_backup() {
    on_every_engine_with_a_team(|fixture, team| {
        fixture.store_foreign(&part(7, 1), SnapshotState::Success);
        let runs = fixture.delete(7, None).unwrap().runs;
        team.complete(7, "run-1");
        assert_eq!(fixture.delete(7, Some(&runs)).unwrap().snapshots, Vec::<String>::new());
        assert_eq!(fixture.names(), [part(7, 1), part(7, 2)]);
    });
}

/// What a server does, and how many requests later the other one does the next thing.
type Turn = (bool, Act, usize);

#[derive(Clone, Copy, Debug)]
enum Act {
    Create,
    Advance,
    Delete,
    Finish,
}

proptest! {
    #[test]
    fn nothing_of_anothers_is_written_or_deleted(
        turns in prop::collection::vec(
            (
                any::<bool>(),
                prop_oneof![Just(Act::Create), Just(Act::Advance), Just(Act::Delete), Just(Act::Finish)],
                0..6_usize,
            ),
            0..12,
        ),
        same_version in any::<bool>(),
    ) {
        let fixture = Fixture::new(Dialect::Elasticsearch8_19);
        let version = if same_version { crate::fixture::VERSION } else { OTHER_VERSION };
        let team = Server { version, ..Server::of_team(&fixture) };
        let own = Server { fixture: &fixture, prefix: "optimize", version: crate::fixture::VERSION };
        let turns = RefCell::new(turns);
        while play(&[own.by_ref(), team.by_ref()], &turns, Within::Nothing) {}
    }
}

impl Server<'_> {
    fn by_ref(&self) -> Server<'_> {
        Server { fixture: self.fixture, prefix: self.prefix, version: self.version }
    }
}

/// What is going on when a turn is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    /// No deletion here: engines write and delete by name, whoever has the name by then.
    AnotherTurn,
}

/// Takes the next turn, in the middle of which the one after it may be taken. `false`: there is none.
fn play(servers: &[Server<'_>; 2], turns: &RefCell<Vec<Turn>>, within: Within) -> bool {
    let Some((of_team, act, interrupted_at)) = turns.borrow_mut().pop() else { return false };
    let server = &servers[usize::from(of_team)];
    let sent = RefCell::new(0);
    let engine = Intercepted::new(&server.fixture.engine, |request| {
        *sent.borrow_mut() += 1;
        if *sent.borrow() == interrupted_at {
            play(servers, turns, Within::AnotherTurn);
        }
        expect_own(server, request);
        None
    });
    let _ = match act {
        Act::Create => operations::create(&engine, &server.context(server.prefix), "7").map(drop),
        Act::Advance => operations::advance(&engine, &server.context("-"), BackupId::new(7).unwrap()).map(drop),
        Act::Delete if within == Within::AnotherTurn => Ok(()),
        Act::Delete => operations::delete(&engine, &server.context("-"), "7", None).map(drop),
        Act::Finish => {
            let running = server.fixture.snapshots().into_iter().filter(|it| it.state == SnapshotState::InProgress);
            running.for_each(|snapshot| server.fixture.engine.finish(&snapshot.name, SnapshotState::Success));
            Ok(())
        }
    };
    true
}

/// A snapshot that is deleted is one's own, and so is the part 1 that a part 2 is added to.
fn expect_own(server: &Server<'_>, request: &Request) {
    let names = request.path.last().map(String::as_str).unwrap_or_default();
    let concerned: Vec<String> = match request.method {
        backup_core::Method::Get => return,
        backup_core::Method::Delete => names.split(',').map(str::to_owned).collect(),
        backup_core::Method::Put if names.contains("part_2") => vec![names.replace("part_2", "part_1")],
        backup_core::Method::Put | backup_core::Method::Post => return,
    };
    for stored in server.fixture.snapshots().iter().filter(|stored| concerned.contains(&stored.name)) {
        let of = stored.metadata.as_ref().unwrap().pointer("/optimizeBackup/indexPrefix");
        assert_eq!(of, Some(&json!(server.prefix)), "{request}");
    }
}
