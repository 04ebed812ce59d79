//! Requests of a policy in any of its calls, granted or not.

#![no_main]

use arbitrary::Arbitrary;
use backup_core::restore::{RestoreRun, RunIndex};
use backup_core::{BackupId, IndexPrefix, Method, NAME_PREFIX, Part, RepositoryName, Request};
use backup_elasticsearch::{Grants, Scope};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// A request, mostly of words that mean something to an engine.
#[derive(Debug, Arbitrary)]
struct Asked {
    call: Call,
    method: Verb,
    path: Path,
    query: Vec<(Text, Text)>,
    body: Option<Body>,
}

/// The call that it is made in, and for which backup; those of small numbers have names below.
#[derive(Debug, Arbitrary)]
enum Call {
    Read,
    Create(u8),
    Advance(u8),
    Delete(u8),
    /// With another prefix or without.
    Restore(u8, bool),
    Verify(u8),
    ReadVerification,
    ClearVerification,
}

#[derive(Debug, Arbitrary)]
enum Verb {
    Get,
    Put,
    Post,
    Delete,
}

/// A path that is granted, with up to one segment replaced, or any other.
#[derive(Debug, Arbitrary)]
enum Path {
    Granted(u8),
    Altered(u8, u8, Segment),
    Any(Vec<Segment>),
}

#[derive(Debug, Arbitrary)]
enum Segment {
    One(Text),
    Several(Vec<Text>),
    Joined(Vec<Text>),
}

#[derive(Debug, Arbitrary)]
enum Text {
    Known(u8),
    Any(String),
}

#[derive(Debug, Arbitrary)]
enum Body {
    Snapshot { indices: Vec<Segment>, global: Option<bool>, partial: Option<bool>, more: Vec<(Text, Text)> },
    Any(String),
}

const KNOWN: [&str; 53] = [
    "_snapshot",
    "backups",
    "camunda_optimize_12_8.6.0_part_1_of_2",
    "camunda_optimize_12_*",
    "_status",
    "_all",
    "*",
    "_resolve",
    "index",
    "optimize-*",
    "optimize-metadata",
    "_search",
    "_doc",
    "1",
    "_nodes",
    "http",
    "filter_path",
    "wait_for_completion",
    "false",
    "true",
    "optimize-",
    "optimize-a",
    "camunda_optimize_",
    "other",
    "..",
    ",",
    "-",
    "verbose",
    "master_timeout",
    "feature_states",
    "none",
    "ignore_unavailable",
    "camunda_optimize_12_a",
    "camunda_optimize_1_8.6.0_part_2_of_2",
    "camunda_optimize_120_a",
    "camunda_optimize_012_a",
    "_restore",
    "_settings",
    "_aliases",
    "optimize-b",
    "optimize-a,optimize-b",
    "other-a",
    "include_aliases",
    "index.routing.allocation.exclude.optimize_backup_restore",
    "rename_pattern",
    "^optimize-(.+)$",
    "other-$1",
    "optimize-backup-verify-lock",
    "optimize-backup-verify-12-optimize-a",
    "optimize-backup-verify-*",
    "optimize-backup-verify-12-optimize-$1",
    "index.routing.allocation.exclude.optimize_backup_verification",
    "index.number_of_replicas",
];

const GRANTED: [&str; 22] = [
    "_snapshot/backups",
    "_snapshot/backups/camunda_optimize_12_*",
    "_snapshot/backups/camunda_optimize_12_8.6.0_part_1_of_2",
    "_snapshot/backups/camunda_optimize_1/_status",
    "_resolve/index/optimize-*",
    "optimize-*/_stats/store",
    "optimize-metadata/_search",
    "optimize-metadata/_doc/1",
    "_nodes/_all/http",
    "_nodes/_master/stats/os",
    "_snapshot/backups/camunda_optimize_12_a/_restore",
    "optimize-a,optimize-b",
    "optimize-a/_settings",
    "other-a/_settings",
    "_aliases",
    "optimize-*/_recovery",
    "_cat/shards/other-*",
    "_cluster/state/customs",
    "optimize-backup-verify-lock/_settings",
    "optimize-backup-verify-lock",
    "optimize-backup-verify-12-optimize-a,optimize-backup-verify-lock",
    "optimize-backup-verify-*/_stats/docs",
];

