use backup_core::restore::{RestoreRun, RunIndex};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::Value;

use super::*;

/// Pieces of granted and of hostile segments, and arbitrary text.
fn segment() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "_snapshot",
        "backups",
        "other",
        "_all",
        "*",
        "..",
        "_status",
        "_resolve",
        "index",
        "optimize-*",
        "optimize-metadata",
        "secrets",
        "_search",
        "_doc",
        "1",
        "_nodes",
        "http",
        "camunda_optimize_1",
        "camunda_optimize_12_a",
        "camunda_optimize_12_a,camunda_optimize_12_b",
        "camunda_optimize_12_a,camunda_optimize_1_a",
        "camunda_optimize_12_*",
        "_restore",
        "_settings",
        "optimize-a",
        "optimize-a,optimize-b",
        "optimize-a,optimize-d",
        "optimize-backup-verify-lock",
        "optimize-backup-verify-12-optimize-a",
        "optimize-backup-verify-12-optimize-a,optimize-a",
        "optimize-backup-verify-*",
    ]);
    prop_oneof![
        8 => known.prop_map(str::to_owned),
        2 => "(camunda_optimize_[0-9]{0,2}[*_,<%. /a-]{0,2},?){0,3}",
        1 => any::<String>(),
    ]
}

/// Paths that are granted, with up to one segment replaced, and arbitrary ones.
fn path() -> impl Strategy<Value = Vec<String>> {
    let granted = prop::sample::select(vec![
        "_snapshot/backups",
        "_snapshot/backups/camunda_optimize_12_a",
        "_snapshot/backups/camunda_optimize_1/_status",
        "_resolve/index/optimize-*",
        "optimize-metadata/_search",
        "optimize-metadata/_doc/1",
        "_nodes/_all/http",
        "_nodes/_master/stats/os",
        "_snapshot/backups/camunda_optimize_12_a/_restore",
        "optimize-a",
        "optimize-a,optimize-c/_settings",
        "_aliases",
        "_cat/shards/optimize-*",
        "optimize-*/_recovery",
        "optimize-backup-verify-lock",
        "optimize-backup-verify-lock/_settings",
        "optimize-backup-verify-12-optimize-a,optimize-backup-verify-12-optimize-b",
        "optimize-backup-verify-*/_stats/docs",
    ]);
    let altered = (granted, option::of((0..4_usize, segment()))).prop_map(|(path, replacement)| {
        let mut path: Vec<String> = path.split('/').map(str::to_owned).collect();
        if let Some((index, segment)) = replacement {
            let index = index % path.len();
            path[index] = segment;
        }
        path
    });
    prop_oneof![3 => altered, 1 => vec(segment(), 0..5)]
}

fn index() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "optimize-[a-z]{1,3}",
        1 => "[-+<]?optimize-?[a-z*?,:/>]{0,3}",
        1 => any::<String>(),
    ]
}

fn body() -> impl Strategy<Value = String> {
    let flag = || prop_oneof![4 => Just(Value::Bool(false)), 1 => Just(Value::Bool(true)), 1 => Just(Value::Null)];
    (vec(index(), 0..4), flag(), option::of(flag()), option::weighted(0.1, ".*")).prop_map(
        |(indices, global, partial, unknown)| {
            let mut body = serde_json::json!({"indices": indices, "include_global_state": global});
            if indices.len() == 1 {
                body["include_aliases"] = Value::Bool(true);
            }
            if let Some(partial) = partial {
                body["partial"] = partial;
            }
            if let Some(unknown) = unknown {
                body[unknown] = Value::Bool(true);
            }
            body.to_string()
        },
    )
}

fn any_request() -> impl Strategy<Value = Request> {
    let method = prop_oneof![
        3 => Just(Method::Get),
        1 => Just(Method::Put),
        1 => Just(Method::Post),
        1 => Just(Method::Delete),
    ];
    let parameter = prop_oneof![
        4 => Just(("wait_for_completion".to_owned(), "false".to_owned())),
        4 => Just(("filter_path".to_owned(), "a".to_owned())),
        1 => any::<(String, String)>(),
    ];
    (method, path(), vec(parameter, 0..2), option::weighted(0.3, body()))
        .prop_map(|(method, path, query, body)| Request { method, path, query, body })
}

