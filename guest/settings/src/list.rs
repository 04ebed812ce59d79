//! Settings that are lists. As in Optimize, the operator's list replaces the default one, and a text, such as
//! an environment variable's, can stand for a list.

use std::fmt::Display;

use super::error::{Problem, Setting};
use super::placeholder::resolve;
use super::section::{Noted, Read, Reading, Section};
use super::yaml::Node;

impl<'a> Section<'a> {
    /// A list of values; empty if there is none.
    pub(super) fn list<T, E: Display>(&self, name: &str, parse: impl Fn(&str) -> Result<T, E>) -> Read<Vec<T>> {
        for node in self.nodes(name) {
            let items = self.items(name, node)?;
            if !items.is_empty() {
                return all(items.into_iter().map(|item| item.parse(self.reading, &parse)));
            }
        }
        Ok(Vec::new())
    }

    /// A list of blocks; empty if there is none.
    pub(super) fn sections(&self, name: &str) -> Read<Vec<Section<'a>>> {
        for node in self.nodes(name) {
            match node {
                Node::List(blocks) if !blocks.is_empty() => {
                    return all(indexed(name, blocks).map(|(name, block)| self.item(name, block)));
                }
                Node::List(_) => {}
                Node::Text(text) if text.is_empty() => {}
                Node::Text(_) | Node::Block(_) => {
                    return Err(self.note(name, Problem::Shape { expected: "a list of blocks" }));
                }
            }
        }
        Ok(Vec::new())
    }

    fn item(&self, name: String, node: &'a Node) -> Read<Section<'a>> {
        match node {
            Node::Block(entries) => Ok(Section::new(self.reading, self.key_of(&name), vec![entries])),
            Node::Text(_) | Node::List(_) => Err(self.note(&name, Problem::Shape { expected: "a block of keys" })),
        }
    }

    fn items(&self, name: &str, node: &Node) -> Read<Vec<Item>> {
        let items = match node {
            Node::Text(_) => Item::read(self.reading, self.key_of(name), node)?.split(self.reading)?,
            Node::List(nodes) => {
                all(indexed(name, nodes).map(|(name, node)| Item::read(self.reading, self.key_of(&name), node)))?
            }
            Node::Block(_) => return Err(self.note(name, Problem::Shape { expected: "a list" })),
        };
        Ok(items.into_iter().filter(|item| !item.text.is_empty()).collect())
    }
}

/// One value of a list.
struct Item {
    setting: Setting,
    text: String,
}

impl Item {
    fn read(reading: &Reading<'_>, key: String, node: &Node) -> Read<Self> {
        let value = match node {
            Node::Text(text) => resolve(text, reading.environment),
            Node::List(_) | Node::Block(_) => Err(Problem::Shape { expected: "a single value" }),
        };
        match value {
            Ok(value) => {
                let setting = Setting { key, variables: value.variables };
                Ok(Self { setting, text: value.text })
            }
            Err(problem) => Err(reading.note(Setting { key, variables: Vec::new() }, problem)),
        }
    }

    /// The items of a text: `a, b`, or `['a', 'b']` as Optimize takes it.
    fn split(self, reading: &Reading<'_>) -> Read<Vec<Self>> {
        let texts = if self.text.starts_with('[') {
            yaml_list(&self.text)
        } else {
            Some(self.text.split(',').map(|text| text.trim().to_owned()).collect())
        };
        let Some(texts) = texts else {
            let expected = "a list such as [a, b], or a text with commas";
            return Err(reading.note(self.setting, Problem::Shape { expected }));
        };
        let item = |text| Self { setting: self.setting.clone(), text };
        Ok(texts.into_iter().map(item).collect())
    }

    fn parse<T, E: Display>(self, reading: &Reading<'_>, parse: impl Fn(&str) -> Result<T, E>) -> Read<T> {
        parse(&self.text).map_err(|error| reading.note(self.setting, Problem::Unfit(error.to_string())))
    }
}

fn yaml_list(text: &str) -> Option<Vec<String>> {
    let Ok(Node::List(nodes)) = Node::parse(text) else {
        return None;
    };
    let text = |node| match node {
        Node::Text(text) => Some(text),
        Node::List(_) | Node::Block(_) => None,
    };
    nodes.into_iter().map(text).collect()
}

/// Items with the names that errors give them, such as `nodes[0]`.
fn indexed<'a>(name: &str, nodes: &'a [Node]) -> impl Iterator<Item = (String, &'a Node)> {
    nodes.iter().enumerate().map(move |(at, node)| (format!("{name}[{at}]"), node))
}

/// All results, or a failure; but only after each of them had the chance to note its fault.
fn all<T>(results: impl Iterator<Item = Read<T>>) -> Read<Vec<T>> {
    let results: Vec<Result<T, Noted>> = results.collect();
    results.into_iter().collect()
}
