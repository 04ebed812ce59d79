use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const DAY: u64 = 24 * 60 * 60 * 1000;

fn rules(days: Option<u64>, min: Option<u32>, max: Option<u32>) -> RetentionRules {
    let count = |number: Option<u32>| number.map(|number| NonZeroU32::new(number).unwrap());
    let expire_after = days.map(|days| Duration::from_millis(days * DAY));
    RetentionRules::new(expire_after, count(min), count(max)).unwrap()
}

/// A backup of ours whose number is the day on which it was started.
fn of_day(day: u64, state: BackupState) -> Candidate {
    Candidate {
        id: BackupId::new(day).unwrap(),
        state,
        started: Some(Timestamp(day * DAY)),
        is_ours: true,
        is_unreadable: false,
        in_use: false,
    }
}

fn good(day: u64) -> Candidate {
    of_day(day, BackupState::Complete)
}

fn failed(day: u64) -> Candidate {
    of_day(day, BackupState::Failed)
}

/// The days whose backups expire, an hour after the beginning of `today`.
fn days(candidates: &[Candidate], rules: &RetentionRules, today: u64) -> Vec<u64> {
    let now = Timestamp(today * DAY + 60 * 60 * 1000);
    expired(candidates, rules, now).into_iter().map(|expired| expired.id.get()).collect()
}

const NONE: [u64; 0] = [];

/// The cases of SLM's own tests, with the results that these have.
mod as_in_slm {
    use super::*;

    #[test]
    fn rules_that_contradict_each_other() {
        let counts = |min, max| RetentionRules::new(None, NonZeroU32::new(min), NonZeroU32::new(max));
        assert!(counts(3, 1).is_err());
        assert!(counts(3, 3).is_ok());
    }

    #[test]
    fn by_age() {
        let rules = rules(Some(1), None, None);
        assert_eq!(days(&[good(2), good(1)], &rules, 2), [1]);
        assert_eq!(days(&[good(2), good(1)], &rules, 1), NONE);
    }

    #[test]
    fn by_age_with_a_minimum() {
        let backups = [good(2), good(1)];
        assert_eq!(days(&backups, &rules(Some(1), Some(2), None), 2), NONE);
        assert_eq!(days(&backups, &rules(Some(1), Some(1), None), 2), [1]);
    }

    #[test]
    fn more_than_the_maximum() {
        let backups: Vec<Candidate> = (1..=9).map(good).collect();
        assert_eq!(days(&backups, &rules(None, Some(2), Some(5)), 9), [1, 2, 3, 4]);
    }

    #[test]
    fn more_than_the_maximum_and_by_age() {
        assert_eq!(days(&[good(1), good(2), good(3)], &rules(Some(1), None, Some(2)), 3), [1, 2]);
    }

    #[test]
    fn failed_ones_do_not_count_towards_the_maximum() {
        assert_eq!(days(&[good(1), failed(2), good(3), good(4)], &rules(None, None, Some(1)), 4), [1, 2, 3]);
        assert_eq!(days(&[good(1), good(2), good(3), failed(4)], &rules(None, Some(2), Some(3)), 4), NONE);
    }

    #[test]
    fn failed_ones_do_not_count_towards_the_minimum() {
        assert_eq!(days(&[good(1), failed(2), good(3)], &rules(Some(10), Some(2), None), 20), [2]);
        assert_eq!(days(&[good(1), failed(2), good(3)], &rules(Some(10), Some(1), None), 12), [1, 2]);
    }

    #[test]
    fn failed_ones_by_age() {
        let rules = rules(Some(1), None, None);
        assert_eq!(days(&[failed(1)], &rules, 2), [1]);
        assert_eq!(days(&[failed(1)], &rules, 1), NONE);
        assert_eq!(days(&[failed(1), failed(2)], &rules, 2), [1]);
    }

    #[test]
    fn failed_ones_once_a_newer_one_is_complete() {
        let rules = rules(None, Some(2), Some(5));
        assert_eq!(days(&[good(1), good(2), failed(3), good(4)], &rules, 4), [3]);
        assert_eq!(days(&[good(1), good(2), failed(3), failed(4)], &rules, 4), NONE);
    }

