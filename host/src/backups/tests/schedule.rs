use std::collections::BTreeSet;

use backup_core::RetentionRules;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::*;
use crate::clock;
use crate::settings::{Cron, Schedule};
use crate::telemetry::captured::Log;

fn schedule(cron: &str) -> Schedule {
    Schedule { cron: Cron::parse(cron).unwrap(), time_zone: TimeZone::get("Europe/Berlin").unwrap() }
}

/// A zone whose clock goes forward at 02:00 and back at 14:00 on the same day, 2 January.
fn changeable(cron: &str) -> Schedule {
    Schedule { time_zone: TimeZone::posix("STD0DST,J2/2,J2/14").unwrap(), ..schedule(cron) }
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A server with a schedule.
struct Replica {
    host: TestHost,
    scheduler: Arc<Scheduler>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Replica {
    fn start(host: TestHost, schedule: &Schedule, rules: RetentionRules, ahead: SignedDuration) -> Self {
        let (service, metrics) = (Arc::clone(&host.service), Arc::clone(&host.metrics));
        let retention = Retention::new(Arc::clone(&service), rules, Arc::clone(&metrics));
        let now = move || Timestamp::try_from(clock::now()).unwrap() + ahead;
        let scheduler =
            Scheduler::with_clock(service, Arc::clone(&retention), metrics, Some(schedule.clone()), Arc::new(now));
        let tasks = vec![
            tokio::spawn(Arc::clone(&host.service).adopt_forever()),
            tokio::spawn({
                let scheduler = Arc::clone(&scheduler);
                async move { scheduler.run_forever().await }
            }),
            tokio::spawn(async move { retention.run_forever().await }),
        ];
        Self { host, scheduler, tasks }
    }

    /// Nothing that it has begun goes on.
    fn die(self) {
        self.host.network.fail("", usize::MAX, Fault::Away);
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
        let runs = Arc::clone(&self.host.service.runs);
        tokio::spawn(async move { runs.shut_down().await });
    }

    fn slots(&self, outcome: &str) -> f64 {
        self.host.metric(&format!("schedule_slots_total{{outcome=\"{outcome}\"}}"))
    }
}

/// An engine and a server whose schedule has begun at this time.
fn set_up_at(time: &str, cron: &str) -> (Arc<Cluster>, Replica) {
    clock::for_tests::set(Duration::from_millis(moment(time).as_millisecond() as u64));
    let (cluster, host) = set_up();
    let replica = Replica::start(host, &schedule(cron), RetentionRules::default(), SignedDuration::ZERO);
    (cluster, replica)
}

async fn at(time: &str) {
    let now = Timestamp::try_from(clock::now()).unwrap();
    sleep(moment(time).duration_since(now).try_into().unwrap()).await;
}

/// The IDs of the backups, each with the number of its parts.
fn backups(cluster: &Cluster) -> BTreeMap<i64, usize> {
    let mut backups = BTreeMap::new();
    for name in cluster.snapshots() {
        *backups.entry(name.split('_').nth(2).unwrap().parse().unwrap()).or_default() += 1;
    }
    backups
}

fn id(time: &str) -> i64 {
    moment(time).as_second()
}

/// Servers that die at random and come back, over 200 slots with both changes of the clock.
async fn one_backup_a_slot(replicas: &[i64], seed: u64) {
    const SLOTS: usize = 200;
    const KEPT: u32 = 8;
    let mut random = fastrand::Rng::with_seed(seed);
    let begin = moment("2027-01-01T23:32:00Z");
    clock::for_tests::set(Duration::from_millis(begin.as_millisecond() as u64));
    let cluster = Cluster::new();
    let sandbox = Sandbox::new(LIMITS).unwrap();
    let schedule = changeable("*/5 * * * *");
    let slots: Vec<i64> = schedule.between(begin, begin + 48.hours()).take(SLOTS).map(Timestamp::as_second).collect();
    let rules = RetentionRules::new(None, None, std::num::NonZeroU32::new(KEPT)).unwrap();
    let start = |&ahead: &i64| {
        let host = TestHost::in_sandbox(&sandbox, &cluster, "optimize");
        Replica::start(host, &schedule, rules, SignedDuration::from_secs(ahead))
    };

    // Each with the second at which it dies or comes back.
    let mut living: Vec<(Option<Replica>, i64)> = replicas.iter().map(|ahead| (Some(start(ahead)), 0)).collect();
    for (_, change) in &mut living {
        *change = random.i64(60..2400);
    }
    let mut seen: BTreeMap<i64, usize> = BTreeMap::new();
    let end = slots.last().unwrap() - begin.as_second() + 120;
    assert!(end > 17 * 60 * 60, "an hour without slots is among them");
    for second in (0..end).step_by(15) {
        for ((replica, change), ahead) in living.iter_mut().zip(replicas) {
            if second < *change {
                continue;
            }
            match replica.take() {
                Some(alive) => {
                    alive.die();
                    *change = second + random.i64(0..180);
                }
                None => {
                    *replica = Some(start(ahead));
                    *change = second + random.i64(60..2400);
                }
            }
        }
        sleep(Duration::from_secs(15)).await;
        for (id, parts) in backups(&cluster) {
            let most = seen.entry(id).or_default();
            *most = parts.max(*most);
        }
    }
    // The first slot may be made up for: the one before the begin.
    let before = schedule.last_until(begin).unwrap().as_second();
    seen.remove(&before);
    let incomplete: Vec<_> = seen.iter().filter(|(_, parts)| **parts != 2).collect();
    assert!(incomplete.is_empty(), "{incomplete:?}");
    assert_eq!(seen.into_keys().collect::<Vec<_>>(), slots);
    let left = backups(&cluster).len();
    assert!((KEPT as usize..KEPT as usize + 3).contains(&left), "{left} are left");
}

#[tokio::test(start_paused = true)]
async fn two_servers_that_die_at_random_make_one_backup_a_slot() {
    one_backup_a_slot(&[10, -10], 1).await;
}

#[tokio::test(start_paused = true)]
async fn three_servers_that_die_at_random_make_one_backup_a_slot() {
    one_backup_a_slot(&[0, 20, -20], 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_cannot_be_begun_is_tried_again_until_the_next_slot() {
    let (cluster, replica) = set_up_at("2027-01-01T10:30:00Z", "0 * * * *");
    at("2027-01-01T10:59:00Z").await;
    replica.host.network.fail("", usize::MAX, Fault::Away);
    at("2027-01-01T11:20:00Z").await;
    assert!(replica.scheduler.trouble().unwrap().contains("cannot be reached"), "{:?}", replica.scheduler.trouble());
    replica.host.network.heal();
    at("2027-01-01T11:25:00Z").await;
    assert_eq!(replica.scheduler.trouble(), None);
    replica.host.network.fail("", usize::MAX, Fault::Away);
    at("2027-01-01T13:00:00Z").await;
    replica.host.network.heal();
    at("2027-01-01T13:30:00Z").await;

    let made = ["2027-01-01T10:00:00Z", "2027-01-01T11:00:00Z", "2027-01-01T13:00:00Z"].map(|slot| (id(slot), 2));
    assert_eq!(backups(&cluster), BTreeMap::from(made));
    assert_eq!((replica.slots("complete"), replica.slots("missed")), (3.0, 1.0));
}

#[tokio::test(start_paused = true)]
async fn a_slot_whose_backup_this_server_did_not_see_is_not_missed() {
    let (cluster, replica) = set_up_at("2027-01-01T10:30:00Z", "0 * * * *");
    at("2027-01-01T10:40:00Z").await;
    replica.die();
    let late = TestHost::new(&cluster);
    let retention = Retention::new(Arc::clone(&late.service), RetentionRules::default(), Arc::clone(&late.metrics));
    let scheduler =
        Scheduler::new(Arc::clone(&late.service), retention, Arc::clone(&late.metrics), Some(schedule("0 * * * *")));
    scheduler.pass(moment("2027-01-01T10:00:00Z")).await;
    scheduler.pass(moment("2027-01-01T09:00:00Z")).await;
    let slots = |outcome| late.metric(&format!("schedule_slots_total{{outcome=\"{outcome}\"}}"));
    assert_eq!((slots("taken"), slots("missed")), (1.0, 1.0));
}

/// Nobody has asked for it. Its ID leads to what the search engine was asked for it.
#[tokio::test(start_paused = true)]
async fn what_is_done_without_a_request_is_audited() {
    let (log, _guard) = Log::begin();
    clock::for_tests::set(Duration::from_millis(moment("2027-01-01T10:30:00Z").as_millisecond() as u64));
    let (_cluster, host) = set_up();
    let rules = RetentionRules::new(None, None, std::num::NonZeroU32::new(1)).unwrap();
    let since = Instant::now();
    let replica = Replica::start(host, &schedule("0 * * * *"), rules, SignedDuration::ZERO);
    at("2027-01-01T11:10:00Z").await;
    let (first, second) = (id("2027-01-01T10:00:00Z"), id("2027-01-01T11:00:00Z"));
    let line = |caller, method, id: i64| {
        serde_json::json!({
            "message": "audit", "requestId": format!("{caller}-{id}"), "caller": caller, "method": method, "backupId": id,
            "outcome": "done",
        })
    };
    let (one, two) = (line("schedule", "POST", first), line("schedule", "POST", second));
    assert_eq!(log.audit(), [one, two, line("retention", "DELETE", first)]);
    assert!(!replica.host.times(&format!("DELETE for retention-{first}"), since).is_empty());
    assert!(!replica.host.times(&format!("PUT part_2 for schedule-{second}"), since).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_slot_without_a_server_is_made_up_for_once() {
    let (cluster, replica) = set_up_at("2027-01-01T10:30:00Z", "0 * * * *");
    at("2027-01-01T10:40:00Z").await;
    assert_eq!(backups(&cluster), BTreeMap::from([(id("2027-01-01T10:00:00Z"), 2)]), "nobody has made one");
    replica.die();

    at("2027-01-01T14:10:00Z").await;
    let late = Replica::start(
        TestHost::new(&cluster),
        &schedule("0 * * * *"),
        RetentionRules::default(),
        SignedDuration::ZERO,
    );
    at("2027-01-01T14:20:00Z").await;
    let made = ["2027-01-01T10:00:00Z", "2027-01-01T14:00:00Z"].map(|slot| (id(slot), 2));
    assert_eq!(backups(&cluster), BTreeMap::from(made), "the last one alone");
    late.die();

    at("2027-01-01T15:05:00Z").await;
    TestHost::new(&cluster).complete(7).await;
    let later = Replica::start(
        TestHost::new(&cluster),
        &schedule("0 * * * *"),
        RetentionRules::default(),
        SignedDuration::ZERO,
    );
    at("2027-01-01T15:20:00Z").await;
    assert!(!backups(&cluster).contains_key(&id("2027-01-01T15:00:00Z")), "somebody has made one since");
    assert_eq!(later.slots("taken"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_slot_whose_backup_failed_is_not_made_again() {
    let (cluster, replica) = set_up_at("2027-01-01T10:30:00Z", "0 * * * *");
    at("2027-01-01T11:00:01Z").await;
    cluster.engine.finish(&part(id("2027-01-01T11:00:00Z") as u64, 1), backup_core::SnapshotState::Partial);
    at("2027-01-01T11:10:00Z").await;
    assert_eq!(replica.slots("failed"), 1.0);
    replica.die();
    let late = Replica::start(
        TestHost::new(&cluster),
        &schedule("0 * * * *"),
        RetentionRules::default(),
        SignedDuration::ZERO,
    );
    at("2027-01-01T11:20:00Z").await;
    assert_eq!(backups(&cluster).len(), 2);
    assert_eq!(late.slots("taken"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn two_backups_are_never_made_at_once() {
    let (cluster, replica) = set_up_at("2027-01-01T10:30:00Z", "0 * * * *");
    at("2027-01-01T10:59:00Z").await;
    cluster.engine.write_within(Duration::from_secs(300));
    replica.host.service.create("7").await.unwrap();
    at("2027-01-01T11:05:00Z").await;
    assert_eq!(replica.scheduler.trouble().as_deref(), Some("backup 7 is still in progress"));
    at("2027-01-01T11:40:00Z").await;
    assert_eq!(backups(&cluster)[&id("2027-01-01T11:00:00Z")], 2);
    let starts: BTreeMap<String, u64> = cluster
        .engine
        .snapshots(REPOSITORY)
        .into_iter()
        .map(|snapshot| (snapshot.name, snapshot.started.0 / 1000))
        .collect();
    let began = starts[&part(id("2027-01-01T11:00:00Z") as u64, 1)];
    assert!(began >= starts[&part(7, 2)] + 300, "{starts:?}");
}

/// Installations with one repository and one schedule would have the same IDs.
#[tokio::test(start_paused = true)]
async fn an_id_of_another_installation_is_not_taken_for_ones_own() {
    let (cluster, replica) = set_up_at("2027-01-01T10:30:00Z", "0 * * * *");
    for index in ["timestamp-based-import-index_v5", "metadata_v3", "settings_v3", "process-instance-invoice_v8"] {
        cluster.engine.add_index(&format!("optimize-eu-{index}"));
    }
    cluster.engine.set_document("optimize-eu-metadata_v3", Some(serde_json::json!({"schemaVersion": "8.8.0"})));
    // Both would make up for the last slot in the same moment: two versions of Optimize then spoil it for both.
    at("2027-01-01T10:31:00Z").await;
    let other = TestHost::of_installation(&cluster, "optimize-eu");
    let other = Replica::start(other, &schedule("0 * * * *"), RetentionRules::default(), SignedDuration::from_secs(2));
    at("2027-01-01T12:30:00Z").await;
    for slot in ["2027-01-01T10:00:00Z", "2027-01-01T11:00:00Z", "2027-01-01T12:00:00Z"] {
        assert_eq!(backups(&cluster)[&id(slot)], 2);
        assert_eq!(backups(&cluster)[&(id(slot) + 1)], 2);
    }
    assert_eq!((replica.slots("failed"), other.slots("failed")), (0.0, 0.0));
    let last = other.scheduler.last_slots(1).await.unwrap();
    assert_eq!(last[0].backup.unwrap().0, id("2027-01-01T12:00:00Z") as u64);
}

#[tokio::test(start_paused = true)]
async fn the_last_slots_are_told_by_every_server() {
    let (cluster, replica) = set_up_at("2027-01-01T10:30:00Z", "0 * * * *");
    at("2027-01-01T11:00:30Z").await;
    replica.host.network.fail("", usize::MAX, Fault::Away);
    at("2027-01-01T13:00:00Z").await;
    replica.host.network.heal();
    at("2027-01-01T13:00:02Z").await;

    let other = TestHost::new(&cluster);
    let retention = Retention::new(Arc::clone(&other.service), RetentionRules::default(), Arc::clone(&other.metrics));
    let other =
        Scheduler::new(Arc::clone(&other.service), retention, Arc::clone(&other.metrics), Some(schedule("0 * * * *")));
    let told: Vec<_> = other.last_slots(4).await.unwrap().into_iter().map(|last| (last.slot, last.backup)).collect();
    let slot = |time, state: Option<BackupState>| (moment(time), state.map(|state| (id(time) as u64, state)));
    assert_eq!(
        told,
        [
            slot("2027-01-01T13:00:00Z", Some(BackupState::InProgress)),
            slot("2027-01-01T12:00:00Z", None),
            slot("2027-01-01T11:00:00Z", Some(BackupState::Complete)),
            slot("2027-01-01T10:00:00Z", Some(BackupState::Complete)),
        ]
    );
    assert_eq!(other.next_slot(), Some(moment("2027-01-01T14:00:00Z")));
}

#[tokio::test(start_paused = true)]
async fn after_a_scheduled_backup_others_expire() {
    clock::for_tests::set(Duration::from_millis(moment("2027-01-01T10:30:00Z").as_millisecond() as u64));
    let (cluster, host) = set_up();
    let rules = RetentionRules::new(None, None, std::num::NonZeroU32::new(2)).unwrap();
    let _replica = Replica::start(host, &schedule("0 * * * *"), rules, SignedDuration::ZERO);
    at("2027-01-01T15:01:00Z").await;
    let left: BTreeSet<i64> = backups(&cluster).into_keys().collect();
    assert_eq!(left, ["2027-01-01T14:00:00Z", "2027-01-01T15:00:00Z"].map(id).into());
}

#[tokio::test(start_paused = true)]
async fn a_slot_within_a_restore_waits_for_its_end() {
    let (cluster, replica) = set_up_at("2027-03-01T00:30:00Z", "0 * * * *");
    let other = TestHost::new(&cluster);
    other.complete(7).await;
    cluster.engine.restore_within(Duration::from_secs(600));
    at("2027-03-01T00:58:00Z").await;
    let before = replica.slots("complete");
    let options = crate::sandbox::restores::RestoreOptions { rename_prefix: None, overridden: Vec::new() };
    other.service.begin_restore("7", options).await.unwrap();
    at("2027-03-01T01:05:00Z").await;
    let trouble = replica.scheduler.trouble().unwrap();
    assert!(trouble.contains("is being restored"), "{trouble}");
    assert_eq!(replica.slots("complete"), before);
    at("2027-03-01T01:45:00Z").await;
    assert_eq!(replica.slots("complete"), before + 1.0);
}
