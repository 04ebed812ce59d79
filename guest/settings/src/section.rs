//! Values as they stand in the operator's file, or below it in the defaults.

use std::cell::RefCell;
use std::fmt::Display;

use super::error::{Fault, Problem, Setting};
use super::placeholder::{Environment, Value, resolve};
use super::yaml::{Entries, Node};

/// What all sections share: the environment, and the faults found so far.
pub(super) struct Reading<'a> {
    pub(super) environment: &'a Environment<'a>,
    faults: RefCell<Vec<Fault>>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(environment: &'a Environment<'a>) -> Self {
        Self { environment, faults: RefCell::default() }
    }

    /// The faults that were found.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.faults.into_inner()
    }

    /// Keeps a fault. Reading goes on, so that an operator is told all of them at once.
    pub(super) fn note(&self, setting: Setting, problem: Problem) -> Noted {
        self.faults.borrow_mut().push(Fault { setting, problem });
        Noted
    }
}

/// There is no usable value, and [`Reading`] knows why.
pub(super) struct Noted;

/// What reading a value comes to.
pub(super) type Read<T> = Result<T, Noted>;

/// A block of keys: the operator's above the one in the defaults, where they have it.
pub(super) struct Section<'a> {
    pub(super) reading: &'a Reading<'a>,
    key: String,
    layers: Vec<&'a Entries>,
}

impl<'a> Section<'a> {
    /// A block under its whole key. Of two layers that have a value, the first counts.
    pub(super) fn new(reading: &'a Reading<'a>, key: String, layers: Vec<&'a Entries>) -> Self {
        Self { reading, key, layers }
    }

    /// The block under a key.
    pub(super) fn section(&self, name: &str) -> Self {
        let mut layers = Vec::new();
        for node in self.nodes(name) {
            match node {
                Node::Block(entries) => layers.push(entries),
                Node::Text(text) if text.is_empty() => {}
                Node::Text(_) | Node::List(_) => {
                    self.note(name, Problem::Shape { expected: "a block of keys" });
                }
            }
        }
        Self::new(self.reading, self.key_of(name), layers)
    }

    /// A value that need not be there.
    pub(super) fn optional<T, E: Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Read<Option<T>> {
        let value = self.find(name).map_err(|problem| self.note(name, problem))?;
        let parsed = value.map(|value| parse(&value.text)).transpose();
        parsed.map_err(|error| self.note(name, Problem::Unfit(error.to_string())))
    }

    /// A value that must be there.
    pub(super) fn required<T, E: Display>(&self, name: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Read<T> {
        self.optional(name, parse)?.ok_or_else(|| self.note(name, Problem::Missing))
    }

    /// Notes every key that the defaults do not have.
    pub(super) fn refuse_unknown(&self) {
        let Some((defaults, above)) = self.layers.split_last() else {
            return;
        };
        for name in above.iter().flat_map(|entries| entries.keys()) {
            if !defaults.contains_key(name) {
                let allowed = defaults.keys().cloned().collect();
                self.note(name, Problem::Unknown { allowed });
            }
        }
    }

    /// Notes that two keys exclude each other.
    pub(super) fn conflict(&self, name: &str, other: &str) -> Noted {
        self.note(name, Problem::Conflict(self.setting(other)))
    }

    /// Notes what is wrong with a key.
    pub(super) fn note(&self, name: &str, problem: Problem) -> Noted {
        self.reading.note(self.setting(name), problem)
    }

    /// What the layers have under a key, the one that counts first.
    pub(super) fn nodes(&self, name: &str) -> impl Iterator<Item = &'a Node> {
        self.layers.iter().filter_map(move |entries| entries.get(name))
    }

    /// A key with the blocks that it stands in.
    pub(super) fn key_of(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) }
    }

    fn setting(&self, name: &str) -> Setting {
        let value = self.find(name).ok().flatten().unwrap_or_default();
        Setting { key: self.key_of(name), variables: value.variables }
    }

    /// The first value that is not empty.
    fn find(&self, name: &str) -> Result<Option<Value>, Problem> {
        for node in self.nodes(name) {
            let Node::Text(text) = node else {
                return Err(Problem::Shape { expected: "a single value" });
            };
            let value = resolve(text, self.reading.environment)?;
            if !value.text.is_empty() {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}
