mod restores;
mod verifications;

use std::error::Error;

use backup_core::memory::Damage;
use backup_core::{
    BackupId, IndexPrefix, IndexSelection, ListMode, Method, OptimizeVersion, Origin, Part, RepositoryName, Request,
    Response, SnapshotName,
};
use serde_json::{Value, json};

use crate::Preparation::{Damaged, OfNoIndices, Partial, ReadOnly, Running, Snapshot, Unassigned};
use crate::{Preparation, Question, read};

pub use self::restores::restore_renamed;
pub use self::verifications::{copy, take_lock};

/// All of them. Those for which a real engine is throttled come last.
///
/// # Errors
/// None: the names in them are valid.
pub fn questions() -> Result<Vec<Question>, Box<dyn Error + Send + Sync>> {
    let reads = [repositories()?, lists()?, several()?, damages()?];
    let groups = reads.into_iter().chain([creations()?, deletions()?, lookups()?]);
    let groups = groups.chain([statuses()?, restores::questions()?, verifications::questions()?, running()?]);
    Ok(groups.flatten().collect())
}

type BoxError = Box<dyn Error + Send + Sync>;
type Questions = Result<Vec<Question>, BoxError>;

const MODES: [(ListMode, [&str; 4]); 3] = [
    (ListMode::Strict, ["list", "empty_list", "unknown_repository_list", "partial_list"]),
    (
        ListMode::ReadableOnly,
        ["readable_list", "empty_readable_list", "unknown_repository_readable_list", "partial_readable_list"],
    ),
    (ListMode::NamesOnly, ["names_list", "empty_names_list", "unknown_repository_names_list", "partial_names_list"]),
];

fn repositories() -> Questions {
    let get = |name| Ok::<_, BoxError>(Request::repository(&RepositoryName::parse(name)?));
    Ok(vec![
        question("repository", &[], get("repository")?, read::repositories),
        question("read_only_repository", &[ReadOnly], get("read_only_repository")?, read::repositories),
        question("unknown_repository", &[], get("none")?, read::repositories),
        question("unknown_repository_create", &[], put("none", "s", &alert()), read::whole),
        question("unknown_repository_delete", &[], delete("none", &["s"])?, read::whole),
    ])
}

fn lists() -> Questions {
    let three = [Snapshot("s1"), Snapshot("s2"), Snapshot("t")];
    let partial = [Unassigned("optimize-lost_v1"), Partial("s")];
    let mut questions = Vec::new();
    for (mode, [name, empty, in_unknown, of_partial]) in MODES {
        questions.extend([
            question(name, &three, list(name, "s*", mode)?, read::snapshots),
            question(empty, &[Snapshot("t")], list(empty, "s*", mode)?, read::snapshots),
            question(in_unknown, &[], list("none", "s*", mode)?, read::snapshots),
            question(of_partial, &partial, list(of_partial, "s*", mode)?, read::snapshots),
        ]);
    }
    let one = [Snapshot("s")];
    let exact = |name| list(name, "s", ListMode::Strict);
    let unfiltered = Request { query: Vec::new(), ..exact("unfiltered_list")? };
    let query = vec![("index_names".to_owned(), "false".to_owned())];
    let without_indices = Request { query, ..exact("list_without_indices")? };
    questions.extend([
        question("exact_list", &one, exact("exact_list")?, read::snapshots),
        question("exact_missing_list", &[], exact("exact_missing_list")?, read::snapshots),
        question("unfiltered_list", &one, unfiltered, read::snapshots),
        question("list_without_indices", &one, without_indices, read::indices),
    ]);
    Ok(questions)
}

/// Several patterns or names in one list.
fn several() -> Questions {
    use ListMode::{ReadableOnly, Strict};
    let two = [Snapshot("s1"), Snapshot("s2")];
    let missing = [Snapshot("s1"), Snapshot("s2"), Damaged("s1", Damage::Missing)];
    let corrupt = [Snapshot("s1"), Snapshot("s2"), Damaged("s2", Damage::Unreadable)];
    let cases: [(&str, &[Preparation], &str, ListMode); 10] = [
        ("patterns", &two, "s1*,s2*", ReadableOnly),
        ("patterns_in_part_without_match", &two, "x*,s2*", ReadableOnly),
        ("patterns_without_match", &two, "x*,y*", ReadableOnly),
        ("patterns_that_overlap", &two, "s*,s1*", ReadableOnly),
        ("patterns_of_missing_file", &missing, "s1*,s2*", ReadableOnly),
        ("patterns_of_corrupt_file", &corrupt, "s1*,s2*", ReadableOnly),
        ("strict_patterns_in_part_without_match", &two, "x*,s2*", Strict),
        ("strict_patterns_without_match", &two, "x*,y*", Strict),
        ("names_in_part_missing", &two, "s1,x", ReadableOnly),
        ("strict_names_in_part_missing", &two, "s1,x", Strict),
    ];
    let question = |(name, preparations, patterns, mode)| {
        Ok(question(name, preparations, list(name, patterns, mode)?, read::snapshots))
    };
    cases.into_iter().map(question).collect()
}