fn scope() -> impl Strategy<Value = Scope> {
    let id = prop_oneof![3 => Just(12), 1 => Just(1), 1 => any::<u64>()];
    (id, 0..8).prop_map(|(id, call)| match call {
        0 => Scope::Read,
        4 => restore_scope(),
        5 => Scope::of_verification(&id.to_string()),
        6 => Scope::ClearVerification,
        7 => Scope::ReadVerification,
        1 => Scope::of_create(&id.to_string()),
        2 => Scope::of_advance(id),
        _ => Scope::of_delete(&id.to_string()),
    })
}

/// Says again, in other words than the grants, what must hold for anything that is sent.
fn assert_harmless(request: &Request) {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match path.first().copied() {
        Some("_snapshot") => {
            assert_eq!(path[1], "backups");
            let names: Vec<&str> = path.get(2).map(|names| names.split(',').collect()).unwrap_or_default();
            assert!(names.iter().all(|name| name.starts_with("camunda_optimize_")));
            let reads = request.method == Method::Get;
            assert!(reads || !names.is_empty(), "the repository itself is only read");
            assert!(reads || !names.iter().any(|name| name.contains(['*', '?'])), "only reading takes patterns");
        }
        Some("_resolve") => assert_eq!(path, ["_resolve", "index", "optimize-*"]),
        Some("_nodes") => {}
        Some("_cluster" | "_cat" | "optimize-*") => assert_eq!(request.method, Method::Get),
        Some("optimize-metadata") if request.method == Method::Get => {}
        Some(name) if name.starts_with("optimize-backup-verify-") => return assert_harmless_verification(request),
        _ => return assert_harmless_restore(request),
    }
    assert!(request.method == Method::Get || path[0] == "_snapshot");
    if request.method == Method::Post {
        return assert_harmless_restore(request);
    }
    assert!(path.iter().all(|segment| !segment.is_empty() && !segment.contains(['/', '\\', '%', '\r', '\n', '\0'])));
    assert!(path.iter().all(|segment| *segment != "." && *segment != ".."));
    assert_eq!(request.body.is_some(), request.method == Method::Put);
    if let Some(body) = &request.body {
        assert_harmless_body(&serde_json::from_str(body).unwrap());
    }
}

/// A restore of backup 12 with these indices.
fn restore_scope() -> Scope {
    let index = |name: &str| RunIndex {
        part: backup_core::Part::Two,
        index: name.to_owned(),
        target: name.to_owned(),
        size: None,
        replaces: None,
    };
    let run = RestoreRun {
        backup_id: backup_core::BackupId::parse("12").unwrap(),
        rename_prefix: None,
        snapshots: Vec::new(),
        indices: ["optimize-a", "optimize-b", "optimize-c"].map(index).to_vec(),
    };
    Scope::of_restore(&run, &IndexPrefix::parse("optimize").unwrap())
}

/// Says again, in other words than the grants, what a restore may write.
fn assert_harmless_restore(request: &Request) {
    let is_planned = |name: &str| ["optimize-a", "optimize-b", "optimize-c"].contains(&name);
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match (request.method, path.as_slice()) {
        (Method::Get, _) => {}
        (Method::Post, ["_snapshot", "backups", name, "_restore"]) => {
            assert!(name.starts_with("camunda_optimize_12_"));
            let body: Value = serde_json::from_str(request.body.as_deref().unwrap()).unwrap();
            let indices = body["indices"].as_array().unwrap();
            assert!(!indices.is_empty() && indices.iter().all(|name| is_planned(name.as_str().unwrap())));
            assert_eq!(body["include_global_state"], false);
        }
        (Method::Delete, [names]) | (Method::Put, [names, "_settings"]) => assert!(names.split(',').all(is_planned)),
        other => panic!("{other:?}"),
    }
}