    /// SLM: `expire_after` 30 d, `min_count` 5, `max_count` 50.
    #[test]
    fn the_example_of_its_documentation() {
        let rules = rules(Some(30), Some(5), Some(50));
        let daily: Vec<Candidate> = (1..=100).map(good).collect();
        assert_eq!(days(&daily, &rules, 100), (1..=70).collect::<Vec<_>>());
        let stopped_long_ago: Vec<Candidate> = (1..=20).map(good).collect();
        assert_eq!(days(&stopped_long_ago, &rules, 400), (1..=15).collect::<Vec<_>>());
        let twelve_a_day: Vec<Candidate> =
            (1200..1300).map(|n| Candidate { started: Some(Timestamp(n * DAY / 12)), ..good(n) }).collect();
        assert_eq!(days(&twelve_a_day, &rules, 109), (1200..1250).collect::<Vec<_>>());
    }
}

/// Where a backup that SLM deletes stays, or the other way round.
mod other_than_in_slm {
    use super::*;

    #[test]
    fn the_last_good_one_stays_whatever_its_age() {
        assert_eq!(days(&[good(1)], &rules(Some(1), None, None), 1000), NONE);
        assert_eq!(days(&[good(1), failed(2)], &rules(Some(1), None, Some(1)), 1000), [2]);
    }

    #[test]
    fn a_failed_one_need_not_reach_its_age_if_a_newer_one_is_complete() {
        assert_eq!(days(&[good(1), failed(2), failed(3), good(4)], &rules(Some(100), Some(2), Some(2)), 5), [2, 3]);
    }

    #[test]
    fn without_rules_nothing_expires() {
        assert_eq!(days(&[good(1), failed(2), good(3)], &RetentionRules::default(), 10_000), NONE);
    }

    #[test]
    fn one_that_nodes_of_another_version_could_restore_expires_by_age() {
        let backups = [of_day(1, BackupState::Incompatible), of_day(2, BackupState::Incomplete), good(3)];
        assert_eq!(days(&backups, &rules(None, None, Some(5)), 1000), [2]);
        assert_eq!(days(&backups, &rules(Some(100), None, None), 1000), [1, 2]);
        assert_eq!(days(&backups, &rules(Some(100), Some(2), None), 1000), [2]);
    }

    /// The engine was built anew on an older version: another cluster may restore all of them, and this one none.
    #[test]
    fn where_nothing_can_be_restored_here_what_another_cluster_could_restore_stays() {
        let backups: Vec<Candidate> = (1..=9).map(|day| of_day(day, BackupState::Incompatible)).collect();
        assert_eq!(days(&backups, &rules(Some(1), None, Some(1)), 1000), NONE);
        let older_good = [good(1), of_day(2, BackupState::Incompatible)];
        assert_eq!(days(&older_good, &rules(Some(1), None, None), 1000), NONE);
        for backups in [&backups[..], &older_good] {
            let refused = check(backups, &[BackupId::new(2).unwrap()]);
            assert_eq!(refused, Err((BackupId::new(2).unwrap(), Safeguard::NoneInItsPlace)));
        }
    }

    #[test]
    fn what_cannot_be_restored_is_no_reason_to_delete_what_can() {
        for state in [BackupState::Failed, BackupState::Incompatible, BackupState::Incomplete, BackupState::InProgress]
        {
            assert_eq!(days(&[good(1), of_day(2, state)], &rules(Some(1), None, Some(1)), 2), NONE, "{state}");
        }
        let foreign = Candidate { is_ours: false, ..good(2) };
        assert_eq!(days(&[good(1), foreign], &rules(Some(1), None, Some(1)), 3), NONE);
    }

    #[test]
    fn one_in_use_stays_and_counts() {
        let backups = [Candidate { in_use: true, ..good(1) }, good(2), Candidate { in_use: true, ..good(3) }];
        assert_eq!(days(&backups, &rules(None, None, Some(1)), 3), [2]);
    }

