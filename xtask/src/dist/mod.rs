//! `cargo xtask dist`: everything that is published, in one folder; the same bytes wherever it is built.

mod artefact;
mod layout;
mod source;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use backup_artefacts::Workspace;
use clap::Args;
use indicatif::HumanBytes;

use self::artefact::Artefact;
use self::layout::sha256;

/// Where it is put by default.
pub(crate) const FOLDER: &str = "target/dist";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The folder to put it into. A folder of that name is replaced.
    #[arg(long, default_value = FOLDER)]
    output: PathBuf,
    /// Build a second time, from a clean clone of the last commit in another folder, and fail if a byte
    /// differs.
    #[arg(long)]
    twice: bool,
}

impl Options {
    pub(crate) fn twice() -> Self {
        Self { output: FOLDER.into(), twice: true }
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    // Where the tests have built most of it.
    let artefacts = Artefact::all(&Workspace::here(&Path::new(crate::ROOT).join("target/guest")))?;
    if options.twice {
        let clone = source::clean_clone()?;
        let again = Artefact::all(&Workspace::at(clone.path(), &clone.path().join("target")))?;
        expect_same(&artefacts, &again)?;
        println!("a second build from a clean clone gave the same bytes");
    }
    let folder = Path::new(crate::ROOT).join(&options.output);
    write(&artefacts, &folder).with_context(|| format!("writing to {}", folder.display()))?;
    println!("{}", options.output.display());
    Ok(ExitCode::SUCCESS)
}

fn expect_same(first: &[Artefact], second: &[Artefact]) -> Result<()> {
    for (one, other) in first.iter().zip(second) {
        if one.bytes != other.bytes {
            bail!(
                "{} differs between this folder and a clean clone of its last commit: sha256 {} and {}; if everything is committed, the build depends on where it is done",
                one.file(),
                sha256(&one.bytes),
                sha256(&other.bytes)
            );
        }
    }
    Ok(())
}

fn write(artefacts: &[Artefact], folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let (commit, wit) = (source::last_commit()?, folder.join("wit"));
    fs::create_dir_all(&wit)?;
    for file in fs::read_dir(Path::new(crate::ROOT).join("wit"))? {
        let file = file?;
        fs::copy(file.path(), wit.join(file.file_name()))?;
    }
    let mut sums = String::new();
    for artefact in artefacts {
        let sum = sha256(&artefact.bytes);
        fs::write(folder.join(artefact.file()), &artefact.bytes)?;
        layout::write(artefact, &commit, &folder.join("oci").join(artefact.name))?;
        println!("{:<24} {:>10}  sha256:{sum}", artefact.file(), HumanBytes(artefact.bytes.len() as u64).to_string());
        sums += &format!("{sum}  {}\n", artefact.file());
    }
    // As `sha256sum --check` reads it.
    fs::write(folder.join("SHA256SUMS"), sums)?;
    Ok(())
}