fn damages() -> Questions {
    let kinds = [
        (
            Damage::Missing,
            [
                "missing_file",
                "missing_file_readable",
                "missing_file_names",
                "missing_file_exact",
                "missing_file_delete",
                "missing_file_indices",
            ],
        ),
        (
            Damage::Unreadable,
            [
                "corrupt_file",
                "corrupt_file_readable",
                "corrupt_file_names",
                "corrupt_file_exact",
                "corrupt_file_delete",
                "corrupt_file_indices",
            ],
        ),
    ];
    let mut questions = Vec::new();
    for (damage, [strict, readable, outline, exact, deleted, of_indices]) in kinds {
        let damaged = [Snapshot("s1"), Snapshot("s2"), Damaged("s1", damage)];
        let lists = [
            (strict, "s*", ListMode::Strict),
            (readable, "s*", ListMode::ReadableOnly),
            (outline, "s*", ListMode::NamesOnly),
            (exact, "s1", ListMode::Strict),
        ];
        for (name, pattern, mode) in lists {
            questions.push(question(name, &damaged, list(name, pattern, mode)?, read::snapshots));
        }
        questions.push(question(deleted, &damaged, delete(deleted, &["s1"])?, read::whole));
        let indices = Request::list_indices(&RepositoryName::parse(of_indices)?, "s*");
        questions.push(question(of_indices, &damaged, indices, read::indices));
    }
    Ok(questions)
}

fn creations() -> Questions {
    let of = |index: &str| json!({"indices": [index], "include_global_state": false});
    let with_metadata =
        |length: usize| json!({"indices": ["optimize-alert_v4"], "metadata": {"x": "y".repeat(length)}});
    let of_none = Request {
        query: vec![("verbose".to_owned(), "false".to_owned())],
        ..list("indices_of_none", "s", ListMode::NamesOnly)?
    };
    let lost = [Unassigned("optimize-lost_v1")];
    Ok(vec![
        question("part_one", &[], part_one("part_one")?, read::whole),
        question("taken_name", &[Snapshot("s")], put("taken_name", "s", &alert()), read::whole),
        question(
            "taken_name_and_missing_index",
            &[Snapshot("s")],
            put("taken_name_and_missing_index", "s", &of("optimize-none_v1")),
            read::whole,
        ),
        question("name_in_capitals", &[], put("name_in_capitals", "S", &alert()), read::whole),
        question("missing_index", &[], put("missing_index", "s", &of("optimize-none_v1")), read::whole),
        question("no_indices", &[], put("no_indices", "s", &json!({"indices": []})), read::whole),
        question("indices_of_none", &[OfNoIndices("s")], of_none, read::indices),
        question("longest_metadata", &[], put("longest_metadata", "s", &with_metadata(1016)), read::whole),
        question("too_long_metadata", &[], put("too_long_metadata", "s", &with_metadata(1017)), read::whole),
        question("read_only_create", &[ReadOnly], put("read_only_create", "s", &alert()), read::whole),
        question("unassigned_primary", &lost, put("unassigned_primary", "s", &of("optimize-lost_v1")), read::whole),
    ])
}

fn deletions() -> Questions {
    let three = [Snapshot("s1"), Snapshot("s2"), Snapshot("t")];
    let cases: [(&str, &[Preparation], &[&str]); 8] = [
        ("delete", &three, &["s1"]),
        ("delete_two", &three, &["s1", "s2"]),
        ("delete_twice", &three, &["s1", "s1"]),
        ("delete_missing", &three, &["s3"]),
        ("delete_one_missing", &three, &["s1", "s3"]),
        ("delete_pattern", &three, &["s*"]),
        ("delete_empty_pattern", &three, &["x*"]),
        ("delete_read_only", &[Snapshot("s"), ReadOnly], &["s"]),
    ];
    let mut questions = Vec::new();
    for (name, preparations, snapshots) in cases {
        questions.push(question(name, preparations, delete(name, snapshots)?, read::whole));
    }
    let mut asynchronous = delete("delete_without_waiting", &["s"])?;
    asynchronous.query.push(("wait_for_completion".to_owned(), "false".to_owned()));
    questions.push(question("delete_without_waiting", &[Snapshot("s")], asynchronous, read::whole));
    Ok(questions)
}

