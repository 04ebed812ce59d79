//! Blocks, values and lists as they stand in the operator's file, or below it in the defaults.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::error::one_line;
use super::origin::Origin;
use super::placeholder::{Environment, Value, resolve};
use super::yaml::{self, Entries, Node};

/// What all sections share: the environment, and the errors found so far, a line each.
pub(super) struct Reader<'a> {
    environment: &'a Environment<'a>,
    errors: RefCell<Vec<String>>,
    origins: RefCell<BTreeMap<String, Origin>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a Environment<'a>) -> Self {
        Self { environment, errors: RefCell::default(), origins: RefCell::default() }
    }

    pub(super) fn into_errors(self) -> Vec<String> {
        self.errors.into_inner()
    }

    /// Where the values came from that are not the defaults, by key.
    pub(super) fn origins(&self) -> BTreeMap<String, Origin> {
        self.origins.borrow().clone()
    }
}

/// There is no usable value, and [`Reader`] knows why.
#[derive(Clone, Copy)]
pub(super) struct Reported;

pub(super) type Parsed<T> = Result<T, Reported>;

/// Defines a struct with the way to read each field, and `read`, which reads all of them before the first unusable one ends
/// it: so every error is reported.
macro_rules! settings {
    ($(#[$attribute:meta])* pub struct $name:ident($($from:ident: $section:ty),+) {
        $($(#[$doc:meta])* $field:ident: $type:ty = $read:expr,)+
    }) => {
        $(#[$attribute])*
        pub struct $name { $($(#[$doc])* pub $field: $type,)+ }

        impl $name {
            pub(crate) fn read($($from: $section),+) -> Parsed<Self> {
                $(let $field = $read;)+
                Ok(Self { $($field: $field?),+ })
            }
        }
    };
}
pub(super) use settings;

/// A block of keys in one of the places where settings stand.
#[derive(Clone, Copy)]
pub(super) struct Layer<'a> {
    entries: &'a Entries,
    is_of_file: bool,
}

impl<'a> Layer<'a> {
    /// The operator's file, and below it the defaults.
    pub(super) fn all(file: Option<&'a Entries>, defaults: &'a Entries) -> Vec<Self> {
        let file = file.map(|entries| Self { entries, is_of_file: true });
        file.into_iter().chain([Self { entries: defaults, is_of_file: false }]).collect()
    }
}

/// A block of keys: the operator's above the one in the defaults, where they have it.
pub(super) struct Section<'a> {
    reader: &'a Reader<'a>,
    key: String,
    /// Of two that have a value, the first counts.
    layers: Vec<Layer<'a>>,
}

impl<'a> Section<'a> {
    pub(super) fn root(reader: &'a Reader<'a>, layers: Vec<Layer<'a>>) -> Self {
        Self { reader, key: String::new(), layers }
    }

    /// The block under a key.
    pub(super) fn section(&self, name: &str) -> Self {
        let mut layers = Vec::new();
        for (node, is_of_file) in self.nodes(name) {
            match node {
                Node::Block(entries) => layers.push(Layer { entries, is_of_file }),
                node if node.is_empty() => {}
                _ => {
                    self.report(name, "must be a block of keys");
                }
            }
        }
        Self { reader: self.reader, key: self.key_of(name), layers }
    }

    /// The list of blocks under a key; empty if there is none.
    pub(super) fn sections(&self, name: &str) -> Parsed<Vec<Self>> {
        let Some((node, is_of_file)) = self.nodes(name).find(|(node, _)| !node.is_empty()) else {
            return Ok(Vec::new());
        };
        let Node::List(blocks) = node else { return Err(self.report(name, "must be a list of blocks")) };
        all(indexed(name, blocks).map(|(name, block)| match block {
            Node::Block(entries) => {
                let layers = vec![Layer { entries, is_of_file }];
                Ok(Self { reader: self.reader, key: self.key_of(&name), layers })
            }
            _ => Err(self.report(&name, "must be a block of keys")),
        }))
    }

    pub(super) fn optional<T, E: Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Parsed<Option<T>> {
        let value = self.find(name).map_err(|problem| self.report(name, problem))?;
        let text = Some(value.text).filter(|text| !text.is_empty());
        text.map(|text| parse(&text)).transpose().map_err(|error| self.report(name, error))
    }

    pub(super) fn required<T, E: Display>(&self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Parsed<T> {
        self.optional(name, parse)?.ok_or_else(|| self.report(name, "is missing"))
    }

    /// A list of values; empty if there is none. As in Optimize, a text can stand for a list.
    pub(super) fn list<T, E: Display>(&self, name: &str, parse: impl Fn(&str) -> Result<T, E>) -> Parsed<Vec<T>> {
        for (node, is_of_file) in self.nodes(name) {
            let items = self.items(name, node)?;
            if !items.is_empty() {
                let variables = items.iter().flat_map(|(_, value)| value.variables.clone()).collect();
                let value = items.iter().map(|(_, item)| item.text.clone()).collect::<Vec<_>>().join(", ");
                self.note_origin(name, is_of_file, Value { text: value, variables });
                return all(items.into_iter().map(|(name, Value { text, variables })| {
                    parse(&text).map_err(|error| self.report_with(&name, &variables, error))
                }));
            }
        }
        Ok(Vec::new())
    }

    /// The items of a list that are not empty, with their names.
    fn items(&self, name: &str, node: &Node) -> Parsed<Vec<(String, Value)>> {
        let value = |name: &str, node| self.value(node).map_err(|problem| self.report(name, problem));
        let mut items = match node {
            Node::List(nodes) => all(indexed(name, nodes).map(|(name, node)| Ok((name.clone(), value(&name, node)?))))?,
            Node::Block(_) => return Err(self.report(name, "must be a list")),
            Node::Text(_) => {
                let Value { text, variables } = value(name, node)?;
                let texts = split(&text).ok_or_else(|| {
                    self.report_with(name, &variables, "must be a list such as [a, b], or a text with commas")
                })?;
                let item = |text| (name.to_owned(), Value { text, variables: variables.clone() });
                texts.into_iter().map(item).collect()
            }
        };
        items.retain(|(_, value)| !value.text.is_empty());
        Ok(items)
    }

    /// The keys that any layer has.
    pub(super) fn names(&self) -> BTreeSet<&'a str> {
        self.layers.iter().flat_map(|layer| layer.entries.keys()).map(String::as_str).collect()
    }

    /// Reports every key that the defaults do not have.
    pub(super) fn refuse_unknown(&self) {
        self.refuse_unknown_if(|_| true);
    }

    /// The same without blocks, which are Optimize's own: for a block that it has, too.
    pub(super) fn refuse_unknown_values(&self) {
        self.refuse_unknown_if(|node| !matches!(node, Node::Block(_)));
    }

    fn refuse_unknown_if(&self, is_refused: impl Fn(&Node) -> bool) {
        let Some((defaults, above)) = self.layers.split_last() else { return };
        let unknown = above.iter().flat_map(|layer| layer.entries.iter());
        for (name, _) in unknown.filter(|(name, node)| !defaults.entries.contains_key(*name) && is_refused(node)) {
            let allowed: Vec<&str> = defaults.entries.keys().map(String::as_str).collect();
            self.report(name, format!("is unknown: use {}", allowed.join(", ")));
        }
    }

    /// Reports that two keys exclude each other.
    pub(super) fn conflict(&self, name: &str, other: &str) -> Reported {
        let other = with_variables(&self.key_of(other), &self.variables(other));
        self.report(name, format!("cannot be used together with {other}: use one of them"))
    }

    /// Reports what is wrong with a key. Reading goes on, so that an operator is told all of it at once.
    pub(super) fn report(&self, name: &str, problem: impl Display) -> Reported {
        self.report_with(name, &self.variables(name), problem)
    }

    fn report_with(&self, name: &str, variables: &[String], problem: impl Display) -> Reported {
        let line = format!("{}: {problem}", with_variables(&self.key_of(name), variables));
        self.reader.errors.borrow_mut().push(one_line(&line));
        Reported
    }

    /// A key with the blocks that it stands in.
    pub(super) fn key_of(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) }
    }

    /// What the layers have under a key, the one that counts first,
    /// and whether it stands in the operator's file.
    fn nodes(&self, name: &str) -> impl Iterator<Item = (&'a Node, bool)> {
        self.layers.iter().filter_map(move |layer| Some((layer.entries.get(name)?, layer.is_of_file)))
    }

    fn note_origin(&self, name: &str, is_of_file: bool, Value { text, variables }: Value) {
        if is_of_file || !variables.is_empty() {
            let origin = Origin { value: text, is_of_file, variables };
            self.reader.origins.borrow_mut().insert(self.key_of(name), origin);
        }
    }

    /// As [`Section::optional`], for a value that nobody is shown.
    pub(super) fn secret<T, E: Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Parsed<Option<T>> {
        let value = self.optional(name, parse);
        if let Some(origin) = self.reader.origins.borrow_mut().get_mut(&self.key_of(name)) {
            origin.value = "***".to_owned();
        }
        value
    }

    fn variables(&self, name: &str) -> Vec<String> {
        self.find(name).unwrap_or_default().variables
    }

    /// The first value that is not empty, or an empty one.
    fn find(&self, name: &str) -> Result<Value, String> {
        for (node, is_of_file) in self.nodes(name) {
            let value = self.value(node)?;
            if !value.text.is_empty() {
                self.note_origin(name, is_of_file, value.clone());
                return Ok(value);
            }
        }
        Ok(Value::default())
    }

    fn value(&self, node: &Node) -> Result<Value, String> {
        match node {
            Node::Text(text) => resolve(text, self.reader.environment),
            _ => Err("must be a single value".to_owned()),
        }
    }
}

/// A key and the environment variables that its value came from.
fn with_variables(key: &str, variables: &[String]) -> String {
    if variables.is_empty() { key.to_owned() } else { format!("{key} (from {})", variables.join(", ")) }
}

/// The items of a text: `a, b`, or `['a', 'b']` as Optimize takes it.
fn split(text: &str) -> Option<Vec<String>> {
    if !text.starts_with('[') {
        return Some(text.split(',').map(|item| item.trim().to_owned()).collect());
    }
    let Ok(Node::List(nodes)) = yaml::parse(text) else { return None };
    nodes.into_iter().map(|node| if let Node::Text(text) = node { Some(text) } else { None }).collect()
}

/// Items with the names that errors give them, such as `nodes[0]`.
fn indexed<'a>(name: &str, nodes: &'a [Node]) -> impl Iterator<Item = (String, &'a Node)> {
    nodes.iter().enumerate().map(move |(at, node)| (format!("{name}[{at}]"), node))
}

/// All results, or a failure; but only after each of them had the chance to report its error.
pub(super) fn all<T>(results: impl Iterator<Item = Parsed<T>>) -> Parsed<Vec<T>> {
    let results: Vec<Parsed<T>> = results.collect();
    results.into_iter().collect()
}