fuzz_target!(|asked: Asked| {
    let grants = Grants::new(RepositoryName::parse("backups").ok(), IndexPrefix::parse("optimize").unwrap());
    let without = Grants::new(None, IndexPrefix::parse("optimize").unwrap());
    let scope = asked.call.scope();
    let (restored, is_renamed) = match asked.call {
        Call::Restore(number, is_renamed) => (format!("{NAME_PREFIX}{number}_"), is_renamed),
        _ => (String::new(), false),
    };
    let request = asked.into_request();
    if let Ok(granted) = without.check(request.clone(), scope.clone()) {
        assert_ne!(granted.request().path[0], "_snapshot");
    }
    if let Ok(granted) = grants.check(request, scope.clone()) {
        match &scope {
            Scope::Restore(_) if granted.request().method != Method::Get => {
                assert_of_restore(granted.request(), &restored, is_renamed);
            }
            Scope::Verify(id) => assert_of_verification(granted.request(), &format!("{NAME_PREFIX}{id}_")),
            Scope::ClearVerification => {
                assert!(matches!(granted.request().method, Method::Get | Method::Delete));
                assert_of_verification(granted.request(), "nothing");
            }
            _ => assert_harmless(granted.request()),
        }
        assert_belongs(granted.request(), &scope);
        assert_eq!(grants.check(granted.request().clone(), scope), Ok(granted));
    }
});

/// Says again, in other words than the scopes, what a call is for.
fn assert_belongs(request: &Request, scope: &Scope) {
    let expected = match scope {
        Scope::Read | Scope::ReadOther(_) | Scope::ReadVerification => return assert_eq!(request.method, Method::Get),
        Scope::Restore(_) | Scope::Verify(_) | Scope::ClearVerification => return,
        Scope::Create(id) | Scope::Advance(id) => (Method::Put, id),
        Scope::Delete(id) => (Method::Delete, id),
    };
    if request.method != Method::Get {
        let own = format!("{NAME_PREFIX}{}_", expected.1);
        assert_eq!(request.method, expected.0);
        assert!(request.path[2].split(',').all(|name| name.starts_with(&own)), "{request:?}");
    }
}

/// The indices that a restore is of.
const RESTORED: [&str; 2] = ["optimize-a", "optimize-b"];

/// Says again, in other words than the grants, what a restore may write.
fn assert_of_restore(request: &Request, snapshots: &str, is_renamed: bool) {
    let target =
        |name: &str| if is_renamed { ["other-a", "other-b"].contains(&name) } else { RESTORED.contains(&name) };
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    let body: Value = request.body.as_deref().map_or(Value::Null, |body| serde_json::from_str(body).unwrap());
    match (request.method, path.as_slice()) {
        (Method::Post, ["_snapshot", "backups", name, "_restore"]) => {
            assert!(name.starts_with(snapshots), "{name}");
            let indices = body["indices"].as_array().unwrap();
            assert!(!indices.is_empty() && indices.iter().all(|name| RESTORED.contains(&name.as_str().unwrap())));
            assert_eq!(body["include_global_state"], false);
            match body.get("rename_replacement") {
                Some(impossible) if !is_renamed => {
                    assert_eq!((impossible, indices.len()), (&"optimize-#NOT-RESTORED-$1".into(), 1));
                }
                replacement => assert_eq!(replacement.is_some(), is_renamed),
            }
        }
        (Method::Delete, [names]) => assert!(!is_renamed && names.split(',').all(target), "{names}"),
        (Method::Put, [names, "_settings"]) => {
            assert!(names.split(',').all(target), "{names}");
            assert_eq!(body.as_object().unwrap().len(), 1);
        }
        (Method::Post, ["_aliases"]) => assert!(is_renamed),
        other => panic!("{other:?} was granted"),
    }
}

