//! Lists of a part of the backups, and lists without metadata, against the complete list.

use std::collections::BTreeMap;

use backup_core::memory::{Damage, Dialect, Intercepted, StoredSnapshot};
use backup_core::operations::{self, BackupList};
use backup_core::{Backup, BackupId, BackupState, IdPattern, ListQuery, PageLimit, Request, SnapshotState as S};
use proptest::prelude::*;
use serde_json::json;

use crate::fixture::{Fixture, REPOSITORY, on_every_engine, part};

const NAMES_ONLY: ListQuery = ListQuery { verbose: false, pattern: IdPattern::All, before: None, limit: None };

fn page(limit: u32) -> ListQuery {
    ListQuery { limit: PageLimit::new(limit), ..ListQuery::default() }
}

fn complete(fixture: &Fixture, ids: impl IntoIterator<Item = u64>) {
    for id in ids {
        fixture.store_ours(id, 1, S::Success, "run-1");
        fixture.store_ours(id, 2, S::Success, "run-1");
    }
}

fn ids(list: &BackupList) -> Vec<u64> {
    list.backups.iter().map(|backup| backup.id.get()).collect()
}

fn states(list: &BackupList) -> Vec<(u64, BackupState)> {
    list.backups.iter().map(|backup| (backup.id.get(), backup.state)).collect()
}

/// A backup in a repository, of each kind that there is.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Complete,
    Foreign,
    Gap,
    Running,
    PartOneAlone,
    PartTwoAlone,
    Partial,
    OtherVersions,
    OtherRuns,
    TooMany,
    Damaged(u8, Damage),
    FromTheFuture,
    OfAnotherInstallation,
}

impl Kind {
    fn any() -> impl Strategy<Value = Self> {
        use Kind as K;
        let damage = prop_oneof![Just(Damage::Missing), Just(Damage::Unreadable)];
        prop_oneof![
            4 => Just(K::Complete),
            1 => Just(K::Foreign),
            1 => Just(K::Gap),
            1 => Just(K::Running),
            1 => Just(K::PartOneAlone),
            1 => Just(K::PartTwoAlone),
            1 => Just(K::Partial),
            1 => Just(K::OtherVersions),
            1 => Just(K::OtherRuns),
            1 => Just(K::TooMany),
            2 => (1_u8..=2, damage).prop_map(|(part, damage)| K::Damaged(part, damage)),
            1 => Just(K::FromTheFuture),
            1 => Just(K::OfAnotherInstallation),
        ]
    }

    fn store(self, fixture: &Fixture, id: u64) {
        let ours = |number, state| fixture.store_ours(id, number, state, "run-1");
        match self {
            Self::Complete => complete(fixture, [id]),
            Self::Foreign => [1, 2].iter().for_each(|&number| fixture.store_foreign(&part(id, number), S::Success)),
            Self::Gap => ours(1, S::Success),
            Self::Running => {
                ours(1, S::Success);
                ours(2, S::InProgress);
            }
            Self::PartOneAlone => fixture.store_foreign(&part(id, 1), S::Success),
            Self::PartTwoAlone => ours(2, S::Success),
            Self::Partial => {
                ours(1, S::Success);
                ours(2, S::Partial);
            }
            Self::OtherVersions => {
                ours(1, S::Success);
                fixture.store_foreign(&format!("camunda_optimize_{id}_8.5.0_part_2_of_2"), S::Success);
            }
            Self::OtherRuns => {
                ours(1, S::Success);
                fixture.store_ours(id, 2, S::Success, "run-2");
            }
            Self::TooMany => {
                complete(fixture, [id]);
                fixture.store_foreign(&format!("camunda_optimize_{id}_8.5.0_part_1_of_2"), S::Success);
            }
            Self::Damaged(number, damage) => {
                complete(fixture, [id]);
                fixture.engine.damage(&part(id, number), Some(damage));
            }
            Self::FromTheFuture => [1, 2].iter().for_each(|&number| {
                let snapshot = StoredSnapshot::new(&part(id, number), S::Success, fixture.engine.now());
                fixture.engine.store(REPOSITORY, StoredSnapshot { version_id: Some(150_000_000), ..snapshot });
            }),
            Self::OfAnotherInstallation => [1, 2].iter().for_each(|&number| {
                let snapshot = StoredSnapshot::new(&part(id, number), S::Success, fixture.engine.now());
                let origin = json!({"runId": "run-1", "part": number, "parts": 2, "host": "-", "indexPrefix": "team", "policy": "-"});
                let metadata = Some(json!({"optimizeBackup": origin}));
                fixture.engine.store(REPOSITORY, StoredSnapshot { metadata, ..snapshot });
            }),
        }
    }

