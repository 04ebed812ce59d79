//! Candidates. Those that do one thing, whatever they are called for, are written in WebAssembly's text format.
//!
//! Nothing is addressed by a number there: what a policy has in its memory is in [`DATA`], and how the types of the WIT
//! package lie in memory is known only to the functions in [`HELPERS`].

use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

pub(crate) use backup_test_hosts::policies::{LATER, embedded_as};
use backup_test_hosts::policies::{hostile, ids};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What every operation of a policy does that never returns.
pub(crate) const ENDLESS: &str = "(loop (br 0)) unreachable";
/// Allocates memory until the limit.
pub(crate) const BOMB: &str = "(loop (drop (memory.grow (i32.const 16))) (br 0)) unreachable";
/// Calls itself until the stack overflows.
pub(crate) const RECURSION: &str = "call $body";
/// Traps at once.
pub(crate) const TRAP: &str = "unreachable";
/// Sends `GET /` without end, and ignores the answers.
pub(crate) const MILLION_CALLS: &str =
    "(loop (call $ask (global.get $GET) (global.get $path) (i32.const 0)) (br 0)) unreachable";
/// Reads all snapshots, and then loops without end.
pub(crate) const READ_ALL_AND_LOOP: &str = "
    (drop (memory.grow (i32.const 64)))
    (call $set_segment (i32.const 0) (global.get $snapshot) (global.get $snapshot.bytes))
    (call $set_segment (i32.const 1) (global.get $backups) (global.get $backups.bytes))
    (call $set_segment (i32.const 2) (global.get $every_name) (global.get $every_name.bytes))
    (call $ask (global.get $GET) (global.get $path) (i32.const 3))
    (loop (br 0)) unreachable";
/// Sends a request whose path has four million segments, all of them empty, in memory that was allocated for it.
pub(crate) const HUGE_LIST: &str = "(call $ask (global.get $GET)
        (i32.mul (memory.grow (i32.const 512)) (i32.const 65536)) (i32.const 4000000))
    unreachable";
/// Sends a request whose path reaches beyond the memory.
pub(crate) const OUTSIDE: &str = "(call $ask (global.get $GET) (global.get $path) (i32.const 0x7fffffff)) unreachable";
/// Accepts a backup 7 whatever it was asked for.
pub(crate) const SEVEN: &str = "(call $accept (i64.const 7) (global.get $part_one) (global.get $part_one.bytes))";
/// Accepts a backup 7 under a name that is not UTF-8.
pub(crate) const NOT_UTF8: &str = "(call $accept (i64.const 7) (global.get $not_utf8) (global.get $not_utf8.bytes))";
/// Accepts a backup 7 under a name of two gigabytes.
pub(crate) const ENDLESS_TEXT: &str = "(call $accept (i64.const 7) (global.get $part_one) (i32.const 0x7fffffff))";
/// Lists nothing, whatever there is; and answers for every backup that its number is 0.
pub(crate) const NOTHING: &str = "(global.get $answer)";
/// Deletes part 1 of the backup 7, and then lists nothing.
pub(crate) const DELETION: &str = "
    (call $set_segment (i32.const 0) (global.get $snapshot) (global.get $snapshot.bytes))
    (call $set_segment (i32.const 1) (global.get $backups) (global.get $backups.bytes))
    (call $set_segment (i32.const 2) (global.get $part_one) (global.get $part_one.bytes))
    (call $ask (global.get $DELETE) (global.get $path) (i32.const 3))
    (global.get $answer)";

/// What every policy has in its memory: `$name` is where it begins, and `$name.bytes` how long it is.
const DATA: [(&str, &[u8]); 11] = [
    ("snapshot", b"_snapshot"),
    ("backups", b"backups"),
    ("part_one", b"camunda_optimize_7_8.6.0_part_1_of_2"),
    ("line", b"camunda_optimize_7_8.6.0_part_1_of_2\n"),
    ("every_name", b"camunda_optimize_*"),
    ("not_utf8", b"\xff\xfe"),
    // Room for a path, for what imported functions return, and for what the policy returns.
    ("path", &[0; 24]),
    ("result", &[0; 64]),
    ("environment", &[0; 8]),
    ("arguments", &[0; 8]),
    ("answer", &[0; 128]),
];

/// How the types of the WIT package lie in memory, by the canonical ABI.
const HELPERS: &str = r#"
    ;; Of the enum `method`.
    (global $GET i32 (i32.const 0))
    (global $DELETE i32 (i32.const 3))

    ;; Sets one text of `$path`, a list of strings.
    (func $set_segment (param $index i32) (param $text i32) (param $bytes i32) (local $place i32)
        (local.set $place (i32.add (global.get $path) (i32.mul (local.get $index) (i32.const 8))))
        (i32.store (local.get $place) (local.get $text))
        (i32.store offset=4 (local.get $place) (local.get $bytes)))

    ;; Sends a request without query and body, and ignores the answer: the next one is allocated in its place.
    (func $ask (param $method i32) (param $path i32) (param $segments i32)
        (global.set $free (global.get $heap))
        (call $send (local.get $method) (local.get $path) (local.get $segments)
            (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (global.get $result)))

    ;; Returns `ok(accepted)`: after the tag, `backup-id` and then `snapshot-name`.
    (func $accept (param $id i64) (param $name i32) (param $bytes i32) (result i32)
        (i32.store8 (global.get $answer) (i32.const 0))
        (i64.store offset=8 (global.get $answer) (local.get $id))
        (i32.store offset=16 (global.get $answer) (local.get $name))
        (i32.store offset=20 (global.get $answer) (local.get $bytes))
        (global.get $answer))

    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.get $free)
        (global.set $free (i32.and (i32.const -8)
            (i32.add (i32.const 7) (i32.add (global.get $free) (local.get 3))))))"#;

