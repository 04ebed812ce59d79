use super::*;
use crate::sandbox::types::{Error, Problem};

fn refused(class: impl Fn(Problem) -> Error, code: &str, message: &str) -> Result<u64, CallError> {
    Err(CallError::Refused(class(Problem { code: code.to_owned(), message: message.to_owned(), detail: None })))
}

#[test]
fn the_words_of_an_error_are_no_difference() {
    let served = refused(Error::NotFound, "backupNotFound", "there is none");
    assert!(is_same(&served, &refused(Error::NotFound, "backupNotFound", "there is no such backup")));
    assert!(!is_same(&served, &refused(Error::NotFound, "unknownBackup", "there is none")));
    assert!(!is_same(&served, &refused(Error::Conflict, "backupNotFound", "there is none")));
    assert!(!is_same(&served, &Ok(7)));
    assert!(is_same(&Ok(7), &Ok(7)));
    assert!(!is_same(&Ok(7), &Ok(8)));
    let trapped = || Err(CallError::Trapped("unreachable".to_owned()));
    assert!(!is_same::<u64>(&trapped(), &trapped()), "no answer at all");
}

#[test]
fn long_texts_are_shown_where_they_differ() {
    let [one, other] = ["one", "other"].map(|word| format!("{}{word}{}", "é".repeat(1000), "-".repeat(1000)));
    let [one, other] = excerpts([&one, &other]);
    assert!(one.starts_with("…é") && one.contains("éone-") && one.ends_with("-…"), "{one}");
    assert!(other.contains("éother-"), "{other}");
    assert!(one.chars().count() <= 502);
    assert_eq!(excerpts(["short", "text"]), ["short", "text"]);
}
