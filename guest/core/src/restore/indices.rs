use crate::IndexPrefix;

/// Indices of one installation, by exact names. Never empty: for an engine, an empty list means every index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExactIndices(Vec<String>);

impl ExactIndices {
    /// `None` if there is no name, or one that is not under the prefix or would be read as an expression.
    #[must_use]
    pub fn new(prefix: &IndexPrefix, names: Vec<String>) -> Option<Self> {
        let is_exact = |name: &String| prefix.strip(name).is_some_and(|rest| !rest.is_empty()) && !is_expression(name);
        (!names.is_empty() && names.iter().all(is_exact)).then_some(Self(names))
    }

    /// The names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

/// Whether an engine would read this name, in a list of indices, as a pattern or another expression.
pub(crate) fn is_expression(name: &str) -> bool {
    name.starts_with(['-', '+', '_']) || name.contains(['*', '?', ',', '<', '>', '|', '"', '\\', '/', '#', ' '])
}
