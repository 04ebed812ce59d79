//! The settings from the outside: a file and an environment in, [`Settings`] or faults out.

mod database;
mod faults;
mod optimize_file;
mod precedence;
mod properties;
mod reach;
mod retention;
mod security;
mod table;

use std::io::Write;

use tempfile::NamedTempFile;

use super::{Settings, SettingsError};

/// Variables with their values.
type Environment<'a> = &'a [(&'a str, &'a str)];

/// Loads a file with this text in this environment.
fn load(yaml: &str, environment: Environment<'_>) -> Result<Settings, SettingsError> {
    Settings::load(Some(file(yaml).path()), variables(environment))
}

/// The text of the error that must come of it.
fn error(yaml: &str, environment: Environment<'_>) -> String {
    load(yaml, environment).unwrap_err().to_string()
}

fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

fn variables(environment: Environment<'_>) -> impl Fn(&str) -> Option<String> {
    move |asked| {
        let (_, value) = environment.iter().find(|(name, _)| *name == asked)?;
        Some((*value).to_owned())
    }
}

fn nothing_set(_: &str) -> Option<String> {
    None
}
