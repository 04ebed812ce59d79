//! The block `backup.restore`: what a restore looks at besides the search engine.

use super::section::{Parsed, Section};
use super::values;

/// The URL at which Optimize answers.
pub(super) fn read(block: &Section<'_>) -> Parsed<Option<String>> {
    block.refuse_unknown();
    block.optional("optimizeUrl", values::http_url)
}
