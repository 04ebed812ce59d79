//! What a restore may write.

use backup_core::restore::{ExactIndices, MARK, NewAlias, RenamePattern, RestoreRun, RunIndex};
use backup_core::{Part, SnapshotName};

use super::*;

const INDICES: [&str; 2] = ["optimize-metadata_v3", "optimize-settings_v3"];

fn prefix(text: &str) -> IndexPrefix {
    IndexPrefix::parse(text).unwrap()
}

fn run(rename_prefix: Option<&str>) -> RestoreRun {
    let index = |index: &str| RunIndex {
        part: Part::Two,
        index: index.to_owned(),
        target: rename_prefix.map_or_else(|| index.to_owned(), |other| index.replace("optimize", other)),
        size: None,
        replaces: None,
    };
    RestoreRun {
        backup_id: backup_core::BackupId::parse("12").unwrap(),
        rename_prefix: rename_prefix.map(prefix),
        snapshots: vec!["a".to_owned(), "b".to_owned()],
        indices: INDICES.map(index).to_vec(),
    }
}

fn in_place() -> Scope {
    Scope::of_restore(&run(None), &prefix("optimize"))
}

fn renamed() -> Scope {
    Scope::of_restore(&run(Some("other")), &prefix("optimize"))
}

fn exact(names: &[&str]) -> ExactIndices {
    let of = if names[0].starts_with("other") { "other" } else { "optimize" };
    ExactIndices::new(&prefix(of), names.iter().map(|&name| name.to_owned()).collect()).unwrap()
}

fn restore(names: &[&str], rename: Option<&RenamePattern>) -> Request {
    let name = SnapshotName::parse("camunda_optimize_12_8.6.0_part_2_of_2").unwrap();
    Request::restore(&RepositoryName::parse("backups").unwrap(), &name, &exact(names), rename, "u-1_x")
}

fn rehearsal(names: &[&str]) -> Request {
    let name = SnapshotName::parse("camunda_optimize_12_8.6.0_part_2_of_2").unwrap();
    Request::rehearse_restore(&RepositoryName::parse("backups").unwrap(), &name, &exact(names), &prefix("optimize"))
}

/// A restore with another body.
fn with(change: impl Fn(&mut serde_json::Value)) -> Request {
    let request = restore(&INDICES, None);
    let mut body = serde_json::from_str(request.body.as_deref().unwrap()).unwrap();
    change(&mut body);
    Request { body: Some(body.to_string()), ..request }
}

fn aliases(index: &str, alias: &str) -> Request {
    let alias = NewAlias { index: index.to_owned(), alias: alias.to_owned(), is_write_index: Some(true) };
    Request::add_aliases(&[alias])
}

#[test]
fn what_a_restore_needs_is_granted() {
    for asked in [
        restore(&INDICES, None),
        rehearsal(&INDICES[..1]),
        Request::delete_indices(&exact(&INDICES)),
        Request::mark_indices(&exact(&INDICES[..1]), "u-1_x.restored"),
        Request::release_indices(&exact(&INDICES)),
        Request::unmark_indices(&exact(&["optimize-left-by-another_v1"])),
    ] {
        let granted = grants().check(asked.clone(), in_place()).unwrap();
        let body = |body: &Option<String>| body.as_deref().map(serde_json::from_str::<serde_json::Value>).transpose();
        assert_eq!(body(&granted.request().body).unwrap(), body(&asked.body).unwrap());
        for scope in [Scope::Read, Scope::of_create("12"), Scope::of_advance(12), Scope::of_delete("12")] {
            assert!(matches!(grants().check(asked.clone(), scope), Err(Denial::Scope { .. })), "{asked}");
        }
    }
}

