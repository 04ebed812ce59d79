//! YAML as a tree of texts.
//!
//! A scalar stays the text that the operator wrote. A parser that guesses types would make 8.1 of the
//! version `8.10` and 100000 of the password `1e5`.

use std::collections::BTreeMap;

use granit_parser::{Event, Marker, Options, Parser, ScalarStyle, Span, StrInput};

use super::error::one_line;

/// The keys of a block.
pub(super) type Entries = BTreeMap<String, Node>;

/// A YAML node.
pub(super) enum Node {
    /// A scalar; empty for YAML's null.
    Text(String),
    List(Vec<Node>),
    Block(Entries),
}

impl Node {
    /// An empty text, which counts as not set, or a list without items.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Block(_) => false,
        }
    }
}

/// Reads a YAML text that is a block of keys. An empty text is an empty block.
///
/// # Errors
/// As [`parse`], and if it is something else than a block.
pub(super) fn parse_block(yaml: &str) -> Result<Entries, String> {
    match parse(yaml)? {
        Node::Block(entries) => Ok(entries),
        Node::Text(text) if text.is_empty() => Ok(Entries::new()),
        _ => Err("line 1, column 1: settings are a block of keys".to_owned()),
    }
}

/// Reads the one document of a YAML text. No document is an empty text.
///
/// # Errors
/// What is wrong and where, if it is not YAML, has a second document, an alias, or a key twice.
pub(super) fn parse(yaml: &str) -> Result<Node, String> {
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut document = Document(Parser::new_from_str_with_options(yaml, options));
    let node = match document.next()? {
        (Event::StreamEnd, _) => return Ok(Node::Text(String::new())),
        (event, span) => document.node(event, span)?,
    };
    match document.next()? {
        (Event::StreamEnd, _) => Ok(node),
        (_, span) => Err(at(&span.start, "a second document; settings are one")),
    }
}

/// Whether a plain scalar is YAML's null, which Optimize also takes as the default of a placeholder.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

struct Document<'a>(Parser<'a, StrInput<'a>>);

impl<'a> Document<'a> {
    /// The next event that says something about a node, or the end.
    fn next(&mut self) -> Result<(Event<'a>, Span), String> {
        loop {
            match self.0.next().transpose().map_err(|error| at(error.marker(), &error.info()))? {
                None => return Ok((Event::StreamEnd, Span::default())),
                Some((Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _)) => {}
                Some(other) => return Ok(other),
            }
        }
    }

    /// The node that begins with an event. How deep it can nest the parser limits.
    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, String> {
        match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) if is_null(&text) => Ok(Node::Text(String::new())),
            Event::Scalar(text, ..) => Ok(Node::Text(text.into_owned())),
            Event::SequenceStart(..) => self.list(),
            Event::MappingStart(..) => self.block(),
            Event::Alias(_) => Err(at(&span.start, "an alias; write the value itself")),
            _ => Err(at(&span.start, "a value is missing")),
        }
    }

    fn list(&mut self) -> Result<Node, String> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Node::List(items)),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn block(&mut self) -> Result<Node, String> {
        let mut entries = Entries::new();
        loop {
            let (key, span) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Node::Block(entries)),
                (Event::Scalar(key, ..), span) => (key.into_owned(), span),
                (_, span) => return Err(at(&span.start, "a key that is not a word")),
            };
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span)?;
            if entries.contains_key(&key) {
                return Err(at(&span.start, &format!("the key {key} is there twice")));
            }
            entries.insert(key, value);
        }
    }
}

fn at(place: &Marker, message: &str) -> String {
    format!("line {}, column {}: {}", place.line(), place.col() + 1, one_line(message))
}
