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

/// The longest name of an index (`MetadataCreateIndexService.MAX_INDEX_NAME_BYTES`).
const MAX_NAME_BYTES: usize = 255;

/// Whether no index can be called so, such as what an engine would read as a pattern or another expression.
pub(crate) fn is_expression(name: &str) -> bool {
    let is_forbidden = |c: char| c.is_whitespace() || c.is_control() || "*?,<>|:\"\\/#".contains(c);
    name.starts_with(['-', '+', '_']) || name.contains(is_forbidden) || name.len() > MAX_NAME_BYTES
}
