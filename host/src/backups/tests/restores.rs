use std::collections::BTreeMap;

use backup_core::memory::StoredIndex;
use serde_json::json;

use super::engine::SETTINGS;
use super::*;
use crate::sandbox::restores::{RestoreOptions, RestoreState};

/// How long the search engine is away.
const AWAY: Duration = Duration::from_secs(30);

fn options() -> RestoreOptions {
    RestoreOptions { rename_prefix: None, overridden: vec!["optimizeIsWriting".to_owned()] }
}

fn contents(cluster: &Cluster) -> BTreeMap<String, StoredIndex> {
    cluster.engine.indices().into_iter().map(|(name, (_, stored))| (name, stored)).collect()
}

/// A backup, and an installation that has changed since then; what was in it.
async fn changed() -> (Arc<Cluster>, TestHost, BTreeMap<String, StoredIndex>) {
    let (cluster, host) = set_up();
    cluster.engine.set_document(SETTINGS, Some(json!({"of": "the backup"})));
    cluster.engine.restore_within(Duration::from_secs(5));
    host.complete(1).await;
    let before = contents(&cluster);
    cluster.engine.set_document(SETTINGS, Some(json!({"of": "later"})));
    (cluster, host, before)
}

/// Until this host restores nothing any more.
async fn restore_ended(host: &TestHost) {
    let ended = async {
        while host.service.restores.driven().is_some() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(Duration::from_secs(3600), ended).await.expect("the restore ends");
}

/// At each request of a restore, from the first one of its plan to the last one.
#[tokio::test(start_paused = true)]
async fn an_engine_that_is_away_for_30_s_delays_a_restore() {
    for first in 1.. {
        let (cluster, host, before) = changed().await;
        let sent = cluster.requests().len();
        host.network.fail_from(first, "", usize::MAX, Fault::Away);
        let begun = Instant::now();
        let outage = async {
            while cluster.requests().len() < sent + first - 1 && begun.elapsed() < Duration::from_secs(600) {
                sleep(Duration::from_millis(10)).await;
            }
            sleep(AWAY).await;
            host.network.heal();
        };
        let (outcome, ()) = tokio::join!(host.service.begin_restore("1", options()), outage);
        if outcome.is_err() {
            assert_ne!(contents(&cluster), before, "nothing was begun");
            host.service.begin_restore("1", options()).await.unwrap();
        }
        restore_ended(&host).await;
        assert_eq!(host.service.restores.get("1", None).await.unwrap().state, RestoreState::Complete, "{first}");
        assert_eq!(contents(&cluster), before, "{first}");
        assert!(cluster.engine.marked_indices().is_empty(), "{first}");
        if begun.elapsed() > Duration::from_secs(600) {
            // There are fewer requests.
            assert!(first > 50, "{first}");
            return;
        }
    }
}