#[test]
fn what_plans_and_steps_read_is_granted_to_every_call() {
    let (own, other) = (prefix("optimize"), prefix("other"));
    let of = |prefix: &IndexPrefix| {
        [
            Request::index_settings(prefix),
            Request::restore_marks(prefix),
            Request::shards(prefix),
            Request::recoveries(prefix),
            Request::index_statistics(prefix),
            Request::aliases(prefix),
            Request::resolve(prefix),
            Request::optimize_version(prefix),
        ]
    };
    let cluster = [
        Request::snapshot_tasks(),
        Request::disk_space(),
        Request::cluster_size(),
        Request::shard_limit(),
        Request::disk_watermarks(),
    ];
    for asked in of(&own).into_iter().chain(cluster) {
        assert_eq!(grants().check(asked.clone(), Scope::Read).map(|granted| granted.request), Ok(asked));
    }
    for asked in of(&other) {
        assert!(matches!(grants().check(asked.clone(), Scope::Read), Err(Denial::Expression { .. })), "{asked}");
        assert!(grants().check(asked.clone(), in_place()).is_err());
        assert!(grants().check(asked.clone(), Scope::of_restore_read(Some(&other))).is_ok(), "{asked}");
        assert!(grants().check(asked, renamed()).is_ok());
    }
}

#[test]
fn of_the_cluster_only_what_is_needed_is_read() {
    for line in [
        "GET /_cluster/state/customs",
        "GET /_cluster/state/customs?filter_path=*",
        "GET /_cluster/state",
        "GET /_cluster/state/metadata",
        "GET /_cluster/settings?include_defaults=true",
        "GET /_cluster/settings?filter_path=persistent",
        "GET /_cluster/settings?filter_path=*.cluster&include_defaults=true",
        "GET /_cat/shards/optimize-*",
        "GET /_cat/shards/*?format=json",
        "GET /_cat/indices/optimize-*?format=json",
        "GET /_all/_settings/index.uuid",
        "GET /optimize-*,secrets/_settings/index.uuid",
        "GET /secrets-*/_recovery",
        "GET /optimize-*/_stats/_all",
        "GET /optimize-*/_search",
        "GET /*/_alias",
        "GET /_nodes/stats",
    ] {
        assert!(grants().check(request(line), in_place()).is_err(), "{line}");
    }
}

#[test]
fn nothing_but_the_indices_of_the_plan_is_deleted_or_changed() {
    for names in [
        "optimize-alert_v4",
        "optimize-metadata_v3,optimize-alert_v4",
        "optimize-eu-settings_v3",
        "operate-list-view-8.3.0_",
        "optimize-*",
        "*",
        "_all",
        "",
        "optimize-metadata_v3,",
        "-optimize-metadata_v3",
        "other-metadata_v3",
    ] {
        let path = vec![names.to_owned()];
        let deletion = Request { method: Method::Delete, path, query: Vec::new(), body: None };
        assert!(matches!(grants().check(deletion.clone(), in_place()), Err(Denial::Scope { .. })), "{names}");
        let mark = Request::mark_indices(&exact(&INDICES), "u");
        let mark = Request { path: vec![names.to_owned(), "_settings".to_owned()], ..mark };
        assert!(matches!(grants().check(mark, in_place()), Err(Denial::Scope { .. })), "{names}");
        assert!(grants().check(deletion, renamed()).is_err());
    }
}

#[test]
fn no_other_setting_is_changed() {
    for body in [
        "{}",
        r#"{"index.number_of_replicas":0}"#,
        r#"{"index.routing.allocation.exclude.optimize_backup_restore":null,"index.blocks.write":true}"#,
        r#"{"index.routing.allocation.exclude.optimize_backup_restore":"a*"}"#,
        r#"{"index.routing.allocation.exclude.optimize_backup_restore":true}"#,
        r#"{"index.routing.allocation.exclude._name":"a"}"#,
    ] {
        let mark = Request { body: Some(body.to_owned()), ..Request::release_indices(&exact(&INDICES)) };
        assert!(grants().check(mark, in_place()).is_err(), "{body}");
    }
}

