use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::tempdir;

use super::*;

/// A number in a file.
fn number(path: &Path) -> Rotating<u64> {
    let file = path.to_owned();
    Rotating::new("the number", vec![path.to_owned()], move |_| {
        fs::read_to_string(&file).map_err(|error| error.to_string())?.parse::<u64>().map_err(|error| error.to_string())
    })
    .unwrap()
}

fn look_twice(number: &Rotating<u64>) -> u64 {
    number.look();
    number.look();
    *number.current()
}

#[test]
fn another_content_is_taken_over_once_it_stays() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("number");
    fs::write(&path, "1").unwrap();
    let number = number(&path);
    fs::write(&path, "2").unwrap();
    number.look();
    assert_eq!(*number.current(), 1, "it could be half of it");
    fs::write(&path, "23").unwrap();
    number.look();
    assert_eq!(*number.current(), 1);
    number.look();
    assert_eq!(*number.current(), 23);
    fs::write(&path, "4").unwrap();
    assert!(number.look_now() && !number.look_now());
    assert_eq!(*number.current(), 4);
}

#[test]
fn what_cannot_be_used_changes_nothing() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("number");
    fs::write(&path, "1").unwrap();
    let number = number(&path);
    for wrong in ["", "x"] {
        fs::write(&path, wrong).unwrap();
        assert_eq!(look_twice(&number), 1);
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(look_twice(&number), 1);
    fs::write(&path, "2").unwrap();
    assert_eq!(look_twice(&number), 2);
}

/// A certificate may be one of tomorrow, or the process may have had no file descriptor left.
#[test]
fn what_could_not_be_used_once_is_tried_again() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("number");
    fs::write(&path, "1").unwrap();
    let (file, is_early) = (path.clone(), Arc::new(AtomicBool::new(false)));
    let early = Arc::clone(&is_early);
    let number = Rotating::new("the number", vec![path.clone()], move |_| match early.load(Ordering::Relaxed) {
        true => Err("not yet".to_owned()),
        false => Ok(fs::read_to_string(&file).unwrap().parse::<u64>().unwrap()),
    })
    .unwrap();
    is_early.store(true, Ordering::Relaxed);
    fs::write(&path, "2").unwrap();
    assert_eq!(look_twice(&number), 1);
    is_early.store(false, Ordering::Relaxed);
    number.look();
    assert_eq!(*number.current(), 2);
}

/// As Kubernetes does it: `number` leads through the link `..data`, which is exchanged.
#[test]
fn a_swapped_link_is_another_content() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for version in ["1", "2"] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("number"), version).unwrap();
    }
    symlink("1", at("..data")).unwrap();
    symlink("..data/number", at("number")).unwrap();
    let number = number(&at("number"));
    symlink("2", at("..tmp")).unwrap();
    fs::rename(at("..tmp"), at("..data")).unwrap();
    assert_eq!(look_twice(&number), 2);
}