/// A policy of which every operation does the same.
pub(crate) fn policy(body: &str) -> Vec<u8> {
    policy_with(body, "")
}

/// The same, with more in its module.
pub(crate) fn policy_with(body: &str, more: &str) -> Vec<u8> {
    component(&module(body, more), "")
}

/// A policy of which every operation does the same and may use these interfaces of another package.
pub(crate) fn policy_importing(wit: &str, imports: &str, body: &str) -> Vec<u8> {
    component(&assemble(imports, body, ""), wit)
}

/// The core module of such a policy, which is not a component.
pub(crate) fn module(body: &str, more: &str) -> Vec<u8> {
    assemble("", body, more)
}

/// The functions of the other interfaces.
const OTHERS: [&str; 7] = [
    "restores@1.0.0#plan",
    "restores@1.0.0#advance",
    "restores@1.0.0#get",
    "retention@1.0.0#expire",
    "verifications@1.0.0#begin",
    "verifications@1.0.0#advance",
    "verifications@1.0.0#clear",
];

/// The only one whose parameters are few enough not to come in memory.
const WITH_CONTEXT_ALONE: &str = r#"(func (export "optimize:backup/verifications@1.0.0#traces")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32 i32 i32 i32 i32) (result i32) call $body)"#;

fn assemble(imports: &str, body: &str, more: &str) -> Vec<u8> {
    let export =
        |name: &str| format!(r#"(func (export "optimize:backup/{name}") (param i32) (result i32) call $body)"#);
    let of_backups =
        ["create", "advance", "get", "progress", "list", "delete"].map(|name| format!("backups@1.0.0#{name}"));
    let exports: String = of_backups.iter().map(String::as_str).chain(OTHERS).map(export).collect();
    let text = format!(
        r#"(module
            {imports}
            (import "optimize:backup/elasticsearch@1.0.0" "send"
                (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
            (memory (export "memory") 2)
            {data} {HELPERS}
            (func $body (result i32) {body})
            {exports} {WITH_CONTEXT_ALONE} {more})"#,
        data = data(),
    );
    wat::parse_str(text).unwrap()
}

/// [`DATA`], one after the other, and behind them `$heap`, the memory that is allocated: up to `$free` it is in use.
fn data() -> String {
    let (mut text, mut place) = (String::new(), 8);
    for (name, bytes) in DATA {
        let (length, escaped) = (bytes.len(), bytes.iter().map(|byte| format!("\\{byte:02x}")).collect::<String>());
        write!(
            text,
            r#"(global ${name} i32 (i32.const {place})) (global ${name}.bytes i32 (i32.const {length}))
            (data (i32.const {place}) "{escaped}")
            "#
        )
        .unwrap();
        place = (place + length).next_multiple_of(8);
    }
    text + &format!("(global $heap i32 (i32.const {place})) (global $free (mut i32) (i32.const {place}))")
}

/// Makes a component of the world `policy`, of our package or of another one that includes it.
fn component(module: &[u8], other_package: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let (mut package, _) = resolve.push_dir(wit).unwrap();
    if !other_package.is_empty() {
        package = resolve.push_str("other.wit", other_package).unwrap();
    }
    let world = resolve.select_world(&[package], Some("policy")).unwrap();
    let mut module = module.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

/// The policy in `tests/fixtures/hostile`, which passes the self-test and misbehaves in production.
pub(crate) static HOSTILE: LazyLock<Vec<u8>> = LazyLock::new(|| hostile().unwrap());

/// The same with another mark, and so another digest.
pub(crate) fn hostile_marked_b() -> Vec<u8> {
    hostile_marked(b'b')
}

/// One that asks for more than a call is for as early as in the self-test.
pub(crate) fn overreaching_in_the_self_test() -> Vec<u8> {
    hostile_marked(b'c')
}

/// One that deletes backups of other installations.
pub(crate) fn ignoring_installations() -> Vec<u8> {
    hostile_marked(b'd')
}

fn hostile_marked(letter: u8) -> Vec<u8> {
    let mark = ids::MARK.as_bytes();
    let offsets: Vec<usize> =
        HOSTILE.windows(mark.len()).enumerate().filter(|(_, bytes)| *bytes == mark).map(|(offset, _)| offset).collect();
    let [offset] = offsets[..] else { panic!("the mark is there {} times", offsets.len()) };
    let mut component = HOSTILE.clone();
    component[offset + mark.len() - 1] = letter;
    component
}

/// A component that imports an interface.
pub(crate) fn importing(interface: &str) -> Vec<u8> {
    wat::parse_str(format!(r#"(component (import "{interface}" (instance)))"#)).unwrap()
}

/// A component that exports an interface without anything in it.
pub(crate) fn exporting(interface: &str) -> Vec<u8> {
    wat::parse_str(format!(r#"(component (instance $empty) (export "{interface}" (instance $empty)))"#)).unwrap()
}

/// Something with the name of a policy and nothing behind it, which consists of so many core instances with so many
/// tables each.
pub(crate) fn consisting_of(instances: u32, tables: u32) -> Vec<u8> {
    let tables = "(table 1 funcref)".repeat(tables as usize);
    let instances = "(core instance (instantiate $module))".repeat(instances as usize);
    let export = r#"(instance $empty) (export "optimize:backup/backups@1.0.0" (instance $empty))"#;
    wat::parse_str(format!("(component (core module $module {tables}) {instances} {export})")).unwrap()
}
