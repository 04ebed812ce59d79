//! How long CPython takes to read the engine's answer.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::process::Command;

use crate::figures::Samples;

/// Prints the seconds of each reading.
const SCRIPT: &str = "
import json, sys, time
text = open(sys.argv[1], encoding='utf-8').read()
for _ in range(3):
    started = time.perf_counter()
    parsed = json.loads(text)
    print(time.perf_counter() - started)
    del parsed
";

/// The text that is read.
pub(crate) struct Python {
    file: PathBuf,
    bytes: usize,
    _folder: tempfile::TempDir,
}

impl Python {
    pub(crate) fn new(text: &[u8]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("list.json");
        fs::write(&file, text)?;
        Ok(Self { file, bytes: text.len(), _folder: folder })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds how long some readings took; none if there is no Python.
    pub(crate) async fn read(&self, reads: &mut Samples) -> Result<()> {
        let Ok(output) = Command::new("python3").args(["-c", SCRIPT]).arg(&self.file).output().await else {
            return Ok(());
        };
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            reads.add(Duration::from_secs_f64(line.parse().context("python3 did not print seconds")?));
        }
        Ok(())
    }
}
