use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::super::yaml::{Node, parse_block};
use super::super::{DEFAULTS, Settings};

const REFERENCE: &str = include_str!("../../../../docs/reference/settings.md");

/// The keys, variables and defaults that users know. Those of Elasticsearch and OpenSearch differ only in names.
fn rows() -> impl Iterator<Item = (&'static str, Vec<&'static str>, &'static str)> {
    let cells = |line: &'static str| line.split(" | ").collect::<Vec<_>>();
    REFERENCE.lines().filter_map(|line| line.strip_prefix("| `")).map(cells).map(|cells| {
        let variables = cells[1].split('`').skip(1).step_by(2).collect();
        (cells[0].trim_end_matches('`'), variables, cells[2].trim_matches(['`', '–']))
    })
}

/// The table with the keys and variables of one database.
fn table(block: &str) -> Vec<(String, String)> {
    let of_block = |(key, variable): (String, &str)| {
        let Some(key) = key.strip_prefix("es.").filter(|_| block == "opensearch") else {
            return (key, variable.to_owned());
        };
        let variable = match variable {
            "OPTIMIZE_ELASTICSEARCH_HOST" => "CAMUNDA_OPTIMIZE_OPENSEARCH_HOST".to_owned(),
            "OPTIMIZE_ELASTICSEARCH_HTTP_PORT" => "CAMUNDA_OPTIMIZE_OPENSEARCH_HTTP_PORT".to_owned(),
            variable => variable.replace("ELASTICSEARCH", "OPENSEARCH"),
        };
        (format!("opensearch.{key}"), variable)
    };
    let pairs = rows().flat_map(|(key, variables, _)| {
        variables.into_iter().map(move |variable| (key.replace("[]", "[0]"), variable))
    });
    let is_of_the_other = |key: &str| block == "es" && key.starts_with("opensearch.");
    pairs.filter(|(key, _)| !is_of_the_other(key)).map(of_block).collect()
}

fn load(database: &str, environment: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
    let settings = Settings::load(None, |name| match environment(name) {
        None if name == "CAMUNDA_OPTIMIZE_DATABASE" => Some(database.to_owned()),
        value => value,
    });
    settings.map_err(|error| error.to_string())
}

/// The keys below a node, each with its text.
fn leaves(key: &str, node: Node) -> Vec<(String, String)> {
    match node {
        Node::Text(text) => vec![(key.to_owned(), text)],
        Node::List(nodes) => nodes.into_iter().flat_map(|node| leaves(&format!("{key}[]"), node)).collect(),
        Node::Block(entries) => {
            let below = |(name, node): (String, Node)| leaves(format!("{key}.{name}").trim_start_matches('.'), node);
            entries.into_iter().flat_map(below).collect()
        }
    }
}

#[test]
fn the_reference_has_every_key_with_its_variables_and_default() {
    let text_of = |variables: &[&str], default: &str| {
        variables.iter().rev().fold(default.to_owned(), |inner, variable| format!("${{{variable}:{inner}}}"))
    };
    let documented: Vec<_> =
        rows().map(|(key, variables, default)| (key.to_owned(), text_of(&variables, default))).collect();
    let all: BTreeMap<String, String> = leaves("", Node::Block(parse_block(DEFAULTS).unwrap())).into_iter().collect();
    // What both search engines have is documented once.
    let in_both = |key: &str| key.strip_prefix("opensearch.").is_some_and(|key| all.contains_key(&format!("es.{key}")));
    let once: BTreeMap<_, _> = all.clone().into_iter().filter(|(key, _)| !in_both(key)).collect();
    assert_eq!(documented.len(), once.len(), "a key is there twice, or missing");
    assert_eq!(documented.into_iter().collect::<BTreeMap<_, _>>(), once);
}

#[test]
fn the_defaults_name_the_variables_of_the_table() {
    let named: BTreeSet<&str> = DEFAULTS
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(|line| line.split("${").skip(1))
        .filter_map(|placeholder| placeholder.split(':').next())
        .collect();
    let tables = [table("es"), table("opensearch")].concat();
    let known: BTreeSet<&str> = tables.iter().map(|(_, variable)| variable.as_str()).collect();
    assert_eq!(named, known);
}

#[test]
fn every_variable_of_the_table_is_asked_for() {
    let asked = RefCell::new(BTreeSet::new());
    let record = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        None
    };
    load("elasticsearch", record).unwrap();
    load("opensearch", record).unwrap();
    let tables = [table("es"), table("opensearch")].concat();
    let known: BTreeSet<String> = tables.into_iter().map(|(_, variable)| variable).collect();
    assert_eq!(asked.into_inner(), known);
}

#[test]
fn every_variable_sets_its_key() {
    // No name, number or file is called so. Where any text will do, the settings have it.
    let value = "? ?";
    for (database, block) in [("elasticsearch", "es"), ("opensearch", "opensearch")] {
        for (key, variable) in table(block) {
            let loaded = load(database, |name| (name == variable).then(|| value.to_owned()));
            match loaded {
                Ok(settings) => assert!(format!("{settings:?}").contains(value), "{variable}"),
                Err(line) => assert!(line.contains(&format!("{key} (from {variable}): ")), "{line}"),
            }
        }
    }
}
