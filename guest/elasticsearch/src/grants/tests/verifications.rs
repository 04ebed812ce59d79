//! What the calls of verifications may write and read.

use backup_core::restore::{ExactIndices, MARK, RenamePattern};
use backup_core::verification::HOLDER;
use backup_core::{BackupId, SnapshotName};
use serde_json::{Value, json};

use super::*;

const INDICES: [&str; 2] = ["optimize-metadata_v3", "optimize-settings_v3"];
const COPIES: [&str; 2] =
    ["optimize-backup-verify-12-optimize-metadata_v3", "optimize-backup-verify-12-optimize-settings_v3"];
const LOCK: &str = "optimize-backup-verify-lock";

fn prefix() -> IndexPrefix {
    IndexPrefix::parse("optimize").unwrap()
}

fn verify() -> Scope {
    Scope::of_verification("12")
}

fn copies(change: impl Fn(&mut Value)) -> Request {
    copies_of(&INDICES, change)
}

fn copies_of(indices: &[&str], change: impl Fn(&mut Value)) -> Request {
    let name = SnapshotName::parse("camunda_optimize_12_8.6.0_part_2_of_2").unwrap();
    let names: Vec<String> = indices.iter().map(|&name| name.to_owned()).collect();
    let rename = RenamePattern::to_copies(&prefix(), BackupId::parse("12").unwrap(), &names);
    let indices = ExactIndices::new(&prefix(), names).unwrap();
    let repository = RepositoryName::parse("backups").unwrap();
    let request = Request::copy_indices(&repository, &name, &indices, &rename, "u-1_x", "12.run");
    let mut body = serde_json::from_str(request.body.as_deref().unwrap()).unwrap();
    change(&mut body);
    Request { body: Some(body.to_string()), ..request }
}

fn deletion(names: &str) -> Request {
    Request { method: Method::Delete, path: vec![names.to_owned()], query: Vec::new(), body: None }
}

fn with_body(request: Request, body: &Value) -> Request {
    Request { body: Some(body.to_string()), ..request }
}

fn other_scopes() -> [Scope; 6] {
    [
        Scope::Read,
        Scope::of_create("12"),
        Scope::of_advance(12),
        Scope::of_delete("12"),
        Scope::ReadVerification,
        Scope::of_verification("no id"),
    ]
}

#[test]
fn what_a_verification_needs_is_granted_to_it_alone() {
    for asked in [
        Request::take_lock("12.run.0"),
        Request::hold_lock("12.run.1"),
        Request::release_lock(),
        copies(|_| {}),
        deletion(&COPIES.join(",")),
        deletion("optimize-backup-verify-3-optimize-settings_v3"),
    ] {
        let granted = grants().check(asked.clone(), verify()).unwrap();
        let body = |body: &Option<String>| body.as_deref().map(serde_json::from_str::<Value>).transpose().unwrap();
        assert_eq!(body(&granted.request().body), body(&asked.body));
        for scope in other_scopes() {
            assert!(matches!(grants().check(asked.clone(), scope), Err(Denial::Scope { .. })), "{asked}");
        }
    }
}

#[test]
fn to_clear_is_to_delete_what_verifications_have_made() {
    let clear = |asked| grants().check(asked, Scope::ClearVerification);
    assert!(clear(deletion(&COPIES.join(","))).is_ok());
    assert!(clear(Request::release_lock()).is_ok());
    for asked in [Request::take_lock("12.run.0"), Request::hold_lock("12.run.1"), copies(|_| {})] {
        assert!(clear(asked.clone()).is_err(), "{asked}");
    }
}

