//! The engine in memory answers as the real ones did when they were asked the same.

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use backup_core::memory::{Damage, Dialect, MemoryEngine, StoredSnapshot};
    use backup_core::{Engine, Method, Request, Response, SnapshotState};
    use serde_json::{Value, json};

    const FIELDS: &str = "snapshots.snapshot,snapshots.state,failures,error,status";

    /// A repository `r`, one `ro` that takes no writes, and two indices.
    fn engine(dialect: Dialect) -> MemoryEngine {
        let engine = MemoryEngine::new(dialect);
        engine.pass(Duration::from_secs(1));
        engine.add_repository("r", false);
        engine.add_repository("ro", true);
        engine.add_index("optimize-alert_v4");
        engine.add_index("operate-alert_v4");
        engine
    }

    fn on_every_engine(test: impl Fn(Dialect, &MemoryEngine)) {
        for dialect in Dialect::ALL {
            println!("on {dialect:?}");
            test(dialect, &engine(dialect));
        }
    }

    /// `_snapshot/r/x*?verbose=false`.
    fn request(method: Method, target: &str, body: Option<Value>) -> Request {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        Request {
            method,
            path: path.split('/').map(str::to_owned).collect(),
            query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: body.map(|body| body.to_string()),
        }
    }

    fn read(response: &Response) -> (u16, Value) {
        (response.status, serde_json::from_str(&response.body).unwrap())
    }

    fn ask(engine: &MemoryEngine, method: Method, target: &str, body: Option<Value>) -> (u16, Value) {
        read(&engine.send(&request(method, target, body)).unwrap())
    }

    fn get(engine: &MemoryEngine, target: &str) -> (u16, Value) {
        ask(engine, Method::Get, target, None)
    }

    fn delete(engine: &MemoryEngine, target: &str) -> (u16, Value) {
        ask(engine, Method::Delete, target, None)
    }

    fn put(engine: &MemoryEngine, repository: &str, name: &str, body: Value) -> (u16, Value) {
        ask(engine, Method::Put, &format!("_snapshot/{repository}/{name}?wait_for_completion=false"), Some(body))
    }

    /// Status, type and reason of a refusal.
    fn refused(answer: &(u16, Value)) -> (u16, &str, &str) {
        let (status, body) = answer;
        assert_eq!(body["status"], json!(status), "{body}");
        (*status, body["error"]["type"].as_str().unwrap(), body["error"]["reason"].as_str().unwrap())
    }

    /// What the repository `r` is called in explanations.
    fn r(dialect: Dialect) -> &'static str {
        if dialect == Dialect::Elasticsearch9_2 { "default:r" } else { "r" }
    }

    fn alert() -> Value {
        json!({"indices": ["optimize-alert_v4"], "include_global_state": false})
    }

    #[test]
    fn a_repository_tells_its_settings() {
        on_every_engine(|_, engine| {
            let of = |name: &str, settings: Value| json!({name: {"type": "fs", "settings": settings}});
            assert_eq!(get(engine, "_snapshot/r"), (200, of("r", json!({"location": "r"}))));
            let read_only = json!({"location": "ro", "readonly": "true"});
            assert_eq!(get(engine, "_snapshot/ro"), (200, of("ro", read_only)));
            for answer in
                [get(engine, "_snapshot/none"), put(engine, "none", "s", alert()), delete(engine, "_snapshot/none/s")]
            {
                assert_eq!(refused(&answer), (404, "repository_missing_exception", "[none] missing"));
            }
        });
    }

    #[test]
    fn a_list_in_an_unknown_repository_is_a_success_on_some() {
        on_every_engine(|dialect, engine| {
            for mode in ["", "ignore_unavailable=true&", "verbose=false&"] {
                let answer = get(engine, &format!("_snapshot/none/s*?{mode}filter_path={FIELDS}"));
                if matches!(dialect, Dialect::Elasticsearch8_11 | Dialect::Elasticsearch7_17) {
                    let failure = json!({"type": "repository_missing_exception", "reason": "[none] missing"});
                    assert_eq!(answer, (200, json!({"failures": {"none": failure}})));
                } else {
                    assert_eq!(refused(&answer), (404, "repository_missing_exception", "[none] missing"));
                }
            }
        });
    }

    #[test]
    fn a_pattern_without_a_match_is_a_404_on_most() {
        on_every_engine(|dialect, engine| {
            for mode in ["", "verbose=false&"] {
                let answer = get(engine, &format!("_snapshot/r/s*?{mode}filter_path={FIELDS}"));
                if matches!(dialect, Dialect::Elasticsearch8_19 | Dialect::Elasticsearch9_2) {
                    assert_eq!(answer, (200, json!({})));
                } else {
                    assert_eq!(refused(&answer), (404, "snapshot_missing_exception", "[r:s*] is missing"));
                }
            }
            assert_eq!(get(engine, "_snapshot/r/s*?ignore_unavailable=true"), (200, json!({"snapshots": []})));
            assert_eq!(refused(&get(engine, "_snapshot/r/s")).0, 404);
        });
    }

    #[test]
    fn a_snapshot_runs_until_it_is_finished() {
        on_every_engine(|_, engine| {
            let metadata = json!({"by": "me"});
            let body = json!({"indices": ["optimize-alert_v4"], "include_global_state": false, "metadata": metadata});
            assert_eq!(put(engine, "r", "s", body), (200, json!({"accepted": true})));
            let listed = || get(engine, "_snapshot/r/s*").1["snapshots"][0].clone();
            assert_eq!(listed()["state"], "IN_PROGRESS");
            assert_eq!((&listed()["start_time_in_millis"], &listed()["end_time_in_millis"]), (&json!(1000), &json!(0)));
            engine.pass(Duration::from_secs(1));
            engine.finish("s", SnapshotState::Success);
            assert_eq!((&listed()["state"], &listed()["end_time_in_millis"]), (&json!("SUCCESS"), &json!(2000)));
            assert_eq!((&listed()["metadata"], &listed()["failures"]), (&metadata, &json!([])));
            let outline = &get(engine, "_snapshot/r/s*?verbose=false").1["snapshots"][0];
            assert_eq!((&outline["state"], &outline["metadata"]), (&json!("SUCCESS"), &json!(null)));
        });
    }

    #[test]
    fn a_snapshot_can_succeed_by_itself() {
        let engine = engine(Dialect::Elasticsearch8_19);
        engine.write_within(Duration::from_secs(5));
        put(&engine, "r", "s", alert());
        for (state, ended) in [("IN_PROGRESS", 0), ("SUCCESS", 6000)] {
            let listed = &get(&engine, "_snapshot/r/s").1["snapshots"][0];
            assert_eq!((&listed["state"], &listed["end_time_in_millis"]), (&json!(state), &json!(ended)));
            engine.pass(Duration::from_secs(60));
        }
    }

    #[test]
    fn a_name_is_taken_once() {
        on_every_engine(|dialect, engine| {
            put(engine, "r", "s", alert());
            let kind = match dialect {
                Dialect::Elasticsearch8_19 | Dialect::Elasticsearch8_11 | Dialect::Elasticsearch9_2 => {
                    "snapshot_name_already_in_use_exception"
                }
                Dialect::Elasticsearch7_17 | Dialect::OpenSearch2_19 | Dialect::OpenSearch3_1 => {
                    "invalid_snapshot_name_exception"
                }
            };
            let expect = |why: &str| {
                let missing_too = put(engine, "r", "s", json!({"indices": ["none"]}));
                let reason = format!("[{}:s] Invalid snapshot name [s], snapshot with the same name {why}", r(dialect));
                assert_eq!(refused(&missing_too), (400, kind, reason.as_str()));
            };
            expect("is already in-progress");
            engine.finish("s", SnapshotState::Failed);
            expect("already exists");
            let capital = put(engine, "r", "S", alert());
            let reason = format!("[{}:S] Invalid snapshot name [S], must be lowercase", r(dialect));
            assert_eq!(refused(&capital), (400, "invalid_snapshot_name_exception", reason.as_str()));
        });
    }

    #[test]
    fn a_new_snapshot_is_refused_for_its_indices() {
        on_every_engine(|dialect, engine| {
            let missing = put(engine, "r", "s", json!({"indices": ["optimize-alert_v4", "none"]}));
            assert_eq!(refused(&missing), (404, "index_not_found_exception", "no such index [none]"));
            engine.assign_primary("optimize-alert_v4", false);
            let answer = put(engine, "r", "s", alert());
            let (status, kind, reason) = refused(&answer);
            assert_eq!((status, kind), (500, "snapshot_exception"));
            assert!(
                reason.contains(&format!("[{}:s/", r(dialect))) && reason.contains("optimize-alert_v4"),
                "{reason}"
            );
            assert_eq!(engine.snapshots("r"), []);
        });
    }

    #[test]
    fn a_read_only_repository_takes_no_snapshot() {
        on_every_engine(|_, engine| {
            let reason = "[ro] cannot create snapshot in a readonly repository";
            assert_eq!(refused(&put(engine, "ro", "s", alert())), (500, "repository_exception", reason));
        });
    }

    #[test]
    fn no_indices_are_all_of_the_cluster() {
        on_every_engine(|_, engine| {
            for (name, body) in [("empty", json!({"indices": []})), ("none", json!({}))] {
                put(engine, "r", name, body);
                let snapshot = engine.snapshots("r").pop().unwrap();
                assert_eq!(snapshot.indices, ["operate-alert_v4", "optimize-alert_v4"]);
                assert!(snapshot.include_global_state);
            }
        });
    }

    #[test]
    fn metadata_has_1024_bytes() {
        on_every_engine(|_, engine| {
            let body = |length: usize| json!({"indices": ["optimize-alert_v4"], "metadata": {"x": "y".repeat(length)}});
            assert_eq!(put(engine, "r", "s1", body(1016)).0, 200);
            let reason = "Validation Failed: 1: metadata must be smaller than 1024 bytes, but was [1025];";
            let answer = put(engine, "none", "s2", body(1017));
            assert_eq!(refused(&answer), (400, "action_request_validation_exception", reason));
        });
    }

    #[test]
    fn one_damaged_snapshot_spoils_a_list() {
        let damages =
            [(Damage::Missing, 404, "snapshot_missing_exception"), (Damage::Unreadable, 500, "snapshot_exception")];
        for (damage, status, kind) in damages {
            on_every_engine(|dialect, engine| {
                for name in ["s1", "s2"] {
                    engine.store("r", StoredSnapshot::new(name, SnapshotState::Success, engine.now()));
                }
                engine.damage("s1", Some(damage));
                for target in ["_snapshot/r/s*", "_snapshot/r/s1"] {
                    let answer = get(engine, &format!("{target}?filter_path={FIELDS}"));
                    let (found, found_kind, reason) = refused(&answer);
                    assert_eq!((found, found_kind), (status, kind));
                    assert!(reason.starts_with(&format!("[{}:s1/", r(dialect))), "{reason}");
                }
                let s2 = json!({"snapshot": "s2", "state": "SUCCESS"});
                let readable = get(engine, &format!("_snapshot/r/s*?ignore_unavailable=true&filter_path={FIELDS}"));
                assert_eq!(readable, (200, json!({"snapshots": [s2]})));
                let s1 = json!({"snapshot": "s1", "state": "SUCCESS"});
                let names = get(engine, &format!("_snapshot/r/s*?verbose=false&filter_path={FIELDS}"));
                assert_eq!(names, (200, json!({"snapshots": [s1, s2]})));
                assert_eq!(delete(engine, "_snapshot/r/s1"), (200, json!({"acknowledged": true})));
            });
        }
    }

    #[test]
    fn all_are_deleted_or_none() {
        on_every_engine(|dialect, engine| {
            put(engine, "r", "s", alert());
            let answer = delete(engine, "_snapshot/r/s,none");
            let reason = format!("[{}:none] is missing", r(dialect));
            assert_eq!(refused(&answer), (404, "snapshot_missing_exception", reason.as_str()));
            assert_eq!(engine.snapshots("r").len(), 1);
            assert_eq!(delete(engine, "_snapshot/r/s,s"), (200, json!({"acknowledged": true})));
            assert_eq!(engine.snapshots("r"), []);
        });
    }

    #[test]
    fn deleting_a_running_snapshot_takes_long_on_most() {
        on_every_engine(|dialect, engine| {
            put(engine, "r", "s", alert());
            let answer = engine.submit(&request(Method::Delete, "_snapshot/r/s", None)).unwrap();
            assert_eq!(answer.is_some(), dialect == Dialect::Elasticsearch8_11);
            assert_eq!(engine.snapshots("r"), []);
        });
    }

    #[test]
    fn indices_and_aliases_are_resolved() {
        on_every_engine(|_, engine| {
            let index = json!({"name": "optimize-alert_v4", "aliases": ["optimize-alert"], "attributes": ["open"]});
            let alias = json!({"name": "optimize-alert", "indices": ["optimize-alert_v4"]});
            let expected = json!({"indices": [index], "aliases": [alias], "data_streams": []});
            assert_eq!(get(engine, "_resolve/index/optimize-*?expand_wildcards=all"), (200, expected));
            let nothing = json!({"indices": [], "aliases": [], "data_streams": []});
            assert_eq!(get(engine, "_resolve/index/none-*?expand_wildcards=all"), (200, nothing));
        });
    }

    #[test]
    fn a_document_is_read_through_its_alias() {
        on_every_engine(|_, engine| {
            let read = |alias: &str| get(engine, &format!("{alias}/_doc/1?_source=schemaVersion"));
            assert_eq!(refused(&read("none")), (404, "index_not_found_exception", "no such index [none]"));
            let missing = json!({"_index": "optimize-alert_v4", "_id": "1", "found": false});
            assert_eq!(read("optimize-alert"), (404, missing));
            engine.set_document("optimize-alert_v4", Some(json!({"id": "1"})));
            assert_eq!(read("optimize-alert").1["_source"], json!({}));
            engine.set_document("optimize-alert_v4", Some(json!({"id": "1", "schemaVersion": "8.6.0"})));
            assert_eq!(read("optimize-alert").1["_source"], json!({"schemaVersion": "8.6.0"}));
        });
    }

    #[test]
    fn versions_are_those_of_the_engine() {
        let versions = [
            (Dialect::Elasticsearch8_19, json!({"version": "8.19.0", "index_version": 8_536_000}), 8_536_000),
            (Dialect::Elasticsearch8_11, json!({"version": "8.11.0", "index_version": 8_500_003}), 8_500_003),
            (Dialect::Elasticsearch7_17, json!({"version": "7.17.24"}), 7_172_499),
            (Dialect::OpenSearch2_19, json!({"version": "2.19.0"}), 136_407_827),
            (Dialect::Elasticsearch9_2, json!({"version": "9.2.0", "index_version": 9_039_001}), 9_039_001),
            (Dialect::OpenSearch3_1, json!({"version": "3.1.0"}), 137_227_827),
        ];
        for (dialect, node, version_id) in versions {
            let engine = engine(dialect);
            let (_, nodes) = get(&engine, "_nodes/_all/http?filter_path=nodes.*.version,nodes.*.index_version");
            assert_eq!(nodes["nodes"].as_object().unwrap().values().collect::<Vec<_>>(), [&node]);
            put(&engine, "r", "s", alert());
            assert_eq!(get(&engine, "_snapshot/r/s").1["snapshots"][0]["version_id"], json!(version_id));
        }
    }

    #[test]
    fn what_it_does_not_know_it_refuses() {
        on_every_engine(|_, engine| {
            put(engine, "r", "s", alert());
            for answer in [
                get(engine, "_cat/indices"),
                get(engine, "_snapshot/r/*/_status"),
                get(engine, "_snapshot/r/s,s/_status"),
                get(engine, "_snapshot/r/s/_status?ignore_unavailable=true"),
                get(engine, "optimize-alert/_stats/store"),
                get(engine, "_snapshot/r/*s"),
                get(engine, "_snapshot/r/*s,a"),
                get(engine, "_snapshot/r/s*?size=100"),
                get(engine, "_snapshot/r/s*?verbose=true"),
                get(engine, "_resolve/index/*-alert"),
                get(engine, "optimize-alert/_doc/1"),
                delete(engine, "_snapshot/r/*s"),
                delete(engine, "_snapshot/r/s?wait_for_completion=true"),
                put(engine, "r", "t", json!({"indices": ["optimize-*"]})),
                put(engine, "r", "t", json!({"indices": ["optimize-alert_v4"], "partial": true})),
                put(engine, "r", "t", json!({"indices": "optimize-alert_v4"})),
                put(engine, "r", "t", json!({"indices": ["optimize-alert_v4"], "feature_states": []})),
            ] {
                let (status, _, reason) = refused(&answer);
                assert!(status == 400 && reason.starts_with("the engine in memory does not know"), "{reason}");
            }
            assert_eq!(engine.snapshots("r").len(), 1);
        });
    }

    #[test]
    fn it_records_what_it_was_asked() {
        let engine = engine(Dialect::OpenSearch2_19);
        get(&engine, "_snapshot/r");
        delete(&engine, "_snapshot/r/s");
        let requests: Vec<String> = engine.requests().iter().map(ToString::to_string).collect();
        assert_eq!(requests, ["GET /_snapshot/r", "DELETE /_snapshot/r/s"]);
    }
}