    /// Whether only the metadata shows that it is not a complete one of this installation.
    fn seems_complete(self) -> bool {
        matches!(self, Self::Damaged(..) | Self::FromTheFuture | Self::OtherRuns | Self::OfAnotherInstallation)
    }
}

/// All pages, from the first to the last.
fn all_pages(fixture: &Fixture, first: ListQuery) -> Vec<Backup> {
    let (mut query, mut backups) = (first, Vec::new());
    loop {
        let page = fixture.list_of(&query).unwrap();
        backups.extend(page.backups);
        let Some(next) = page.next else { return backups };
        query.before = Some(next);
    }
}

/// The engine names only one damaged snapshot of a list, and that in its own order.
fn without_reasons_of_damage(mut backups: Vec<Backup>) -> Vec<Backup> {
    for backup in &mut backups {
        for snapshot in backup.snapshots.iter_mut().filter(|snapshot| snapshot.state == S::Unreadable) {
            (snapshot.reason, backup.failure_reason) = (None, None);
        }
    }
    backups
}

proptest! {
    #[test]
    fn all_pages_are_the_complete_list(
        kinds in prop::collection::btree_map(1_u64..130, Kind::any(), 0..12),
        limit in 1_u32..5,
        pattern in prop_oneof![Just("*"), Just("1*"), Just("12*"), Just("7")],
        dialect in prop::sample::select(Dialect::ALL.to_vec()),
    ) {
        let fixture = Fixture::new(dialect);
        kinds.iter().for_each(|(&id, kind)| kind.store(&fixture, id));
        let pattern = IdPattern::parse(pattern).unwrap();
        let expected = fixture.list().unwrap().backups.into_iter().filter(|backup| pattern.matches(backup.id));
        let expected = without_reasons_of_damage(expected.collect());
        let matching = fixture.list_of(&ListQuery { pattern, ..ListQuery::default() }).unwrap();
        prop_assert_eq!(without_reasons_of_damage(matching.backups), expected.clone());
        let pages = all_pages(&fixture, ListQuery { pattern, ..page(limit) });
        prop_assert_eq!(without_reasons_of_damage(pages), expected.clone());

        let names = ListQuery { pattern, ..NAMES_ONLY };
        let listed = fixture.list_of(&names).unwrap();
        prop_assert_eq!(&all_pages(&fixture, ListQuery { verbose: false, pattern, ..page(limit) }), &listed.backups);
        let told: BTreeMap<u64, BackupState> = expected.iter().map(|backup| (backup.id.get(), backup.state)).collect();
        let seen = kinds.iter().rev().filter(|&(&id, _)| pattern.matches(BackupId::new(id).unwrap()));
        let seen = seen.map(|(&id, kind)| (id, if kind.seems_complete() { BackupState::Complete } else { told[&id] }));
        prop_assert_eq!(states(&listed), seen.collect::<Vec<_>>());
    }
}

#[test]
fn what_is_complete_by_its_names_costs_one_request_and_has_no_times() {
    on_every_engine(|fixture| {
        complete(fixture, 1..=200);
        let list = fixture.list_of(&NAMES_ONLY).unwrap();
        assert_eq!((list.backups.len(), fixture.engine.requests().len()), (200, 1));
        let backup = &list.backups[0];
        assert_eq!((backup.state, &backup.failure_reason, &backup.run_id), (BackupState::Complete, &None, &None));
        assert!(backup.snapshots.iter().all(|part| part.started.is_none() && part.failures.is_empty()));
    });
}

