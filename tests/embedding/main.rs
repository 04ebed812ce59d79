//! The policy in hosts that are not ours: the examples, each run as its README says, on a real Elasticsearch.

mod example;
mod go;
mod node;
mod python;
mod rust;
mod world;