/// Says again, in other words than the grants, what a verification may write.
fn assert_harmless_verification(request: &Request) {
    let is_scratch = |name: &str| {
        let rest = name.strip_prefix("optimize-backup-verify-");
        rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(['*', '?', ',', '<', ':', ' ', '/']))
    };
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    match (request.method, path.as_slice()) {
        (Method::Get, _) => {}
        (Method::Delete, [names]) => assert!(names.split(',').all(is_scratch), "{request}"),
        (Method::Put, ["optimize-backup-verify-lock"] | ["optimize-backup-verify-lock", "_settings"]) => {}
        (Method::Post, ["_snapshot", "backups", name, "_restore"]) => {
            let body: Value = serde_json::from_str(request.body.as_deref().unwrap()).unwrap();
            let replacement = body["rename_replacement"].as_str().unwrap();
            assert!(name.starts_with("camunda_optimize_") && replacement.starts_with("optimize-backup-verify-"));
        }
        other => panic!("{other:?}"),
    }
}

/// Says again, in other words than the scopes, what a call is for.
fn assert_belongs(request: &Request, scope: Scope) {
    let (method, id) = match scope {
        Scope::Read | Scope::ReadOther(_) | Scope::ReadVerification => return assert_eq!(request.method, Method::Get),
        Scope::Verify(_) | Scope::ClearVerification => return assert_harmless_verification(request),
        Scope::Restore(_) => return assert_harmless_restore(request),
        Scope::Create(id) | Scope::Advance(id) => (Method::Put, id),
        Scope::Delete(id) => (Method::Delete, id),
    };
    if request.method != Method::Get {
        assert_eq!(request.method, method);
        let own = format!("camunda_optimize_{id}_");
        assert!(request.path[2].split(',').all(|name| name.starts_with(&own)), "{request} by {scope}");
    }
}

fn assert_harmless_body(body: &Value) {
    let indices = body["indices"].as_array().unwrap();
    assert!(!indices.is_empty());
    for index in indices {
        let index = index.as_str().unwrap();
        assert!(index.starts_with("optimize-") && !index.contains(['*', '?', ',', '<', ':', ' ']), "{index}");
    }
    assert_eq!(body["include_global_state"], false);
    assert_ne!(body["partial"], true);
    assert!(
        body.as_object()
            .unwrap()
            .keys()
            .all(|key| ["indices", "include_global_state", "partial"].contains(&key.as_str()))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn whatever_passes_is_harmless(request in any_request(), scope in scope()) {
        if let Ok(granted) = grants().check(request, scope.clone()) {
            assert_harmless(granted.request());
            assert_belongs(granted.request(), scope);
        }
    }

    #[test]
    fn whatever_body_passes_is_harmless(body in body()) {
        if let Ok(granted) = check(put(&body)) {
            assert_harmless(granted.request());
        }
    }

    #[test]
    fn what_was_granted_is_granted_again(body in body()) {
        if let Ok(granted) = check(put(&body)) {
            prop_assert_eq!(check(granted.request().clone()), Ok(granted));
        }
    }
}

/// The properties above would hold of grants that deny everything.
#[test]
fn enough_requests_pass_for_the_properties_to_mean_something() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut passed = |strategy: BoxedStrategy<Request>| {
        let passes =
            |request: Request| check(request.clone()).is_ok() || grants().check(request, restore_scope()).is_ok();
        (0..2000).filter(|_| passes(strategy.new_tree(&mut runner).unwrap().current())).count()
    };
    let (requests, bodies) = (passed(any_request().boxed()), passed(body().prop_map(|body| put(&body)).boxed()));
    assert!(requests > 100 && bodies > 200, "{requests} requests, {bodies} bodies");
    let writes = any_request().prop_filter("it writes", |request| request.method != Method::Get);
    let writes = passed(writes.boxed());
    assert!(writes > 10, "{writes} writes");
}
