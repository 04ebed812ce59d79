use reqwest::StatusCode;
use serde_json::json;

use super::host::{of_tls, server_of};
use super::report::{Check, exit_status};
use super::view::table;
use crate::cli::exit::ExitStatus;
use crate::settings::ServerTls;

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

#[test]
fn files_for_tls_that_stop_a_server_are_a_fault() {
    assert_eq!(exit_status(&[of_tls(None)]), ExitStatus::Done);
    let folder = tempfile::tempdir().unwrap();
    let file = |name| folder.path().join(name);
    let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(file("tls.crt"), pair.cert.pem()).unwrap();
    let tls = ServerTls { certificate: file("tls.crt"), private_key: file("tls.key"), trust_certificate: None };
    let fault = of_tls(Some(&tls));
    assert!(
        fault.found.contains("management.server.ssl.certificate-private-key") && fault.advice.is_some(),
        "{fault:?}"
    );
    assert_eq!(exit_status(&[fault]), ExitStatus::Refused);
    std::fs::write(file("tls.key"), pair.signing_key.serialize_pem()).unwrap();
    assert_eq!(exit_status(&[of_tls(Some(&tls))]), ExitStatus::Done);
}

#[test]
fn a_server_that_lets_nobody_in_is_known() {
    let error = |code: &str| json!({"errorCode": code, "errorMessage": "…"});
    let ours = Some("optimize-backup".to_owned());
    assert_eq!(server_of(StatusCode::UNAUTHORIZED, &error("unauthorized")), ours);
    assert_eq!(server_of(StatusCode::FORBIDDEN, &error("clientCertificateNeeded")), ours);
    assert_eq!(server_of(StatusCode::FORBIDDEN, &error("other")), None);
    let info = json!({"app": {"name": "optimize-backup", "version": "0.1.0"}});
    assert_eq!(server_of(StatusCode::OK, &info).as_deref(), Some("optimize-backup 0.1.0"));
}
