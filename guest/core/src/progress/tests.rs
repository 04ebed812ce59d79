use proptest::prelude::*;

use super::*;

fn states() -> impl Strategy<Value = SnapshotState> {
    prop::sample::select(vec![
        SnapshotState::InProgress,
        SnapshotState::Success,
        SnapshotState::Partial,
        SnapshotState::Failed,
        SnapshotState::Incompatible,
        SnapshotState::Unreadable,
    ])
}

fn counts() -> impl Strategy<Value = Option<Amounts>> {
    let amounts = (any::<u64>(), any::<u64>(), any::<u32>(), any::<u32>(), any::<u32>());
    let amounts = amounts.prop_map(|(total, done, shards, shards_done, failed)| Amounts {
        bytes: ByteCount { total, done },
        shards: ShardCount { total: shards, done: shards_done, failed },
    });
    prop::option::of(amounts)
}

fn part(number: u8, state: SnapshotState, amounts: Option<Amounts>) -> PartProgress {
    let name = format!("camunda_optimize_12_8.6.0_part_{number}_of_2");
    PartProgress { name: SnapshotName::parse(&name).unwrap(), state, amounts }
}

proptest! {
    /// Whatever an engine tells.
    #[test]
    fn all_is_done_only_when_both_parts_have_succeeded(
        parts in prop::collection::vec((1_u8..=2, states(), counts()), 0..4)
    ) {
        let parts: Vec<PartProgress> = parts.into_iter().map(|(n, state, amounts)| part(n, state, amounts)).collect();
        let all_succeeded = parts.iter().all(|part| part.state == SnapshotState::Success);
        let permille = permille(&parts);
        prop_assert!(permille <= 1000);
        prop_assert!(permille < 1000 || (parts.len() == 2 && all_succeeded));
    }
}

#[test]
fn a_snapshot_with_nothing_new_is_counted_by_its_shards() {
    let shards = ShardCount { total: 4, done: 1, failed: 0 };
    let amounts = Amounts { bytes: ByteCount::default(), shards };
    assert_eq!(part(2, SnapshotState::InProgress, Some(amounts)).of(100), 25);
    assert_eq!(
        part(2, SnapshotState::InProgress, Some(Amounts { shards: ShardCount::default(), ..amounts })).of(100),
        0
    );
    assert_eq!(part(2, SnapshotState::InProgress, None).of(100), 0);
}