    #[test]
    fn one_of_unknown_age_stays_and_does_not_count() {
        let unknown = Candidate { started: None, ..good(3) };
        assert_eq!(days(&[good(1), good(2), unknown], &rules(None, None, Some(1)), 3), [1]);
    }
}

/// The repository's storage can be away for a while, and then some snapshots or all cannot be read.
mod unreadable {
    use super::*;

    fn unreadable(day: u64) -> Candidate {
        Candidate { state: BackupState::Failed, started: None, is_ours: false, is_unreadable: true, ..good(day) }
    }

    #[test]
    fn nothing_expires_while_the_newest_cannot_be_read() {
        let rules = rules(Some(1), None, Some(1));
        let away: Vec<Candidate> = (1..=9).map(unreadable).collect();
        assert_eq!(days(&away, &rules, 1000), NONE);
        assert_eq!(in_doubt(&away), BackupId::new(1));

        let partly_away: Vec<Candidate> = (1..=5).map(good).chain((6..=9).map(unreadable)).collect();
        assert_eq!(days(&partly_away, &rules, 1000), NONE);
        assert_eq!(in_doubt(&partly_away), BackupId::new(6));
    }

    /// One damaged backup would otherwise keep all others for ever.
    #[test]
    fn an_old_one_alone_stays_itself_and_counts_for_nothing() {
        let backups = [unreadable(1), good(2), unreadable(3), good(4), good(5)];
        assert_eq!(in_doubt(&backups), None);
        assert_eq!(days(&backups, &rules(None, None, Some(1)), 5), [2, 4]);
        assert_eq!(days(&backups, &rules(None, None, Some(3)), 5), NONE);
    }

    #[test]
    fn of_a_part_that_can_be_read_the_start_decides() {
        let part_two = |day, started| Candidate { started: Some(Timestamp(started * DAY)), ..unreadable(day) };
        assert_eq!(in_doubt(&[good(7), part_two(3, 8)]), BackupId::new(3));
        assert_eq!(in_doubt(&[good(7), part_two(9, 6)]), None);
    }
}

#[test]
fn the_safeguards_hold_for_every_choice() {
    let backups = [
        good(1),
        Candidate { is_ours: false, ..good(2) },
        Candidate { in_use: true, ..good(3) },
        of_day(4, BackupState::InProgress),
        Candidate { is_unreadable: true, ..failed(5) },
        good(6),
    ];
    let check = |day: u64| check(&backups, &[BackupId::new(1).unwrap(), BackupId::new(day).unwrap()]);
    assert_eq!(check(1), Ok(()));
    for (day, safeguard) in [
        (2, Safeguard::NotOurs),
        (3, Safeguard::InUse),
        (4, Safeguard::InProgress),
        (5, Safeguard::Unreadable),
        (6, Safeguard::LastComplete),
        (7, Safeguard::NotListed),
    ] {
        assert_eq!(check(day), Err((BackupId::new(day).unwrap(), safeguard)));
    }
}

#[test]
fn a_reason_is_for_people() {
    let backups = [good(1), failed(2), good(3), good(4)];
    let now = Timestamp(33 * DAY);
    let reasons: Vec<String> = expired(&backups, &rules(Some(29), Some(2), Some(2)), now)
        .into_iter()
        .map(|expired| format!("{}: {}", expired.id, expired.reason))
        .collect();
    assert_eq!(
        reasons,
        [
            "1: 2 newer backups are COMPLETE, as many as are to be kept",
            "2: it is FAILED, and the newer backup 4 is COMPLETE"
        ]
    );
    let by_age = expired(&backups[2..], &rules(Some(29), None, None), now);
    assert_eq!(by_age[0].reason.to_string(), "it is 30 days old");
}

