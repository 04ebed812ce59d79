//! The Java that an engine runs on: not every version of one runs on every version of the other.

use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use anyhow::{Context, Result};

/// The home of an installed Java.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Java {
    home: PathBuf,
    version: u32,
}

/// The home of an installed Java of one of these versions.
///
/// Looked for in this order: `JAVA_HOME`, the `PATH`, and the folders that package managers install into.
pub(crate) fn home(versions: &RangeInclusive<u32>) -> Result<PathBuf> {
    static INSTALLED: LazyLock<Vec<Java>> = LazyLock::new(installed);
    choose(&INSTALLED, versions).with_context(|| advice(&INSTALLED, versions))
}

fn choose(installed: &[Java], versions: &RangeInclusive<u32>) -> Option<PathBuf> {
    installed.iter().find(|java| versions.contains(&java.version)).map(|java| java.home.clone())
}

fn advice(installed: &[Java], versions: &RangeInclusive<u32>) -> String {
    let found: Vec<String> =
        installed.iter().map(|java| format!("Java {} in {}", java.version, java.home.display())).collect();
    let found = if found.is_empty() { "none is found".to_owned() } else { format!("found: {}", found.join(", ")) };
    let oldest = versions.start();
    let wanted = match *versions.end() {
        u32::MAX => format!("{oldest} or newer"),
        newest => format!("{oldest} to {newest}"),
    };
    // The version that the distributions have packages of.
    let package = if versions.contains(&17) { 17 } else { 21 };
    format!(
        "this engine needs a JDK of version {wanted}; {found}. Install one (Debian and Ubuntu: apt install \
         openjdk-{package}-jdk-headless; Fedora: dnf install java-{package}-openjdk-headless; macOS: brew install \
         --cask temurin@{package}), or set JAVA_HOME"
    )
}

fn installed() -> Vec<Java> {
    let mut programs: Vec<PathBuf> = Vec::new();
    programs.extend(variable("JAVA_HOME").map(|home| home.join("bin/java")));
    programs.push(PathBuf::from("java"));
    programs.extend(homes().into_iter().map(|home| home.join("bin/java")));
    let mut installed: Vec<Java> = Vec::new();
    for java in programs.iter().filter_map(ask) {
        if !installed.contains(&java) {
            installed.push(java);
        }
    }
    installed
}

/// Where Debian and Fedora, SDKMAN and macOS keep theirs.
fn homes() -> Vec<PathBuf> {
    let mut homes = entries(Path::new("/usr/lib/jvm"));
    if let Some(home) = variable("HOME") {
        homes.extend(entries(&home.join(".sdkman/candidates/java")));
    }
    let bundles = entries(Path::new("/Library/Java/JavaVirtualMachines"));
    homes.extend(bundles.into_iter().map(|bundle| bundle.join("Contents/Home")));
    homes.retain(|home| home.join("bin/java").is_file());
    homes
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Java itself is asked: behind the name on the `PATH` can be a link, a wrapper or a version manager's shim.
fn ask(java: impl AsRef<OsStr>) -> Option<Java> {
    let output = Command::new(java).args(["-XshowSettings:properties", "-version"]).output().ok()?;
    read(&String::from_utf8_lossy(&output.stderr))
}

fn read(properties: &str) -> Option<Java> {
    let home = PathBuf::from(property(properties, "java.home")?);
    let version = property(properties, "java.specification.version")?.parse().ok()?;
    Some(Java { home, version })
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
    use std::path::PathBuf;

    use super::{Java, advice, choose, read};

    fn java(home: &str, version: u32) -> Java {
        Java { home: home.into(), version }
    }

    #[test]
    fn a_property_is_found_by_its_whole_name() {
        let text =
            "Property settings:\n    java.home.old = /a\n    java.home = /b c\n    java.specification.version = 17\n";
        assert_eq!(read(text), Some(java("/b c", 17)));
        // Java 8 calls itself 1.8, and is too old for everything.
        assert_eq!(read("java.home = /a\njava.specification.version = 1.8\n"), None);
    }

    #[test]
    fn the_first_that_fits_is_taken() {
        let installed = [java("/25", 25), java("/17", 17), java("/21", 21)];
        assert_eq!(choose(&installed, &(17..=23)), Some(PathBuf::from("/17")));
        assert_eq!(choose(&installed, &(21..=u32::MAX)), Some(PathBuf::from("/25")));
        assert_eq!(choose(&installed, &(26..=27)), None);
    }

    #[test]
    fn what_is_missing_is_told_with_the_command_that_installs_it() {
        assert!(advice(&[], &(17..=23)).contains("version 17 to 23"));
        let text = advice(&[java("/jdk-17", 17)], &(21..=u32::MAX));
        for fact in ["version 21 or newer", "Java 17 in /jdk-17", "openjdk-21-jdk-headless"] {
            assert!(text.contains(fact), "{fact} is not in: {text}");
        }
    }
}