#[test]
fn a_restore_lists_indices_of_the_plan_and_nothing_else() {
    use serde_json::json;
    let bodies: Vec<Request> = vec![
        with(|body| body["indices"] = json!([])),
        with(|body| drop(body.as_object_mut().unwrap().remove("indices"))),
        with(|body| body["indices"] = json!(["*"])),
        with(|body| body["indices"] = json!(["optimize-*"])),
        with(|body| body["indices"] = json!("optimize-metadata_v3")),
        with(|body| body["indices"] = json!(["optimize-metadata_v3", "optimize-alert_v4"])),
        with(|body| body["indices"] = json!(["optimize-eu-settings_v3"])),
        with(|body| body["indices"] = json!(["optimize-metadata_v3", "-optimize-alert_v4"])),
        with(|body| body["include_global_state"] = json!(true)),
        with(|body| drop(body.as_object_mut().unwrap().remove("include_global_state"))),
        with(|body| body["include_aliases"] = json!(false)),
        with(|body| body["partial"] = json!(true)),
        with(|body| body["ignore_unavailable"] = json!(true)),
        with(|body| body["feature_states"] = json!(["security"])),
        with(|body| body["ignore_index_settings"] = json!(["index.*"])),
        with(|body| body["index_settings"] = json!({"index.number_of_replicas": 0})),
        with(|body| body["index_settings"] = json!({MARK: "*"})),
        with(|body| body["rename_pattern"] = json!("optimize")),
        with(|body| {
            body["rename_pattern"] = json!("(.+)");
            body["rename_replacement"] = json!("operate-$1");
        }),
        with(|body| body["rename_alias_pattern"] = json!("(.+)")),
    ];
    for asked in bodies {
        assert!(grants().check(asked.clone(), in_place()).is_err(), "{:?}", asked.body);
    }
    assert!(grants().check(Request { body: None, ..restore(&INDICES, None) }, in_place()).is_err());
}

#[test]
fn under_an_impossible_name_one_index_of_the_plan_is_asked_for_and_nothing_else() {
    let with = |key: &str, value: serde_json::Value| {
        let mut body: serde_json::Value = serde_json::from_str(&rehearsal(&INDICES[..1]).body.unwrap()).unwrap();
        body[key] = value;
        Request { body: Some(body.to_string()), ..rehearsal(&INDICES[..1]) }
    };
    for asked in [
        rehearsal(&INDICES),
        rehearsal(&["optimize-alert_v4"]),
        with("include_aliases", true.into()),
        with("include_global_state", true.into()),
        with("rename_pattern", "(.+)".into()),
        with("rename_replacement", "optimize-#$1".into()),
        with("rename_replacement", "optimize-NOT-RESTORED-$1".into()),
        with("rename_replacement", serde_json::Value::Null),
    ] {
        assert!(grants().check(asked.clone(), in_place()).is_err(), "{:?}", asked.body);
    }
    assert!(grants().check(rehearsal(&INDICES[..1]), renamed()).is_err());
    for scope in [Scope::Read, Scope::of_create("12"), Scope::of_restore_read(None), Scope::of_verification("12")] {
        assert!(grants().check(rehearsal(&INDICES[..1]), scope).is_err());
    }
}

#[test]
fn a_restore_is_of_its_backup() {
    for name in ["camunda_optimize_13_8.6.0_part_2_of_2", "camunda_optimize_1_8.6.0_part_2_of_2", "camunda_optimize_12"]
    {
        let mut asked = restore(&INDICES, None);
        name.clone_into(&mut asked.path[2]);
        assert!(matches!(grants().check(asked, in_place()), Err(Denial::Scope { .. })), "{name}");
    }
    for path in [["_snapshot", "other", "camunda_optimize_12_a"], ["_snapshot", "backups", "by-hand"]] {
        let mut asked = restore(&INDICES, None);
        asked.path.splice(..3, path.map(str::to_owned));
        assert!(grants().check(asked, in_place()).is_err(), "{path:?}");
    }
    let waiting =
        Request { query: vec![("wait_for_completion".to_owned(), "true".to_owned())], ..restore(&INDICES, None) };
    assert!(grants().check(waiting, in_place()).is_err());
}

