//! An operator's file and environment, from any text.

#![no_main]

use std::cell::RefCell;
use std::io::Write;

use backup_settings::Settings;
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use tempfile::NamedTempFile;

/// Not the name of a variable, so `${` before it makes no placeholder, whose name is shown.
const SECRET: &str = "hunter2-Zm9vYmFy";

// One way an input, told by its first line: reading the defaults takes most of the time.
fuzz_target!(|text: &str| match text.split_once('\n') {
    Some(("environment", lines)) => any_environment(lines),
    Some(("secrets", lines)) => secrets_in_a_file(lines),
    _ => any_file(text),
});

/// Any file beside secrets in the environment.
fn any_file(text: &str) {
    let shown = load(Some(text), |name| is_secret(name).then(|| SECRET.to_owned()));
    // A file may name the variable of a password where it does not belong.
    assert!(text.contains("${") || !shown.contains(SECRET), "{shown}");
}

/// Lines as the values of all variables, with secrets where they belong.
fn any_environment(lines: &str) {
    let lines = RefCell::new(lines.lines());
    let value = |name: &str| lines.borrow_mut().next().map(|line| secret(name) + line);
    let shown = load(None, value);
    assert!(!shown.contains(SECRET), "{shown}");
}

fn secret(name: &str) -> String {
    if is_secret(name) { SECRET.to_owned() } else { String::new() }
}

fn is_secret(name: &str) -> bool {
    name.ends_with("_PASSWORD") || name.ends_with("_API_KEY")
}

/// Secrets where they belong, and where they often get by mistake, beside any values.
fn secrets_in_a_file(text: &str) {
    let mut lines = text.lines();
    let mut next = || lines.next().unwrap_or_default();
    let filed = file(&format!("{SECRET}{}", next()));
    let security = match next() {
        "list" => json!({"password": [SECRET], "apiKey": {"a": SECRET}}),
        "key" => json!({"apiKey": format!("{SECRET}{}", next())}),
        "key file" => json!({"apiKeyFile": filed.path()}),
        "user" => json!({"username": format!("user:{SECRET}{}", next())}),
        "both" => json!({"apiKey": SECRET, "password": SECRET, "passwordFile": filed.path()}),
        "password file" => json!({"username": next(), "passwordFile": filed.path()}),
        _ => json!({"username": next(), "password": format!("{SECRET}{}", next())}),
    };
    let host = format!("{}user:{SECRET}@{}", next(), next());
    let block = json!({
        "security": security,
        "connection": {"nodes": [{"host": host, "httpPort": next()}], "timeout": next(), "pathPrefix": next()},
        "settings": {"index": {"prefix": next()}},
    });
    let settings = json!({"backup": {"database": next()}, "es": block, "opensearch": block});
    let shown = load(Some(&settings.to_string()), |_| None);
    assert!(!shown.contains(SECRET), "{shown}");
}

/// What anybody is shown of it.
fn load(yaml: Option<&str>, environment: impl Fn(&str) -> Option<String>) -> String {
    let file = yaml.map(file);
    match Settings::load(file.as_ref().map(NamedTempFile::path), environment) {
        Ok(settings) => format!("{settings:?}"),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty() && text.lines().all(|line| !line.chars().any(char::is_control)), "{text:?}");
            format!("{text} {error:?}")
        }
    }
}

fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}
