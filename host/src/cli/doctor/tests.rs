use super::report::{Check, exit_status};
use super::view::table;
use crate::cli::exit::ExitStatus;

#[test]
fn the_status_tells_whether_a_post_would_be_refused() {
    let [ok, warning, skipped] =
        [Check::ok("a", ""), Check::warning("b", ""), Check::not_checked("c", "the search engine cannot be asked")];
    let (fault, refused) = (Check::fault("d", ""), Check::refused("e", ""));
    for (checks, status) in [
        (vec![ok.clone(), warning.clone()], ExitStatus::Done),
        (vec![ok.clone(), fault.clone(), skipped.clone()], ExitStatus::EndedBadly),
        (vec![fault, refused, skipped], ExitStatus::Refused),
    ] {
        assert_eq!(exit_status(&checks), status);
    }
}

#[test]
fn what_to_do_stands_below_what_was_found() {
    let checks = [
        Check::ok("clock", "it agrees with the search engine's"),
        Check::refused("repository", "backups is not registered").advise("register it"),
        Check::not_checked("storage", "the repository is not known"),
    ];
    let expected = "\
clock       ok     it agrees with the search engine's
repository  FAULT  backups is not registered
                   → register it
storage     -      not checked: the repository is not known";
    assert_eq!(table(&checks, 80), expected);
    assert!(table(&checks, 40).lines().all(|line| line.chars().count() <= 40), "{}", table(&checks, 40));
}
