use std::fmt::Display;
use std::io;
use std::path::PathBuf;

/// Why the settings cannot be used. The text never shows a secret.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The operator's file cannot be read.
    #[error("{path}: cannot be read: {1}", path = .0.display())]
    File(PathBuf, io::Error),
    /// The operator's file is not YAML, or not a kind of YAML that settings are written in.
    #[error("{path}: {1}", path = .0.display())]
    Yaml(PathBuf, String),
    /// Values that cannot be used: a line for each, with its key and the variables that it came from.
    #[error("{}", .0.join("\n"))]
    Values(Vec<String>),
}

/// Why a text cannot be the value of a setting.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InvalidValue(String);

impl InvalidValue {
    pub(super) fn new(text: &str, allowed: impl Display) -> Self {
        Self(format!("'{text}' is not {allowed}"))
    }

    /// For a text that may be a secret or contain one.
    pub(super) fn hidden(allowed: &str) -> Self {
        Self(format!("the value, not shown here, is not {allowed}"))
    }

    pub(super) fn file(path: &str, problem: impl Display) -> Self {
        Self(format!("the file '{path}' {problem}"))
    }

    pub(super) fn unreadable(path: &str, reason: &io::Error) -> Self {
        Self::file(path, format!("cannot be read: {reason}"))
    }
}

/// Keys and values are an operator's text: a line break in them must not make a second line of a log.
pub(super) fn one_line(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}
