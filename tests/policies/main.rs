//! Replacing the policy of a host in one process, with an engine in memory: good candidates, and bad ones.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may fail in any way")]

mod admission;
mod exchange;
mod fixtures;
mod house;
mod http;
mod misbehaviour;
mod sources;