fn lookups() -> Questions {
    let prefix = IndexPrefix::parse("optimize")?;
    let document = |alias: &str| Request {
        path: [alias, "_doc", "1"].map(str::to_owned).to_vec(),
        ..Request::optimize_version(&prefix)
    };
    Ok(vec![
        question("resolve", &[], Request::resolve(&prefix), read::resolved),
        question("resolve_nothing", &[], Request::resolve(&IndexPrefix::parse("none")?), read::resolved),
        question("resolve_unassigned", &[Unassigned("optimize-lost_v1")], Request::resolve(&prefix), read::resolved),
        question("version", &[], Request::optimize_version(&prefix), read::document),
        question("document_without_the_field", &[], document("optimize-settings"), read::document),
        question("document_missing", &[], document("optimize-alert"), read::document),
        question("document_of_missing_index", &[], document("optimize-none"), read::document),
        question("index_sizes", &[], Request::index_sizes(&prefix), read::sizes),
        question("index_sizes_of_none", &[], Request::index_sizes(&IndexPrefix::parse("none")?), read::sizes),
        question("node_versions", &[], Request::node_versions(), read::nodes),
        question("engine_clock", &[], Request::engine_clock(), read::clocks),
    ])
}

fn statuses() -> Questions {
    let damaged = |damage| [Snapshot(STATUS_OF), Damaged(STATUS_OF, damage)];
    let partial = [Unassigned("optimize-lost_v1"), Partial(STATUS_OF)];
    let cases: [(&str, &[Preparation], &str); 6] = [
        ("status", &[Snapshot(STATUS_OF)], "status"),
        ("status_of_partial", &partial, "status_of_partial"),
        ("status_of_missing", &[], "status_of_missing"),
        ("status_of_missing_file", &damaged(Damage::Missing), "status_of_missing_file"),
        ("status_of_corrupt_file", &damaged(Damage::Unreadable), "status_of_corrupt_file"),
        ("status_in_unknown_repository", &[], "none"),
    ];
    let question =
        |(name, preparations, repository)| Ok(question(name, preparations, status(repository)?, read::status));
    cases.into_iter().map(question).collect()
}

fn running() -> Questions {
    let running = [Running("s")];
    let list = |name, mode| list(name, "s*", mode);
    let delete = delete("delete_running", &["s"])?;
    Ok(vec![
        question("running", &running, list("running", ListMode::Strict)?, read::snapshots),
        question("running_readable", &running, list("running_readable", ListMode::ReadableOnly)?, read::snapshots),
        question("running_names", &running, list("running_names", ListMode::NamesOnly)?, read::snapshots),
        question("running_status", &[Running(STATUS_OF)], status("running_status")?, read::status),
        question("running_name", &running, put("running_name", "s", &alert()), read::whole),
        Question { may_take_long: true, ..question("delete_running", &running, delete, read::whole) },
    ])
}

fn question(
    name: &'static str,
    preparations: &[Preparation],
    request: Request,
    read: fn(&Response) -> Value,
) -> Question {
    Question { name, preparations: preparations.to_vec(), request, may_take_long: false, read }
}

fn alert() -> Value {
    json!({"indices": ["optimize-alert_v4"], "include_global_state": false})
}

/// The request that starts a snapshot of any name and body.
fn put(repository: &str, name: &str, body: &Value) -> Request {
    Request {
        method: Method::Put,
        path: ["_snapshot", repository, name].map(str::to_owned).to_vec(),
        query: vec![("wait_for_completion".to_owned(), "false".to_owned())],
        body: Some(body.to_string()),
    }
}

/// The one that a POST leads to.
fn part_one(repository: &str) -> Result<Request, BoxError> {
    let prefix = IndexPrefix::parse("optimize")?;
    let selection =
        IndexSelection::new(Part::One, &prefix, crate::INDICES).map_err(|nothing| format!("{nothing:?}"))?;
    let name =
        SnapshotName { backup_id: BackupId::parse("1")?, version: OptimizeVersion::parse("8.6.0")?, part: Part::One };
    let origin = Origin {
        run_id: "run".to_owned(),
        part: 1,
        parts: Part::COUNT,
        host: "host".to_owned(),
        index_prefix: Some(prefix.to_string()),
        indices: Some(5),
        documents: Some(0),
        entities: Some(0),
        policy: "0.1.0".to_owned(),
    };
    Ok(Request::create(&RepositoryName::parse(repository)?, &name, &selection, origin))
}

fn list(repository: &str, pattern: &str, mode: ListMode) -> Result<Request, BoxError> {
    Ok(Request::list(&RepositoryName::parse(repository)?, pattern, mode))
}

/// The snapshot whose status is asked for.
const STATUS_OF: &str = "camunda_optimize_1_8.6.0_part_1_of_2";

fn status(repository: &str) -> Result<Request, BoxError> {
    let name = SnapshotName::parse(STATUS_OF).ok_or("it is a name")?;
    Ok(Request::status(&RepositoryName::parse(repository)?, &name))
}

fn delete(repository: &str, snapshots: &[&str]) -> Result<Request, BoxError> {
    let snapshots: Vec<String> = snapshots.iter().map(|&name| name.to_owned()).collect();
    Ok(Request::delete(&RepositoryName::parse(repository)?, &snapshots))
}