fn any_candidate() -> impl Strategy<Value = Candidate> {
    let state = prop_oneof![
        6 => Just(BackupState::Complete),
        2 => Just(BackupState::Failed),
        1 => Just(BackupState::InProgress),
        1 => Just(BackupState::Incompatible),
        1 => Just(BackupState::Incomplete),
    ];
    let rarely = || prop::bool::weighted(0.1);
    (1_u64..60, state, prop::option::weighted(0.9, 0_u64..60), prop::bool::weighted(0.85), rarely(), rarely()).prop_map(
        |(id, state, day, is_ours, is_unreadable, in_use)| Candidate {
            started: day.map(|day| Timestamp(day * DAY)),
            is_ours,
            is_unreadable,
            in_use,
            ..of_day(id, state)
        },
    )
}

/// In the order of a list, or of any other.
fn any_history() -> impl Strategy<Value = Vec<Candidate>> {
    prop::collection::vec(any_candidate(), 0..40).prop_map(|mut candidates| {
        let mut seen = BTreeSet::new();
        candidates.retain(|candidate| seen.insert(candidate.id));
        candidates
    })
}

fn any_rules() -> impl Strategy<Value = RetentionRules> {
    let count = || prop::option::of(1_u32..12);
    (prop::option::of(0_u64..70), count(), count())
        .prop_map(|(days, min, max)| rules(days, min.zip(max).map_or(min, |(min, max)| Some(min.min(max))), max))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_safeguard_is_ever_broken(history in any_history(), rules in any_rules(), today in 0_u64..80) {
        let now = Timestamp(today * DAY);
        let chosen = expired(&history, &rules, now);
        let ids: Vec<BackupId> = chosen.iter().map(|expired| expired.id).collect();
        prop_assert_eq!(check(&history, &ids), Ok(()));

        let left: Vec<Candidate> = history.iter().filter(|candidate| !ids.contains(&candidate.id)).copied().collect();
        prop_assert_eq!(newest_good(&left), newest_good(&history));
        let good_ones = |candidates: &[Candidate]| candidates.iter().filter(|candidate| candidate.is_good()).count();
        let kept = rules.min_count().map_or(1, |min| min.get() as usize).min(good_ones(&history));
        prop_assert!(good_ones(&left) >= kept);

        let is_incompatible = |candidate: &&Candidate| candidate.state == BackupState::Incompatible;
        let gone = history.iter().filter(|candidate| ids.contains(&candidate.id)).find(is_incompatible);
        let newest = newest_good(&left);
        prop_assert!(gone.is_none_or(|gone| newest.is_some_and(|newest| newest.age_order() > gone.age_order())));
    }

    #[test]
    fn one_by_one_the_same_expire(history in any_history(), rules in any_rules(), today in 0_u64..80) {
        let now = Timestamp(today * DAY);
        let at_once = expired(&history, &rules, now);
        let mut left = history.clone();
        let mut one_by_one = Vec::new();
        while let Some(first) = expired(&left, &rules, now).first() {
            one_by_one.push(first.id);
            left.retain(|candidate| candidate.id != first.id);
        }
        prop_assert_eq!(at_once.into_iter().map(|expired| expired.id).collect::<Vec<_>>(), one_by_one);
    }

    #[test]
    fn the_order_of_the_list_does_not_matter(history in any_history(), rules in any_rules(), today in 0_u64..80) {
        let now = Timestamp(today * DAY);
        let mut reversed = history.clone();
        reversed.reverse();
        prop_assert_eq!(expired(&history, &rules, now), expired(&reversed, &rules, now));
    }

    #[test]
    fn whatever_expires_today_expires_tomorrow(history in any_history(), rules in any_rules(), today in 0_u64..80) {
        let at = |day: u64| -> BTreeSet<BackupId> {
            expired(&history, &rules, Timestamp(day * DAY)).into_iter().map(|expired| expired.id).collect()
        };
        prop_assert!(at(today).is_subset(&at(today + 1)));
    }

    #[test]
    fn oldest_first(history in any_history(), rules in any_rules(), today in 0_u64..80) {
        let chosen = expired(&history, &rules, Timestamp(today * DAY));
        let order = |expired: &Expired| {
            history.iter().find(|candidate| candidate.id == expired.id).map(Candidate::age_order)
        };
        prop_assert!(chosen.is_sorted_by_key(order));
    }
}
