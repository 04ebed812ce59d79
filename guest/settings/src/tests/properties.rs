use proptest::prelude::*;

use super::super::Settings;
use super::{file, load};

const SECRET: &str = "hunter2-Zm9vYmFy";

proptest! {
    #[test]
    fn no_text_in_a_variable_brings_it_down(text in ".{0,40}") {
        let faults = match Settings::load(None, |_| Some(text.clone())) {
            Ok(_) => return Ok(()),
            Err(error) => error.to_string(),
        };
        prop_assert!(!faults.is_empty());
    }

    #[test]
    fn no_file_brings_it_down(yaml in any::<String>()) {
        let _ = load(&yaml, &[]);
    }

    #[test]
    fn no_yaml_of_ours_brings_it_down(
        key in "(es|backup|policy|container)",
        inner in "(connection|nodes|ports|security|path|resumeWindow)",
        value in "[\\[\\]{}:,'\" a-z0-9$-]{0,30}",
    ) {
        let _ = load(&format!("{key}:\n  {inner}: {value}\n"), &[]);
    }

    #[test]
    fn every_fault_is_one_line(text in "[^\u{0}]{1,20}") {
        let environment = [("CAMUNDA_OPTIMIZE_BACKUP_LOG_FORMAT", text.as_str())];
        if let Err(error) = load("", &environment) {
            prop_assert!(!error.to_string().chars().any(char::is_control));
        }
    }

    #[test]
    fn a_secret_is_never_shown(noise in "[\u{0}-\u{ff}]{0,3}", username in "[a-z:]{0,3}", api_key: bool) {
        let secret = format!("{SECRET}{noise}");
        let file = file(&secret);
        let path = file.path().to_str().unwrap();
        let key = if api_key { "API_KEY" } else { "PASSWORD" };
        for (suffix, value) in [("", secret.as_str()), ("_FILE", path)] {
            let name = format!("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_{key}{suffix}");
            let environment = [
                (name.as_str(), value),
                ("CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_USERNAME", username.as_str()),
            ];
            let shown = match load("", &environment) {
                Ok(settings) => format!("{settings:?}"),
                Err(error) => format!("{error} {error:?}"),
            };
            prop_assert!(!shown.contains(SECRET), "{}", shown);
        }
    }
}

#[test]
fn deep_nesting_is_refused() {
    for yaml in ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000)] {
        assert!(load(&yaml, &[]).is_err());
    }
}

#[test]
fn deep_nesting_of_placeholders_is_harmless() {
    let [opening, closing] = ["${A:".repeat(1000), "}".repeat(1000)];
    let yaml = format!("backup: {{logLevel: '{opening}debug{closing}'}}");
    assert_eq!(load(&yaml, &[]).unwrap().log.filter, "debug");
}