#[test]
fn nothing_but_exact_names_of_what_verifications_make_is_deleted() {
    for names in [
        "optimize-settings_v3",
        "optimize-backup-verify-12-optimize-settings_v3,optimize-settings_v3",
        "optimize-backup-verify-*",
        "optimize-backup-verify-12-*",
        "optimize-backup-verify-",
        "optimize-backup-verify",
        "optimize-backup-verifying-a",
        "optimize-backup-verify-a,",
        "-optimize-backup-verify-a",
        "<optimize-backup-verify-{now}>",
        "optimize-backup-verify-<a>",
        "a:optimize-backup-verify-a",
        "optimize-backup-verify-a/b",
        "*",
        "_all",
        "",
    ] {
        for scope in [verify(), Scope::ClearVerification] {
            assert!(grants().check(deletion(names), scope).is_err(), "{names}");
        }
    }
}

#[test]
fn the_lock_is_one_index_with_a_holder() {
    let holder = json!({HOLDER: "12.run.0", "index.number_of_shards": "1", "index.number_of_replicas": "0"});
    let create = |name: &str, body: &Value| {
        let asked = Request { path: vec![name.to_owned()], ..Request::take_lock("12.run.0") };
        grants().check(with_body(asked, body), verify())
    };
    assert!(create(LOCK, &json!({"settings": holder})).is_ok());
    for name in ["optimize-settings_v4", "optimize-backup-verify-12-optimize-a", "optimize-backup-verify-locks", "*"] {
        assert!(create(name, &json!({"settings": holder})).is_err(), "{name}");
    }
    for body in [
        json!({}),
        json!({"settings": {}}),
        json!({"settings": {HOLDER: "12.run.0"}}),
        json!({"settings": holder, "aliases": {"optimize-metadata": {}}}),
        json!({"settings": holder, "mappings": {}}),
        json!({"settings": {HOLDER: "*", "index.number_of_shards": "1", "index.number_of_replicas": "0"}}),
        json!({"settings": {HOLDER: "12.run.0", "index.number_of_shards": "9", "index.number_of_replicas": "0"}}),
        json!({"settings": {HOLDER: "12.run.0", "index.number_of_shards": "1", "index.number_of_replicas": "9"}}),
        json!({"settings": {HOLDER: "12.run.0", "index.number_of_shards": "1", "index.blocks.write": "true"}}),
    ] {
        assert!(create(LOCK, &body).is_err(), "{body}");
    }
    assert!(grants().check(Request { body: None, ..Request::take_lock("a") }, verify()).is_err());
    for body in [
        json!({}),
        json!({HOLDER: null}),
        json!({HOLDER: "a*"}),
        json!({MARK: "a"}),
        json!({"index.blocks.write": true}),
    ] {
        assert!(grants().check(with_body(Request::hold_lock("a"), &body), verify()).is_err(), "{body}");
    }
    let of_others = Request { path: vec![COPIES[0].to_owned(), "_settings".to_owned()], ..Request::hold_lock("a") };
    assert!(grants().check(of_others, verify()).is_err());
}

#[test]
fn copies_are_of_the_backup_and_the_installation_and_have_the_names_of_copies() {
    let denied: [fn(&mut Value); 17] = [
        |body| body["indices"] = json!([]),
        |body| drop(body.as_object_mut().unwrap().remove("indices")),
        |body| body["indices"] = json!(["*"]),
        |body| body["indices"] = json!(["optimize-*"]),
        |body| body["indices"] = json!(["operate-a"]),
        |body| body["indices"] = json!([COPIES[0]]),
        |body| body["indices"] = json!(["optimize-metadata_v3", "-optimize-settings_v3"]),
        |body| body["include_global_state"] = json!(true),
        |body| body["include_aliases"] = json!(true),
        |body| body["partial"] = json!(true),
        |body| body["ignore_index_settings"] = json!(["index.*"]),
        |body| body["index_settings"] = json!({"index.number_of_replicas": "2"}),
        |body| body["index_settings"] = json!({"index.routing.allocation.require._name": "a"}),
        |body| body["rename_pattern"] = json!("(.+)"),
        |body| drop(body.as_object_mut().unwrap().remove("rename_pattern")),
        |body| body["rename_replacement"] = json!("optimize-backup-verify-13-optimize-$1"),
        |body| body["rename_replacement"] = json!("operate-$1"),
    ];
    for (number, change) in denied.into_iter().enumerate() {
        assert!(grants().check(copies(change), verify()).is_err(), "{number}");
    }
    for name in ["camunda_optimize_13_8.6.0_part_2_of_2", "camunda_optimize_1", "by-hand"] {
        let mut asked = copies(|_| {});
        name.clone_into(&mut asked.path[2]);
        assert!(grants().check(asked, verify()).is_err(), "{name}");
    }
    assert!(grants().check(Request { body: None, ..copies(|_| {}) }, verify()).is_err());
}