/// Says again, in other words than the grants, what a verification may write.
fn assert_of_verification(request: &Request, snapshots: &str) {
    const SCRATCH: &str = "optimize-backup-verify-";
    let is_scratch =
        |name: &str| name.len() > SCRATCH.len() && name.starts_with(SCRATCH) && !name.contains(['*', '?', '<']);
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    let body: Value = request.body.as_deref().map_or(Value::Null, |body| serde_json::from_str(body).unwrap());
    match (request.method, path.as_slice()) {
        (Method::Get, [name, ..]) if name.starts_with(SCRATCH) => assert_eq!(body, Value::Null),
        (Method::Get, _) => assert_harmless(request),
        (Method::Put, ["optimize-backup-verify-lock"]) => assert!(body["settings"].is_object()),
        (Method::Put, ["optimize-backup-verify-lock", "_settings"]) => assert_eq!(body.as_object().unwrap().len(), 1),
        (Method::Delete, [names]) => assert!(names.split(',').all(is_scratch), "{names}"),
        (Method::Post, ["_snapshot", "backups", name, "_restore"]) => {
            assert!(name.starts_with(snapshots), "{name}");
            assert!(
                body["indices"].as_array().unwrap().iter().all(|name| name.as_str().unwrap().starts_with("optimize-"))
            );
            assert_eq!((&body["include_global_state"], &body["include_aliases"]), (&false.into(), &false.into()));
            assert!(body["rename_replacement"].as_str().unwrap().starts_with(SCRATCH));
        }
        other => panic!("{other:?} was granted"),
    }
}

/// Says again, in other words than the grants, what must hold for anything that is sent.
fn assert_harmless(request: &Request) {
    let path: Vec<&str> = request.path.iter().map(String::as_str).collect();
    let reads = request.method == Method::Get;
    match path.as_slice() {
        ["_snapshot", "backups"] => assert!(reads),
        ["_snapshot", "backups", names] | ["_snapshot", "backups", names, "_status"] => {
            assert_names(names, reads && path.len() == 3);
        }
        ["_resolve", "index", "optimize-*"]
        | ["optimize-*" | "other-*", ..]
        | ["optimize-metadata" | "other-metadata", ..]
        | ["_nodes" | "_cluster", ..]
        | ["_cat", "shards", _]
        | ["_resolve", "index", "other-*"]
        | ["optimize-backup-verify-*", ..] => assert!(reads),
        other => panic!("{other:?} was granted"),
    }
    assert!(!path.iter().any(|segment| segment.contains(['/', '\\', '%', '\r', '\n', '\0'])));
    assert_eq!(request.body.is_some(), request.method == Method::Put);
    if let Some(body) = &request.body {
        assert!(!path[2].contains(','));
        assert_harmless_body(&serde_json::from_str(body).unwrap());
    }
}

fn assert_names(names: &str, patterns: bool) {
    for name in names.split(',') {
        assert!(name.starts_with("camunda_optimize_"), "{name}");
        let exact = name.len() > "camunda_optimize_".len() && !name.contains(['*', '?']);
        assert!(exact || (patterns && !name.trim_end_matches('*').contains(['*', '?'])), "{name}");
    }
}

fn assert_harmless_body(body: &Value) {
    let indices = body["indices"].as_array().unwrap();
    assert!(!indices.is_empty());
    for index in indices {
        let rest = index.as_str().and_then(|index| index.strip_prefix("optimize-")).unwrap();
        assert!(!rest.is_empty() && !rest.contains(['*', '?', ',', '<', ':', ' ', '/', '"']), "{index}");
    }
    assert_eq!(body["include_global_state"], false);
    assert!(body.get("partial").is_none_or(|partial| *partial == false));
    assert!(body.get("ignore_unavailable").is_none_or(|ignore| *ignore == false));
    let known = ["indices", "include_global_state", "ignore_unavailable", "partial", "feature_states", "metadata"];
    assert!(body.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())));
}