#[test]
fn what_is_not_complete_by_its_names_is_told_in_full() {
    on_every_engine(|fixture| {
        complete(fixture, [11, 13]);
        fixture.store_ours(12, 1, S::Success, "run-1");
        fixture.store_ours(12, 2, S::Partial, "run-1");
        let (names, full) = (fixture.list_of(&NAMES_ONLY).unwrap(), fixture.list().unwrap());
        assert_eq!(names.backups[1], full.backups[1]);
        assert!(names.backups[1].failure_reason.as_ref().unwrap().contains("primary shard is not allocated"));
    });
}

#[test]
fn a_page_reads_little_more_than_itself() {
    let fixture = Fixture::new(Dialect::Elasticsearch8_19);
    complete(&fixture, 1..=300);
    let first = fixture.list_of(&page(2)).unwrap();
    assert_eq!((ids(&first), first.next), (vec![300, 299], BackupId::new(299)));
    let requests: Vec<String> = fixture.engine.requests().iter().map(Request::to_string).collect();
    let expected = [
        "GET /_snapshot/backups/camunda_optimize_*",
        "GET /_snapshot/backups/camunda_optimize_299_*,camunda_optimize_300_*",
        "GET /_nodes/_all/http",
    ];
    assert_eq!(requests, expected);
    let next = fixture.list_of(&ListQuery { before: first.next, ..page(2) }).unwrap();
    assert_eq!((ids(&next), next.next), (vec![298, 297], BackupId::new(297)));
    let last = fixture.list_of(&ListQuery { before: BackupId::new(3), ..page(2) }).unwrap();
    assert_eq!((ids(&last), last.next), (vec![2, 1], None), "there is nothing after it");
}

#[test]
fn a_pattern_narrows_what_the_engine_lists() {
    on_every_engine(|fixture| {
        complete(fixture, [7, 70, 77, 170]);
        fixture.store_foreign("camunda_optimize_7x_8.6.0_part_1_of_2", S::Success);
        for (pattern, expected, foreign) in [("7*", vec![77, 70, 7], 1), ("7", vec![7], 0), ("8*", vec![], 0)] {
            for query in [ListQuery::default(), page(10), NAMES_ONLY] {
                let query = ListQuery { pattern: IdPattern::parse(pattern).unwrap(), ..query };
                let list = fixture.list_of(&query).unwrap();
                assert_eq!((ids(&list), list.foreign, list.next), (expected.clone(), foreign, None), "{query:?}");
            }
        }
    });
}

/// The engine in memory, where something happens before the first request for more than names.
fn list_while(fixture: &Fixture, query: &ListQuery, event: impl Fn()) -> BackupList {
    let has_happened = std::cell::Cell::new(false);
    let engine = Intercepted::new(&fixture.engine, |request| {
        let is_in_full = request.query.iter().any(|(name, _)| name == "ignore_unavailable");
        if is_in_full && !has_happened.replace(true) {
            event();
        }
        None
    });
    let list = operations::list(&engine, &fixture.context("-"), query).unwrap();
    assert!(has_happened.get());
    list
}

#[test]
fn a_backup_that_is_deleted_meanwhile_is_left_out_and_the_pages_continue() {
    on_every_engine(|fixture| {
        complete(fixture, [11, 12, 13]);
        let list = list_while(fixture, &page(2), || {
            [1, 2].iter().for_each(|&number| fixture.delete_behind_our_back(&part(12, number)));
        });
        assert_eq!((states(&list), list.next), (vec![(13, BackupState::Complete)], BackupId::new(12)));
        let list = list_while(fixture, &page(1), || {
            [1, 2].iter().for_each(|&number| fixture.delete_behind_our_back(&part(13, number)));
        });
        assert_eq!((states(&list), list.next), (Vec::new(), BackupId::new(13)));
        let next = fixture.list_of(&ListQuery { before: list.next, ..page(1) }).unwrap();
        assert_eq!((states(&next), next.next), (vec![(11, BackupState::Complete)], None));
    });
}

