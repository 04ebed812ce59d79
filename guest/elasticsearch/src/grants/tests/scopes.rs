use super::*;

const OTHERS: [&str; 6] = [
    "camunda_optimize_7_8.7.0_part_1_of_2",
    "camunda_optimize_1_8.7.0_part_1_of_2",
    "camunda_optimize_120_8.7.0_part_1_of_2",
    "camunda_optimize_012_8.7.0_part_1_of_2",
    "camunda_optimize_12",
    "camunda_optimize_12.8.7.0_part_1_of_2",
];

fn put_named(name: &str) -> Request {
    let mut put = put(r#"{"indices":["optimize-a"],"include_global_state":false}"#);
    name.clone_into(&mut put.path[2]);
    put
}

fn delete(names: &str) -> Request {
    request(&format!("DELETE /_snapshot/backups/{names}"))
}

fn scopes() -> [Scope; 4] {
    [Scope::Read, Scope::of_create("12"), Scope::of_advance(12), Scope::of_delete("12")]
}

/// In which of the scopes, in their order, a request is granted.
fn granted_in(request: &Request) -> [bool; 4] {
    scopes().map(|scope| match grants().check(request.clone(), scope.clone()) {
        Ok(_) => true,
        Err(Denial::Scope { scope: told, .. }) if told == scope => false,
        Err(other) => panic!("{request}: {other}"),
    })
}

#[test]
fn every_call_reads() {
    for line in ["GET /_snapshot/backups/camunda_optimize_*", "GET /_nodes", "GET /_resolve/index/optimize-*"] {
        assert_eq!(granted_in(&request(line)), [true; 4], "{line}");
    }
}

#[test]
fn a_call_writes_what_it_is_for() {
    assert_eq!(granted_in(&put_named("camunda_optimize_12_8.7.0_part_1_of_2")), [false, true, true, false]);
    assert_eq!(granted_in(&delete("camunda_optimize_12_8.7.0_part_1_of_2")), [false, false, false, true]);
    assert_eq!(granted_in(&delete("camunda_optimize_12_a,camunda_optimize_12_b")), [false, false, false, true]);
}

#[test]
fn no_call_writes_what_is_of_another_backup() {
    for name in OTHERS {
        assert_eq!(granted_in(&put_named(name)), [false; 4], "{name}");
        for names in [name.to_owned(), format!("camunda_optimize_12_a,{name}"), format!("{name},camunda_optimize_12_a")]
        {
            assert_eq!(granted_in(&delete(&names)), [false; 4], "{names}");
        }
    }
}

#[test]
fn a_text_that_is_no_id_is_read_for_only() {
    for text in ["", "0", "007", "+7", " 7", "7.0", "abc", "9223372036854775808", "*"] {
        assert_eq!([Scope::of_create(text), Scope::of_delete(text)], [Scope::Read, Scope::Read], "{text}");
    }
    assert_eq!([Scope::of_advance(0), Scope::of_advance(u64::MAX)], [Scope::Read, Scope::Read]);
}

#[test]
fn a_denial_says_what_was_found_and_what_the_call_is_for() {
    let told = |request, scope| grants().check(request, scope).unwrap_err().to_string();
    assert_eq!(
        told(delete("camunda_optimize_12_a"), Scope::Read),
        "`DELETE camunda_optimize_12_a` is not granted to a call that only reads: only GET"
    );
    assert_eq!(
        told(put_named("camunda_optimize_7_a"), Scope::of_create("12")),
        "`PUT camunda_optimize_7_a` is not granted to a call of create for backup 12: only GET, and PUT of \
         `camunda_optimize_12_…`"
    );
    assert_eq!(
        told(delete("camunda_optimize_12_a,camunda_optimize_7_a"), Scope::of_delete("12")),
        "`DELETE camunda_optimize_7_a` is not granted to a call of delete for backup 12: only GET, and DELETE of \
         `camunda_optimize_12_…`"
    );
}