impl Call {
    fn scope(&self) -> Scope {
        let id = |number: &u8| BackupId::new(u64::from(*number));
        match self {
            Self::Read => None,
            Self::Create(number) => id(number).map(Scope::Create),
            Self::Advance(number) => id(number).map(Scope::Advance),
            Self::Delete(number) => id(number).map(Scope::Delete),
            Self::ReadVerification => return Scope::ReadVerification,
            Self::ClearVerification => return Scope::ClearVerification,
            Self::Verify(number) => id(number).map(Scope::Verify),
            Self::Restore(number, is_renamed) => id(number).map(|backup_id| restore(backup_id, *is_renamed)),
        }
        .unwrap_or(Scope::Read)
    }
}

fn restore(backup_id: BackupId, is_renamed: bool) -> Scope {
    let index = |index: &str| RunIndex {
        part: Part::Two,
        index: index.to_owned(),
        target: if is_renamed { index.replace("optimize", "other") } else { index.to_owned() },
        size: None,
        replaces: None,
    };
    let rename_prefix = is_renamed.then(|| IndexPrefix::parse("other").unwrap());
    let run = RestoreRun { backup_id, rename_prefix, snapshots: Vec::new(), indices: RESTORED.map(index).to_vec() };
    Scope::of_restore(&run, &IndexPrefix::parse("optimize").unwrap())
}

impl Asked {
    fn into_request(self) -> Request {
        let method = match self.method {
            Verb::Get => Method::Get,
            Verb::Put => Method::Put,
            Verb::Post => Method::Post,
            Verb::Delete => Method::Delete,
        };
        let path = self.path.into_segments();
        let query = self.query.into_iter().map(|(name, value)| (name.into_text(), value.into_text())).collect();
        Request { method, path, query, body: self.body.map(Body::into_text) }
    }
}

impl Path {
    fn into_segments(self) -> Vec<String> {
        let granted = |number: u8| -> Vec<String> {
            GRANTED[usize::from(number) % GRANTED.len()].split('/').map(str::to_owned).collect()
        };
        match self {
            Self::Granted(number) => granted(number),
            Self::Altered(number, at, segment) => {
                let mut path = granted(number);
                let at = usize::from(at) % path.len();
                path[at] = segment.into_text();
                path
            }
            Self::Any(segments) => segments.into_iter().map(Segment::into_text).collect(),
        }
    }
}

impl Segment {
    fn into_text(self) -> String {
        let texts = |texts: Vec<Text>| texts.into_iter().map(Text::into_text).collect::<Vec<_>>();
        match self {
            Self::One(text) => text.into_text(),
            Self::Several(names) => texts(names).join(","),
            Self::Joined(pieces) => texts(pieces).concat(),
        }
    }
}

impl Text {
    fn into_text(self) -> String {
        match self {
            Self::Known(number) => KNOWN[usize::from(number) % KNOWN.len()].to_owned(),
            Self::Any(text) => text,
        }
    }
}

impl Body {
    fn into_text(self) -> String {
        let (indices, global, partial, more) = match self {
            Self::Any(text) => return text,
            Self::Snapshot { indices, global, partial, more } => (indices, global, partial, more),
        };
        let indices: Vec<String> = indices.into_iter().map(Segment::into_text).collect();
        let mut body = serde_json::json!({"indices": indices, "include_global_state": global.unwrap_or_default()});
        for (key, value) in more {
            body[key.into_text()] = serde_json::json!(value.into_text());
        }
        if let Some(partial) = partial {
            body["partial"] = serde_json::json!(partial);
        }
        body.to_string()
    }
}
