//! Which indices of an installation the engine has, as a backup would take them.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::refusal::{document, success};
use crate::restore::is_expression;
use crate::selection::{certain_names, doubtful_names, missing_indices, neighbours};
use crate::{Error, IndexPrefix, IndexSelection, Part, Request, Response, TransportError};

/// The indices of an installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    prefix: IndexPrefix,
    names: Vec<String>,
}

impl Installation {
    /// Reads the response to [`Request::resolve`].
    ///
    /// # Errors
    /// Why the indices are not known.
    pub fn read(prefix: &IndexPrefix, response: Result<&Response, TransportError>) -> Result<Self, Error> {
        let request = Request::resolve(prefix);
        let response = response.map_err(|error| Error::transport(&request, error))?;
        let body = success(response).map_err(|refusal| Error::refusal_of(&request, refusal))?;
        let resolved: Resolved = document(&request, body)?;
        let names: Vec<String> = resolved.indices.into_iter().map(|index| index.name).collect();
        match names.iter().find(|name| is_expression(name)) {
            Some(name) => Err(Error::EngineAnswerInvalid {
                request: request.to_string(),
                reason: format!("it tells of an index '{}', which no index can be called", name.escape_debug()),
            }),
            None => Ok(Self { prefix: prefix.clone(), names }),
        }
    }

    /// The indices of a part.
    ///
    /// # Errors
    /// [`Error::NothingToSnapshot`]
    pub fn select(&self, part: Part) -> Result<IndexSelection, Error> {
        let choose = |part| IndexSelection::new(part, &self.prefix, self.names.iter().map(String::as_str));
        choose(part).map_err(|nothing| {
            let both_are_empty = [Part::One, Part::Two].into_iter().all(|part| choose(part).is_err());
            let part = (!both_are_empty).then_some(nothing.0);
            Error::NothingToSnapshot { part, prefix: self.prefix.clone() }
        })
    }

    /// How many indices a part would have.
    #[must_use]
    pub fn count(&self, part: Part) -> usize {
        self.select(part).map_or(0, |selection| selection.names().len())
    }

    /// Without these indices a backup would be COMPLETE by its parts, but could not be restored.
    ///
    /// # Errors
    /// [`Error::IndicesMissing`]
    pub fn expect_required(&self) -> Result<(), Error> {
        let missing = missing_indices(&self.prefix, self.names.iter().map(String::as_str));
        if missing.is_empty() { Ok(()) } else { Err(Error::IndicesMissing { missing, prefix: self.prefix.clone() }) }
    }

    /// The part 1 of a backup that could also have a part 2.
    ///
    /// # Errors
    /// Why no backup could be made of these indices.
    pub fn expect_complete(&self) -> Result<IndexSelection, Error> {
        self.select(Part::Two)?;
        let part_one = self.select(Part::One)?;
        self.expect_required()?;
        Ok(part_one)
    }

    /// Which of these names look like those of another installation, beside what there is.
    #[must_use]
    pub fn doubtful<'a>(&self, names: impl Iterator<Item = &'a str> + Clone) -> Vec<&'a str> {
        let mut all: BTreeSet<&str> = self.names.iter().map(String::as_str).collect();
        all.extend(names.clone().map(|name| -> &str { name }));
        let doubtful = doubtful_names(&self.prefix, all);
        names.filter(|name| doubtful.contains(name)).collect()
    }

    /// Whether these are the indices of an installation.
    pub(crate) fn is_whole(&self) -> bool {
        self.expect_required().is_ok()
    }

    /// Whether an index is there, and is not a nested installation's, nor looks like it.
    pub(crate) fn owns(&self, index: &str) -> bool {
        certain_names(&self.prefix, self.names.iter().map(String::as_str)).contains(&index)
    }

    /// The prefixes of other installations whose indices are under this one's prefix. They are left out of backups.
    #[must_use]
    pub fn neighbours(&self) -> Vec<String> {
        neighbours(&self.prefix, self.names.iter().map(String::as_str))
    }
}

#[derive(Deserialize)]
struct Resolved {
    indices: Vec<ResolvedIndex>,
}

#[derive(Deserialize)]
struct ResolvedIndex {
    name: String,
}

#[cfg(test)]
mod tests;