#[test]
fn a_backup_is_judged_by_what_the_second_look_has_of_it() {
    on_every_engine(|fixture| {
        fixture.store_ours(12, 1, S::Success, "run-1");
        for query in [page(1), NAMES_ONLY] {
            let list = list_while(fixture, &query, || fixture.store_ours(12, 2, S::Success, "run-1"));
            assert_eq!(states(&list), [(12, BackupState::Complete)], "part 2 was written");
            assert!(list.backups[0].snapshots[1].started.is_some());
            fixture.delete_behind_our_back(&part(12, 2));
        }
        fixture.store_ours(12, 2, S::InProgress, "run-1");
        let list = list_while(fixture, &NAMES_ONLY, || fixture.delete_behind_our_back(&part(12, 2)));
        assert_eq!(states(&list), [(12, BackupState::InProgress)], "it is resumed");
    });
}

#[test]
fn a_backup_that_is_begun_meanwhile_is_in_the_next_list() {
    on_every_engine(|fixture| {
        complete(fixture, [12]);
        let list = list_while(fixture, &page(5), || fixture.store_ours(13, 1, S::InProgress, "run-2"));
        assert_eq!(states(&list), [(12, BackupState::Complete)]);
    });
}

#[test]
fn a_damaged_snapshot_on_a_page_is_explained_and_hides_no_other() {
    for damage in [Damage::Missing, Damage::Unreadable] {
        on_every_engine(|fixture| {
            complete(fixture, [11, 12, 13]);
            fixture.engine.damage(&part(12, 2), Some(damage));
            fixture.engine.damage(&part(11, 1), Some(damage));
            let list = fixture.list_of(&page(2)).unwrap();
            assert_eq!(states(&list), [(13, BackupState::Complete), (12, BackupState::Failed)]);
            let reason = list.backups[1].failure_reason.as_ref().unwrap();
            assert!(reason.contains("UNREADABLE: its metadata cannot be read (") && reason.contains(&part(12, 2)));
            assert_eq!(list.backups[1].snapshots[0].state, S::Success);
        });
    }
}

/// More than are asked for by their IDs.
#[test]
fn thousands_that_are_not_complete_are_read_in_a_few_requests() {
    let fixture = Fixture::new(Dialect::OpenSearch2_19);
    complete(&fixture, 1..=1_000);
    for id in 1_001..=3_500 {
        fixture.store_ours(id, 1, S::Partial, "run-1");
        fixture.engine.damage(&part(id, 1), (id % 2 == 0).then_some(Damage::Missing));
    }
    let list = fixture.list_of(&NAMES_ONLY).unwrap();
    assert!(fixture.engine.requests().len() <= 5);
    let failed = list.backups.iter().filter(|backup| backup.state == BackupState::Failed);
    assert_eq!((list.backups.len(), failed.count()), (3_500, 2_500));
    assert!(list.backups.is_sorted_by(|one, next| one.id > next.id));
    assert!(list.backups[3_000].snapshots[0].started.is_none(), "as one of few");
}

#[test]
fn the_largest_page_of_damaged_backups_is_within_the_budget_of_a_call() {
    let fixture = Fixture::new(Dialect::Elasticsearch8_11);
    for id in (0..1_200).map(|n| BackupId::MAX - n) {
        complete(&fixture, [id]);
        fixture.engine.damage(&part(id, 1), Some(Damage::Unreadable));
    }
    let list = fixture.list_of(&page(1_000)).unwrap();
    assert!(list.backups.iter().all(|backup| backup.state == BackupState::Failed));
    assert_eq!((list.backups.len(), list.next), (1_000, BackupId::new(BackupId::MAX - 999)));
    assert!(fixture.engine.requests().len() <= 25, "{}", fixture.engine.requests().len());
}
