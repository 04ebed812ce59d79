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

/// What was fetched when the engine was first used here.
const SHA256: [(&str, &str); 8] = [
    ("elasticsearch-7.17.24.zip", "6dcdb1996df736fed5a6698b8fd138fd570c0a8e181c82da93ef693e7f715f6a"),
    ("elasticsearch-8.11.0.zip", "97233f3c34721fde97b81c65fe83a8b78410a85f66ad7b0989d2fa063a50f862"),
    ("elasticsearch-8.19.0.zip", "14833b2d86c30656901f92049f81fb5777a8e4545413c8656cd1a21b55173033"),
    ("elasticsearch-9.2.0.zip", "bf44938a0490ba2a303d39c9cb64b38963dd08c812ce93e10816e878585bcb6b"),
    ("opensearch-2.19.0.zip", "84b8d1a06a31b57993cfe2801cbf01bdbc54fe07b45aee5cb2ba87917a01c751"),
    ("opensearch-2.19.1.zip", "af7152d8b7f6f1cee09d47276b32b70479fe6dd8cdbb61213f84eb7f8098b261"),
    ("opensearch-3.1.0.zip", "2e45e5b7bf9ac27f196677683b236f80aaaf075b79a62db68ba9c8fa27449305"),
    ("opensearch-security-2.19.1.0.zip", "94a04f12ac6033902209fac1e4e512618d45beee604bbf0e42c3ed79c55220cf"),
];

/// Fetches the distribution, with its plugin, and unpacks it into `folder`.
pub(crate) fn unpack(distribution: Distribution, folder: &Path) -> Result<PathBuf> {
    let home = folder.join(distribution.folder());
    fetch_into(folder, &distribution.artifact())?;
    if let Some(artifact) = distribution.security_plugin() {
        let plugin = home.join(security::PLUGIN);
        std::fs::create_dir(&plugin).with_context(|| format!("making {}", plugin.display()))?;
        fetch_into(&plugin, &artifact)?;
    }
    Ok(home)
}

fn fetch_into(folder: &Path, artifact: &str) -> Result<()> {
    let archive = fetch(artifact, folder)?;
    let name = archive.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let known = SHA256.iter().find(|(archive, _)| *archive == name);
    let (_, expected) = known.with_context(|| format!("the SHA-256 of {name} is not known"))?;
    let found = sha256_of(&archive)?;
    ensure!(found == *expected, "{artifact} is another one than we know: its SHA-256 is {found}");
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
fn fetch(artifact: &str, folder: &Path) -> Result<PathBuf> {
    let output = Command::new("mvn")
        // Not every repository has every checksum: ours are compared instead.
        .args(["--quiet", "--batch-mode", "--lax-checksums", "dependency:copy"])
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
