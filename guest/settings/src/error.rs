use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why the settings cannot be used. Its text has one line for each fault, and never a secret.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The operator's file cannot be read.
    #[error("{}: cannot be read: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        reason: io::Error,
    },
    /// The operator's file is not YAML, or not a kind of YAML that settings are written in.
    #[error("{}: {fault}", path.display())]
    Yaml {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        fault: YamlFault,
    },
    /// Values that cannot be used: all that were found.
    #[error("{}", lines(.0))]
    Faults(Vec<Fault>),
}

/// What is wrong with a YAML text, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {line}, column {column}: {}", one_line(message))]
pub struct YamlFault {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// One fault of one setting.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", one_line(&format!("{setting}: {problem}")))]
pub struct Fault {
    /// The setting concerned.
    pub setting: Setting,
    /// What is wrong with it.
    pub problem: Problem,
}

/// A setting as its operator knows it, such as `es.connection.nodes[0].host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key, with the blocks that it stands in.
    pub key: String,
    /// The environment variables that its value came from. Empty: it stands in a file.
    pub variables: Vec<String>,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if self.variables.is_empty() {
            return Ok(());
        }
        write!(f, " (from {})", self.variables.join(", "))
    }
}

/// What can be wrong with a setting.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The value does not fit. The text names it, unless it is a secret, and says what is allowed.
    #[error("{0}")]
    Unfit(String),
    /// There is no value, and no default either.
    #[error("is missing")]
    Missing,
    /// A placeholder without a default names a variable that is not set.
    #[error("the environment variable {0} is not set: set it, or write ${{{0}:default}}")]
    Unset(String),
    /// A list or a block of keys where a value belongs, or the other way round.
    #[error("must be {expected}")]
    Shape {
        /// What belongs there.
        expected: &'static str,
    },
    /// A key that does not exist, in a block that is not Optimize's.
    #[error("is unknown: use {}", allowed.join(", "))]
    Unknown {
        /// The keys of that block.
        allowed: Vec<String>,
    },
    /// Two settings that exclude each other.
    #[error("cannot be used together with {0}: use one of them")]
    Conflict(Setting),
    /// A setting that means nothing without another one.
    #[error("needs {0}")]
    Needs(String),
}

fn lines(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
}

/// Keys and values are an operator's text: a line break in them must not make a second line of a log.
fn one_line(text: &str) -> String {
    text.chars().fold(String::new(), |mut line, c| {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        line
    })
}
