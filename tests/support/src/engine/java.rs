//! The Java that the engines run on.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

const OLDEST: u32 = 17;

const ADVICE: &str = "install a JDK, version 17 or newer, and put it on the PATH or in JAVA_HOME";

/// The home of the Java in `JAVA_HOME`, or else of the one on the `PATH`.
///
/// Java itself is asked: behind the name on the `PATH` can be a link, a wrapper or a version
/// manager's shim.
pub(crate) fn home() -> Result<PathBuf> {
    let java = match std::env::var_os("JAVA_HOME") {
        Some(home) if !home.is_empty() => PathBuf::from(home).join("bin/java"),
        _ => PathBuf::from("java"),
    };
    let output = Command::new(&java)
        .args(["-XshowSettings:properties", "-version"])
        .output()
        .with_context(|| format!("{} does not run: {ADVICE}", java.display()))?;
    let properties = String::from_utf8_lossy(&output.stderr);
    let home = property(&properties, "java.home")
        .with_context(|| format!("{} does not tell its home: {ADVICE}", java.display()))?;
    let version = property(&properties, "java.specification.version").unwrap_or_default();
    let recent = version.parse::<u32>().is_ok_and(|version| version >= OLDEST);
    ensure!(recent, "{} is Java {version}: {ADVICE}", java.display());
    Ok(PathBuf::from(home))
}

fn property<'a>(properties: &'a str, name: &str) -> Option<&'a str> {
    properties
        .lines()
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::property;

    #[test]
    fn a_property_is_found_by_its_whole_name() {
        let text = "Property settings:\n    java.home.old = /a\n    java.home = /b c\n";
        assert_eq!(property(text, "java.home"), Some("/b c"));
        assert_eq!(property(text, "java"), None);
    }
}
