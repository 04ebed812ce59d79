//! Candidates, built from text.

use std::path::Path;
use std::sync::LazyLock;

use backup_artefacts::Workspace;
use optimize_backup::sandbox::EMBEDDED;
use wasm_encoder::{ComponentSection, CustomSection};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::ids;

/// What every operation of a policy does that has no answer for anything.
pub(crate) const ENDLESS: &str = "(loop (br 0)) unreachable";
/// Takes memory until there is no more.
pub(crate) const BOMB: &str = "(loop (drop (memory.grow (i32.const 16))) (br 0)) unreachable";
/// Calls itself until there is no more stack.
pub(crate) const RECURSION: &str = "call $body";
/// Comes to an end at once.
pub(crate) const TRAP: &str = "unreachable";
/// Asks the engine for `GET /` without end, and does not mind the answers.
pub(crate) const MILLION_CALLS: &str = "(loop
    (global.set $free (i32.const 4096))
    (call $send (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
    (br 0)) unreachable";
/// Asks the engine for a path of four million segments, all of them empty.
pub(crate) const HUGE_LIST: &str = "(drop (memory.grow (i32.const 512)))
    (call $send (i32.const 0) (i32.const 65536) (i32.const 4000000) (i32.const 0) (i32.const 0)
                (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
    unreachable";
/// Asks the engine for a path that lies outside its memory.
pub(crate) const OUTSIDE: &str = "(call $send (i32.const 0) (i32.const 65536) (i32.const 2147483647) (i32.const 0)
    (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64)) unreachable";
/// Accepts a backup 7 whatever it was asked for, under the name that stands at 128, of 36 bytes.
pub(crate) const SEVEN: &str = "(i32.store8 (i32.const 32) (i32.const 0))
    (i64.store (i32.const 40) (i64.const 7))
    (i32.store (i32.const 48) (i32.const 128)) (i32.store (i32.const 52) (i32.const 36)) (i32.const 32)";
/// Accepts a backup 7 under a name that is not UTF-8.
pub(crate) const NO_TEXT: &str = "(i32.store8 (i32.const 32) (i32.const 0))
    (i64.store (i32.const 40) (i64.const 7))
    (i32.store (i32.const 48) (i32.const 256)) (i32.store (i32.const 52) (i32.const 2)) (i32.const 32)";
/// Accepts a backup 7 under a name of two gigabytes.
pub(crate) const ENDLESS_TEXT: &str = "(i32.store8 (i32.const 32) (i32.const 0))
    (i64.store (i32.const 40) (i64.const 7))
    (i32.store (i32.const 48) (i32.const 128)) (i32.store (i32.const 52) (i32.const 2147483647)) (i32.const 32)";

/// Lists nothing, whatever there is; and knows of every backup that its number is 0.
pub(crate) const NOTHING: &str = "(i32.const 32)";
/// Deletes part 1 of the backup 7, and then lists nothing.
pub(crate) const DELETION: &str = "(call $send (i32.const 2) (i32.const 320) (i32.const 3) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 64))
    (i32.const 32)";
/// The path that it asks for.
pub(crate) const DELETION_PATH: &str = r#"(data (i32.const 288) "_snapshotbackups")
    (data (i32.const 320) "\20\01\00\00\09\00\00\00" "\29\01\00\00\07\00\00\00" "\80\00\00\00\24\00\00\00")"#;

/// The parameters of `list`, which are just few enough not to be passed through memory.
const LIST: &str = "(param i32 i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32 i32 i32 i32 i32)";

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

fn assemble(imports: &str, body: &str, more: &str) -> Vec<u8> {
    let export = |name: &str, params: &str| {
        format!(r#"(func (export "optimize:backup/backups@1.0.0#{name}") {params} (result i32) call $body)"#)
    };
    let exports: String = ["create", "advance", "get", "delete"].map(|name| export(name, "(param i32)")).concat();
    let text = format!(
        r#"(module
            {imports}
            (import "optimize:backup/elasticsearch@1.0.0" "send"
                (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32)))
            (memory (export "memory") 2)
            (data (i32.const 128) "camunda_optimize_7_8.8.0_part_1_of_2")
            (data (i32.const 256) "\ff\fe")
            (global $free (mut i32) (i32.const 4096))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (global.get $free)
                (global.set $free (i32.and (i32.const -8)
                    (i32.add (i32.const 7) (i32.add (global.get $free) (local.get 3))))))
            (func $body (result i32) {body})
            {exports} {list} {more})"#,
        list = export("list", LIST),
    );
    wat::parse_str(text).unwrap()
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

/// The embedded policy with another version of its own, and so with another digest.
pub(crate) fn embedded_as(version: &str) -> Vec<u8> {
    let mut component = EMBEDDED.to_vec();
    CustomSection { name: "version".into(), data: version.as_bytes().into() }.append_to_component(&mut component);
    component
}

/// The embedded policy in a later version. Compiling it takes time, so tests share it where they can.
pub(crate) static LATER: LazyLock<Vec<u8>> = LazyLock::new(|| embedded_as("7.0.0"));

/// The policy in `tests/fixtures/hostile`, which passes the self-test and misbehaves in production.
pub(crate) static HOSTILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("guest");
    Workspace::here(&target_dir).hostile_policy().unwrap()
});

/// The same with another mark, and so another digest.
pub(crate) fn hostile_marked_b() -> Vec<u8> {
    hostile_marked(b'b')
}

/// One that asks for more than a call is for as early as in the self-test.
pub(crate) fn overreaching_in_the_self_test() -> Vec<u8> {
    hostile_marked(b'c')
}

fn hostile_marked(letter: u8) -> Vec<u8> {
    let mark = ids::MARK.as_bytes();
    let places: Vec<usize> =
        HOSTILE.windows(mark.len()).enumerate().filter(|(_, bytes)| *bytes == mark).map(|(place, _)| place).collect();
    let [place] = places[..] else { panic!("the mark is in {} places", places.len()) };
    let mut component = HOSTILE.clone();
    component[place + mark.len() - 1] = letter;
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
