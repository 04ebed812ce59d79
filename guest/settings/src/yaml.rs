//! YAML as a tree of texts.
//!
//! A scalar stays the text that the operator wrote. A parser that guesses types would make 8.1 of the
//! version `8.10` and 100000 of the password `1e5`.

use std::collections::BTreeMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StrInput};

use super::error::YamlFault;

/// The keys of a block.
pub(super) type Entries = BTreeMap<String, Node>;

/// A YAML node.
pub(super) enum Node {
    /// A scalar; empty for YAML's null.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping.
    Block(Entries),
}

/// Reads a YAML text that is a block of keys. An empty text is an empty block.
///
/// # Errors
/// As [`Node::parse`], and if it is something else than a block.
pub(super) fn parse_block(yaml: &str) -> Result<Entries, YamlFault> {
    match Node::parse(yaml)? {
        Node::Block(entries) => Ok(entries),
        Node::Text(text) if text.is_empty() => Ok(Entries::new()),
        Node::Text(_) | Node::List(_) => {
            Err(YamlFault { line: 1, column: 1, message: "settings are a block of keys".into() })
        }
    }
}

impl Node {
    /// Reads the one document of a YAML text. No document is an empty text.
    ///
    /// # Errors
    /// If it is not YAML, has a second document, an alias, or a key twice.
    pub(super) fn parse(yaml: &str) -> Result<Self, YamlFault> {
        let mut document = Document::new(yaml);
        let node = match document.next()? {
            (Event::StreamEnd, _) => return Ok(Self::Text(String::new())),
            (event, span) => document.node(event, span)?,
        };
        match document.next()? {
            (Event::StreamEnd, _) => Ok(node),
            (_, span) => Err(fault(span, "a second document; settings are one")),
        }
    }
}

/// Whether a plain scalar is YAML's null, which Optimize also takes as the default of a placeholder.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

struct Document<'a> {
    parser: Parser<'a, StrInput<'a>>,
}

impl<'a> Document<'a> {
    fn new(yaml: &'a str) -> Self {
        let mut options = Options::default();
        options.set_emit_comments(false);
        Self { parser: Parser::new_from_str_with_options(yaml, options) }
    }

    /// The next event that says something about a node, or the end.
    fn next(&mut self) -> Result<(Event<'a>, Span), YamlFault> {
        loop {
            match self.parser.next().transpose().map_err(syntax)? {
                None => return Ok((Event::StreamEnd, Span::default())),
                Some((Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd, _)) => {}
                Some(other) => return Ok(other),
            }
        }
    }

    /// The node that begins with an event. How deep it can nest the parser limits.
    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, YamlFault> {
        match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) if is_null(&text) => Ok(Node::Text(String::new())),
            Event::Scalar(text, ..) => Ok(Node::Text(text.into_owned())),
            Event::SequenceStart(..) => self.list(),
            Event::MappingStart(..) => self.block(),
            Event::Alias(_) => Err(fault(span, "an alias; write the value itself")),
            _ => Err(fault(span, "a value is missing")),
        }
    }

    fn list(&mut self) -> Result<Node, YamlFault> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Node::List(items)),
                (event, span) => items.push(self.node(event, span)?),
            }
        }
    }

    fn block(&mut self) -> Result<Node, YamlFault> {
        let mut entries = Entries::new();
        loop {
            let (key, span) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Node::Block(entries)),
                (Event::Scalar(key, ..), span) => (key.into_owned(), span),
                (_, span) => return Err(fault(span, "a key that is not a word")),
            };
            let (event, value_span) = self.next()?;
            let value = self.node(event, value_span)?;
            if entries.contains_key(&key) {
                return Err(fault(span, format!("the key {key} is there twice")));
            }
            entries.insert(key, value);
        }
    }
}

fn fault(span: Span, message: impl Into<String>) -> YamlFault {
    let start = span.start;
    YamlFault { line: start.line(), column: start.col() + 1, message: message.into() }
}

fn syntax(error: granit_parser::ScanError) -> YamlFault {
    let place = error.marker();
    YamlFault { line: place.line(), column: place.col() + 1, message: error.info() }
}
