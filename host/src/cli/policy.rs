//! `optimize-backup policy …`

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use jiff::Timestamp;
use semver::Version;

use super::load_settings;
use crate::policy::admission::{Admission, Verdict, compile_for_parent};
use crate::policy::signature::{KeyError, SignatureError, SigningKey, TrustedKeys, generate_key_pair};
use crate::policy::{ComponentInfo, Incumbents, InvalidComponent, PackError, PolicyFile, ReadError, pack};
use crate::sandbox::Sandbox;
use crate::settings::SettingsError;

#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    /// Show what a component imports and exports, who it is, and whether a host would admit it.
    Inspect {
        /// The component.
        file: PathBuf,
        /// The host's settings, as for `serve`.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Examine a component as a host does before it lets it serve; the exit status tells the outcome.
    Check {
        /// The component.
        file: PathBuf,
        /// The host's settings, as for `serve`.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Make a component of what a compiler left, a core module or a component, and write into it who it is.
    Pack {
        /// The module or component.
        file: PathBuf,
        /// The policy's name. Versions count among policies of one name.
        #[arg(long)]
        name: String,
        /// The policy's version, such as 1.2.0. A host refuses one that is older than what serves.
        #[arg(long)]
        version: Version,
        /// Where to.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Write the signature of a component beside it, as FILE.minisig; `minisign -S` does the same.
    Sign {
        /// The component.
        file: PathBuf,
        /// The secret key, without a password.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Check the signature beside a component.
    Verify {
        /// The component.
        file: PathBuf,
        /// A public key. Can be given several times.
        #[arg(long, value_name = "FILE", required = true)]
        key: Vec<PathBuf>,
    },
    /// Make a key pair of minisign without a password: NAME.key to sign with, NAME.pub for hosts (policy.keys).
    Keygen {
        /// Where to, without ending.
        name: PathBuf,
    },
    /// What a host starts to compile a component: not for people.
    #[command(hide = true)]
    Compile {
        /// Bytes of address space.
        memory: u64,
        /// Seconds of processor time.
        seconds: u64,
    },
}

/// Why a command about policies failed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyCommandError {
    /// A setting is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The component's file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is not a component.
    #[error("{}: {defect}", file.display())]
    InvalidComponent {
        /// The file.
        file: PathBuf,
        /// Why not.
        defect: InvalidComponent,
    },
    /// No policy can be made of it.
    #[error("{}: {fault}", file.display())]
    Pack {
        /// The file.
        file: PathBuf,
        /// Why not.
        fault: PackError,
    },
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The signature does not count.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A key cannot be made.
    #[error("no key can be made: the system gives no randomness")]
    Keygen(#[from] aws_lc_rs::error::Unspecified),
    /// A file cannot be written.
    #[error("{}: {fault}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        fault: io::Error,
    },
    /// WebAssembly cannot run here.
    #[error("the WebAssembly sandbox cannot be set up: {0:#}")]
    Sandbox(wasmtime::Error),
    /// The operating system says no.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// For tools that only look at a file: more than any host admits.
const MAX_BYTES: usize = 1 << 30;

impl PolicyCommand {
    pub(super) fn run(self) -> Result<ExitCode, PolicyCommandError> {
        match self {
            Self::Inspect { file, config } => {
                print_anatomy(&file)?;
                examine(file, config.as_deref())
            }
            Self::Check { file, config } => examine(file, config.as_deref()),
            Self::Pack { file, name, version, out } => write_policy(file, &name, &version, out),
            Self::Sign { file, key } => sign(&file, &key),
            Self::Verify { file, key } => verify(file, &key),
            Self::Keygen { name } => keygen(&name),
            Self::Compile { memory, seconds } => Ok(ExitCode::from(compile_for_parent(memory, seconds))),
        }
    }
}

fn print_anatomy(file: &Path) -> Result<(), PolicyCommandError> {
    let defect = |defect| PolicyCommandError::InvalidComponent { file: file.to_owned(), defect };
    let info = ComponentInfo::examine(&fs::read(file)?).map_err(defect)?;
    let unknown = || "(not told)".to_owned();
    let version = info.version.as_ref().map_or_else(unknown, ToString::to_string);
    let wit_version = info.wit_version().map_or_else(unknown, |version| version.to_string());
    println!("digest   {}", info.digest);
    println!("bytes    {}", info.bytes);
    println!("name     {}", info.name.clone().unwrap_or_else(unknown));
    println!("version  {version}");
    println!("built for optimize:backup@{wit_version}");
    info.imports.iter().for_each(|import| println!("imports  {import}"));
    info.exports.iter().for_each(|export| println!("exports  {export}"));
    Ok(())
}

fn examine(file: PathBuf, config: Option<&Path>) -> Result<ExitCode, PolicyCommandError> {
    let settings = load_settings(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let sandbox = Sandbox::new(settings.policy.call).map_err(PolicyCommandError::Sandbox)?;
    let admission = Admission::from_settings(Arc::clone(&sandbox), &settings.policy)?;
    let verdict = runtime.block_on(async {
        let candidate = PolicyFile::new(file).read(admission.max_bytes()).await?;
        Ok::<_, ReadError>(admission.examine(&candidate, &Incumbents::default()).await.0)
    })?;
    print_verdict(&verdict);
    Ok(if verdict.refusal().is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_verdict(verdict: &Verdict) {
    for report in &verdict.steps {
        match &report.refusal {
            None => println!("passed   {} ({:?})", report.step, report.took),
            Some(refusal) => println!("REFUSED  {}: {refusal}", report.step),
        }
    }
}

fn write_policy(file: PathBuf, name: &str, version: &Version, out: PathBuf) -> Result<ExitCode, PolicyCommandError> {
    let packed = pack(&fs::read(&file)?, name, version);
    let component = packed.map_err(|fault| PolicyCommandError::Pack { file, fault })?;
    fs::write(&out, component).map_err(|fault| PolicyCommandError::Write { path: out, fault })?;
    Ok(ExitCode::SUCCESS)
}

fn sign(file: &Path, key: &Path) -> Result<ExitCode, PolicyCommandError> {
    let name = file.file_name().unwrap_or_default().display();
    let comment = format!("timestamp:{}\tfile:{name}\thashed", Timestamp::now().as_second());
    let signature = SigningKey::read(key)?.sign(&fs::read(file)?, &comment);
    let path = PolicyFile::new(file.to_owned()).signature();
    fs::write(&path, signature).map_err(|fault| PolicyCommandError::Write { path, fault })?;
    Ok(ExitCode::SUCCESS)
}

fn verify(file: PathBuf, keys: &[PathBuf]) -> Result<ExitCode, PolicyCommandError> {
    let keys = TrustedKeys::read(keys)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let candidate = runtime.block_on(PolicyFile::new(file).read(MAX_BYTES))?;
    let signer = keys.check(&candidate.component, candidate.signature.as_deref())?;
    println!("signed by {}\ntrusted comment: {}", signer.name, signer.trusted_comment);
    Ok(ExitCode::SUCCESS)
}

fn keygen(name: &Path) -> Result<ExitCode, PolicyCommandError> {
    const OWNER_ONLY: u32 = 0o600;
    const EVERYBODY_READS: u32 = 0o644;
    let (secret, public) = generate_key_pair()?;
    write_new(name.with_extension("key"), OWNER_ONLY, &secret)?;
    write_new(name.with_extension("pub"), EVERYBODY_READS, &public)?;
    Ok(ExitCode::SUCCESS)
}

/// A key that is overwritten by mistake is lost.
fn write_new(path: PathBuf, mode: u32, text: &str) -> Result<(), PolicyCommandError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|fault| PolicyCommandError::Write { path, fault })
}
