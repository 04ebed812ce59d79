use std::fmt;

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The value, `***` in the place of a secret.
    pub value: String,
    /// It stands in the operator's file, perhaps as a placeholder.
    pub is_of_file: bool,
    /// The environment variables that it was made of.
    pub variables: Vec<String>,
}

/// `file`, or the names of the variables.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.variables.as_slice(), self.is_of_file) {
            ([], _) => f.write_str("file"),
            (variables, true) => write!(f, "file and {}", variables.join(", ")),
            (variables, false) => f.write_str(&variables.join(", ")),
        }
    }
}
