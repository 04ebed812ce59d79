//! Environment variables that nobody reads although they look like ours.

use std::collections::BTreeSet;

use super::DEFAULTS;

/// A variable that is set and that is none of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownVariable {
    /// Its name.
    pub name: String,
    /// The one that was perhaps meant.
    pub suggestion: Option<&'static str>,
}

/// Names that Optimize does not begin its own variables with, apart from one that we read as well.
const OURS: [&str; 2] = ["CAMUNDA_OPTIMIZE_BACKUP_", "CAMUNDA_OPTIMIZE_POLICY_"];
/// Names of other programs, however near, are none of ours.
const BEGINNINGS: [&str; 2] = ["CAMUNDA", "OPTIMI"];
/// What a slip of the fingers makes: a letter too many, too few, another one, or two swapped, up to two times.
const MAX_DISTANCE: usize = 2;

/// Which of the names of environment variables are probably misspelt: those that begin as only ours do, and those that
/// differ from one of ours in a letter or two. Optimize has many variables of its own, which are not told.
///
/// `read` says which others are read, as a placeholder in the operator's file is.
pub fn unknown_variables(names: impl IntoIterator<Item = String>, read: impl Fn(&str) -> bool) -> Vec<UnknownVariable> {
    let known: BTreeSet<&'static str> = known_variables().collect();
    let could_be_ours = |name: &String| BEGINNINGS.iter().any(|begin| name.starts_with(begin));
    let names = names.into_iter().filter(could_be_ours);
    let unknown = names.filter(|name| !known.contains(name.as_str()) && !read(name));
    let judged = unknown.map(|name| UnknownVariable { suggestion: nearest(&name, &known), name });
    let mut found: Vec<UnknownVariable> = judged
        .filter(|found| found.suggestion.is_some() || OURS.iter().any(|begin| found.name.starts_with(begin)))
        .collect();
    found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    found
}

/// The variables in `defaults.yaml`.
fn known_variables() -> impl Iterator<Item = &'static str> {
    DEFAULTS.split("${").skip(1).filter_map(|rest| rest.split([':', '}']).next())
}

fn nearest(name: &str, known: &BTreeSet<&'static str>) -> Option<&'static str> {
    let distances = known.iter().map(|candidate| (strsim::osa_distance(name, candidate), *candidate));
    let (distance, candidate) = distances.min()?;
    (distance <= MAX_DISTANCE).then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(names: &[&str]) -> Vec<(String, Option<&'static str>)> {
        let found = unknown_variables(names.iter().map(|&name| name.to_owned()), |name| name == "READ_BY_THE_FILE");
        found.into_iter().map(|found| (found.name, found.suggestion)).collect()
    }

    #[test]
    fn a_slip_is_told_with_what_was_meant() {
        for (name, meant) in [
            ("CAMUNDA_OPTIMIZE_BACKUP_REPOSITRY_NAME", "CAMUNDA_OPTIMIZE_BACKUP_REPOSITORY_NAME"),
            ("OPTIMIZE_ELASTICSEARCH_HOTS", "OPTIMIZE_ELASTICSEARCH_HOST"),
            ("CAMUNDA_OPTIMIZE_DATABSE", "CAMUNDA_OPTIMIZE_DATABASE"),
            ("CAMUNDA_OPTIMISE_ELASTICSEARCH_SECURITY_PASSWORD", "CAMUNDA_OPTIMIZE_ELASTICSEARCH_SECURITY_PASSWORD"),
        ] {
            assert_eq!(unknown(&[name]), [(name.to_owned(), Some(meant))]);
        }
        let without = "CAMUNDA_OPTIMIZE_BACKUP_COLOUR";
        assert_eq!(unknown(&[without]), [(without.to_owned(), None)]);
    }

    /// From the documents of Optimize.
    #[test]
    fn optimizes_own_variables_are_not_told() {
        let known: Vec<&str> = known_variables().collect();
        assert!(known.len() > 30 && unknown(&known).is_empty());
        let others = [
            "READ_BY_THE_FILE",
            "PATH",
            "CAMUNDA_OPTIMIZE_ZEEBE_ENABLED",
            "CAMUNDA_OPTIMIZE_ZEEBE_NAME",
            "CAMUNDA_OPTIMIZE_API_AUDIENCE",
            "CAMUNDA_OPTIMIZE_CONTAINER_PORTS_HTTP",
            "CAMUNDA_OPTIMIZE_CONTAINER_PORTS_HTTPS",
            "CAMUNDA_OPTIMIZE_IDENTITY_ISSUER_URL",
            "CAMUNDA_OPTIMIZE_SECURITY_AUTH_COOKIE_SAME_SITE_ENABLED",
            "CAMUNDA_OPTIMIZE_OPENSEARCH_USERNAME",
            "CAMUNDA_OPTIMIZE_IMPORT_DATA_SKIP_DATA_AFTER_NESTED_DOC_LIMIT_REACHED",
            "OPTIMIZE_ELASTICSEARCH_REPLICAS",
            "OPTIMIZE_LOG_LEVEL",
            "OPTIMIZE_BACKUP_URL",
        ];
        assert_eq!(unknown(&others), []);
    }
}
