//! What takes minutes and is measured only by its name.

mod callers;
mod connections;
mod soak;

pub(crate) use callers::measure as callers;
pub(crate) use connections::measure as connections;
pub(crate) use soak::measure as soak;