/// Only the whole name of a copy is granted that stands for exactly this index.
#[test]
fn a_copy_whose_name_would_be_too_long_has_a_number_in_its_name() {
    let long = format!("optimize-process-instance-{}_v8", "x".repeat(215));
    let asked = copies_of(&[&long], |_| {});
    let body: Value = serde_json::from_str(asked.body.as_deref().unwrap()).unwrap();
    let name = body["rename_replacement"].as_str().unwrap().to_owned();
    assert_eq!(name, backup_core::verification::scratch::copy_name(BackupId::parse("12").unwrap(), &long));
    assert!(grants().check(asked, verify()).is_ok());
    assert!(grants().check(deletion(&format!("{name},{}", COPIES[0])), verify()).is_ok());
    let denied: [&dyn Fn(&mut Value); 4] = [
        &|body| body["indices"] = json!([INDICES[0]]),
        &|body| body["indices"] = json!([long, INDICES[0]]),
        &|body| body["rename_replacement"] = json!(INDICES[0]),
        &|body| body["rename_replacement"] = json!(format!("{name}0")),
    ];
    for (number, change) in denied.into_iter().enumerate() {
        assert!(grants().check(copies_of(&[&long], change), verify()).is_err(), "{number}");
    }
}

#[test]
fn a_verification_reads_what_it_has_made() {
    let scratch = IndexPrefix::of_verifications();
    let reads = [
        Request::index_settings(&scratch),
        Request::shards(&scratch),
        Request::recoveries(&scratch),
        Request::documents(&scratch),
    ];
    for asked in reads {
        for scope in [verify(), Scope::ReadVerification, Scope::ClearVerification] {
            assert!(grants().check(asked.clone(), scope).is_ok(), "{asked}");
        }
        assert!(grants().check(asked.clone(), Scope::Read).is_err(), "{asked}");
    }
    assert!(grants().check(Request::copied_version(COPIES[0]), verify()).is_ok());
    for (name, scope) in [
        (COPIES[0], Scope::Read),
        (COPIES[0], Scope::of_verification("13")),
        ("optimize-backup-verify-12-operate-a", verify()),
        ("optimize-backup-verify-12-*", verify()),
        ("optimize-settings_v3", verify()),
    ] {
        assert!(grants().check(Request::copied_version(name), scope).is_err(), "{name}");
    }
}

/// The names begin with the prefix of an installation that is called as ours is.
#[test]
fn no_backup_and_no_restore_takes_what_verifications_make() {
    let body = json!({"indices": [COPIES[0]], "include_global_state": false}).to_string();
    assert!(matches!(denial(put(&body)), Denial::Index { .. }));
    let mut run = backup_core::restore::RestoreRun {
        backup_id: BackupId::parse("12").unwrap(),
        rename_prefix: None,
        snapshots: Vec::new(),
        indices: Vec::new(),
    };
    run.indices.push(backup_core::restore::RunIndex {
        part: backup_core::Part::Two,
        index: COPIES[0].to_owned(),
        target: COPIES[0].to_owned(),
        size: None,
        replaces: None,
    });
    assert_eq!(Scope::of_restore(&run, &prefix()), Scope::Read);
}
