//! `examples/go`: wazy.

use std::ffi::OsStr;

use anyhow::Result;
use backup_test_support::programs::{call, workshop};

use crate::example::{Example, sources};
use crate::fixture::Fixture;

const ADVICE: &str = "install Go 1.25 or newer";

#[tokio::test]
#[ignore = "cargo xtask matrix"]
async fn the_go_example_makes_backups() -> Result<()> {
    let fixture = Fixture::new().await?;
    let folder = sources("go");
    // As `go run` does, but once.
    let program = workshop("example-go")?.join("example-go");
    let build: [&OsStr; 4] = ["build".as_ref(), "-o".as_ref(), program.as_os_str(), ".".as_ref()];
    call("go", &build, &folder, ADVICE)?;
    fixture.try_out(&Example { folder, program, arguments: vec![fixture.policy().into()] }).await
}
