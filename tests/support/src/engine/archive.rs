//! Fetching and unpacking an engine's published archive.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::digest;
use zip::ZipArchive;

use super::distribution::Distribution;
use super::security;
use crate::guardian::Guardian;

/// The unpacked distribution below `cache`, fetched if it is not there yet.
///
/// It appears there by one rename, so processes that race for it do no harm: the slower one throws
/// its own copy away.
pub(crate) fn cached(distribution: Distribution, cache: &Path) -> Result<PathBuf> {
    let home = cache.join(distribution.folder());
    if home.is_dir() {
        return Ok(home);
    }
    std::fs::create_dir_all(cache).with_context(|| format!("making {}", cache.display()))?;
    let workshop = Guardian::new(cache, "unpacking")?;
    let unpacked = unpack(distribution, workshop.folder())?;
    match std::fs::rename(unpacked, &home) {
        Err(error) if !home.is_dir() => Err(error).with_context(|| format!("moving the engine to {}", home.display())),
        _ => Ok(home),
    }
}

/// Fetches the distribution, with its plugin, and unpacks it into `folder`.
pub(crate) fn unpack(distribution: Distribution, folder: &Path) -> Result<PathBuf> {
    let home = folder.join(distribution.folder());
    fetch_into(folder, &distribution.artifact(), distribution.sha256())?;
    if let Some(artifact) = distribution.security_plugin() {
        let plugin = home.join(security::PLUGIN);
        std::fs::create_dir(&plugin).with_context(|| format!("making {}", plugin.display()))?;
        fetch_into(&plugin, &artifact, None)?;
    }
    Ok(home)
}

fn fetch_into(folder: &Path, artifact: &str, sha256: Option<&str>) -> Result<()> {
    let archive = fetch(artifact, folder, sha256.is_none())?;
    if let Some(expected) = sha256 {
        let found = sha256_of(&archive)?;
        ensure!(found == expected, "{artifact} is another one than we know: its SHA-256 is {found}");
    }
    let file = File::open(&archive).with_context(|| format!("opening {}", archive.display()))?;
    ZipArchive::new(file)
        .and_then(|mut zip| zip.extract(folder))
        .with_context(|| format!("unpacking {}", archive.display()))?;
    std::fs::remove_file(&archive).with_context(|| format!("removing {}", archive.display()))
}

fn sha256_of(file: &Path) -> Result<String> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut file = File::open(file)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        context.update(bytes);
    }
    Ok(context.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Lets Maven copy the archive into `folder`, out of its own repository if it has it already.
fn fetch(artifact: &str, folder: &Path, compare_checksums: bool) -> Result<PathBuf> {
    let checksums = if compare_checksums { "--strict-checksums" } else { "--lax-checksums" };
    let output = Command::new("mvn")
        .args(["--quiet", "--batch-mode", checksums, "dependency:copy"])
        .arg(format!("-Dartifact={artifact}"))
        .arg(format!("-DoutputDirectory={}", folder.display()))
        // Not in the caller's folder: its pom.xml would have a say.
        .current_dir(folder)
        .output()
        .context("mvn does not run: install Maven, which fetches the engine")?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stdout);
        let reason = text.lines().find(|line| line.contains("ERROR")).unwrap_or("no reason given");
        bail!("Maven cannot fetch {artifact}: {reason}");
    }
    let [_, name, version, kind] = artifact.split(':').collect::<Vec<_>>()[..] else {
        bail!("{artifact} is not an artifact of Maven");
    };
    Ok(folder.join(format!("{name}-{version}.{kind}")))
}
