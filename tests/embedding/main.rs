//! The policy in hosts that are not ours: the examples, each run as its README says, on a real Elasticsearch. `cargo test`
//! runs the one in Rust, `cargo xtask matrix` all of them.

mod example;
mod fixture;
mod go;
mod node;
mod python;
mod rust;

/// Fails for an ignored test that no column of the matrix runs.
#[test]
fn every_ignored_test_is_in_one_column_of_the_matrix() -> anyhow::Result<()> {
    backup_test_support::matrix::expect_every_ignored_test("embedding")
}