#[test]
fn with_another_prefix_nothing_is_deleted_and_aliases_are_added_under_it() {
    let rename = RenamePattern::new(&prefix("optimize"), &prefix("other")).unwrap();
    assert!(grants().check(restore(&INDICES, Some(&rename)), renamed()).is_ok());
    assert!(grants().check(restore(&INDICES, None), renamed()).is_err(), "into the living installation");
    assert!(grants().check(restore(&INDICES, Some(&rename)), in_place()).is_err());
    let another = RenamePattern::new(&prefix("optimize"), &prefix("operate")).unwrap();
    assert!(grants().check(restore(&INDICES, Some(&another)), renamed()).is_err());
    assert!(grants().check(Request::delete_indices(&exact(&["other-metadata_v3"])), renamed()).is_err());
    assert!(grants().check(Request::delete_indices(&exact(&INDICES)), renamed()).is_err());
    assert!(grants().check(Request::release_indices(&exact(&["other-metadata_v3"])), renamed()).is_ok());

    assert!(grants().check(aliases("other-metadata_v3", "other-metadata"), renamed()).is_ok());
    assert!(grants().check(aliases("optimize-metadata_v3", "other-metadata"), renamed()).is_err());
    assert!(grants().check(aliases("other-metadata_v3", "optimize-metadata"), renamed()).is_err());
    assert!(grants().check(aliases("other-metadata_v3", "other-*"), renamed()).is_err());
    assert!(grants().check(aliases("optimize-metadata_v3", "optimize-metadata"), in_place()).is_err());
    let remove = r#"{"actions":[{"remove_index":{"index":"other-metadata_v3"}}]}"#;
    let remove = Request { body: Some(remove.to_owned()), ..aliases("other-metadata_v3", "other-metadata") };
    assert!(grants().check(remove, renamed()).is_err());
}

#[test]
fn a_run_of_anything_else_is_granted_nothing() {
    let own = prefix("optimize");
    let change = |index: &str, target: &str| {
        let mut run = run(None);
        (run.indices[0].index, run.indices[0].target) = (index.to_owned(), target.to_owned());
        Scope::of_restore(&run, &own)
    };
    assert_eq!(change("operate-a", "operate-a"), Scope::Read);
    assert_eq!(change("optimize-*", "optimize-*"), Scope::Read);
    assert_eq!(change("optimize-a", "optimize-b"), Scope::Read);
    for other in ["optimize", "optimize-eu"] {
        assert_eq!(Scope::of_restore(&run(Some(other)), &own), Scope::Read, "{other}");
    }
}

#[test]
fn of_outer_prefixes_only_names_are_read_and_only_for_another_prefix() {
    let (outer, look) = (prefix("other"), prefix("other-look"));
    let scope = Scope::of_restore_read(Some(&look));
    assert!(grants().check(Request::resolve(&outer), scope.clone()).is_ok());
    for asked in [Request::index_settings(&outer), Request::aliases(&outer), Request::resolve(&prefix("another"))] {
        assert!(grants().check(asked, scope.clone()).is_err());
    }
    assert!(grants().check(Request::resolve(&outer), Scope::Read).is_err());
}

#[test]
fn the_length_of_names_counts_as_they_are_sent() {
    let names: Vec<String> = (10..70).map(|n| format!("optimize-process-instance-{}_v{n}", "ä".repeat(8))).collect();
    let all = ExactIndices::new(&prefix("optimize"), names.clone()).unwrap();
    let index = |name: &String| RunIndex {
        part: Part::Two,
        index: name.clone(),
        target: name.clone(),
        size: None,
        replaces: None,
    };
    let run = RestoreRun { indices: names.iter().map(index).collect(), ..run(None) };
    let scope = Scope::of_restore(&run, &prefix("optimize"));
    let denied = grants().check(Request::delete_indices(&all), scope);
    assert!(matches!(denied, Err(Denial::TooLong { found, .. }) if found > 60 * 70), "{denied:?}");
}
