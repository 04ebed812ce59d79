//! `optimize-backup policy …`

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use jiff::Timestamp;
use semver::Version;

use super::exit::ExitStatus;
use super::load_settings;
use super::output::{PrintError, print};
use crate::policy::admission::{Admission, Verdict, compile_for_parent};
use crate::policy::signature::{KeyError, SignatureError, SigningKey, TrustedKeys, generate_key_pair};
use crate::policy::{ComponentInfo, Incumbents, InvalidComponent, PackError, PolicyFile, ReadError, pack};
use crate::sandbox::{EMBEDDED, Sandbox};
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
    /// Write the component that is built into this binary to a file.
    Export {
        /// Where to.
        file: PathBuf,
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
pub(super) enum PolicyCommandError {
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
    /// A file cannot be read or written.
    #[error("{}: {fault}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        fault: io::Error,
    },
    /// WebAssembly cannot run here.
    #[error("the WebAssembly sandbox cannot be set up: {0:#}")]
    Sandbox(wasmtime::Error),
    /// Standard output cannot be written.
    #[error(transparent)]
    Print(#[from] PrintError),
    /// The operating system says no.
    #[error("the operating system refused: {0}")]
    Io(#[from] io::Error),
}

impl PolicyCommandError {
    /// What is wrong with a file is wrong usage; what a host would refuse, or a signature that does not count, is an outcome.
    pub(super) fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Settings(_) => ExitStatus::Refused,
            Self::Read(_) | Self::InvalidComponent { .. } | Self::Pack { .. } | Self::Key(_) | Self::File { .. } => {
                ExitStatus::WrongUsage
            }
            Self::Signature(_) | Self::Keygen(_) | Self::Sandbox(_) | Self::Print(_) | Self::Io(_) => {
                ExitStatus::EndedBadly
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, PolicyCommandError> {
    fs::read(path).map_err(|fault| PolicyCommandError::File { path: path.to_owned(), fault })
}

/// For tools that only look at a file: more than any host admits.
const MAX_BYTES: usize = 1 << 30;

impl PolicyCommand {
    pub(super) fn run(self) -> Result<ExitStatus, PolicyCommandError> {
        match self {
            Self::Inspect { file, config } => {
                print_component_info(&file)?;
                examine(file, config.as_deref())
            }
            Self::Check { file, config } => examine(file, config.as_deref()),
            Self::Export { file } => export(file),
            Self::Pack { file, name, version, out } => write_policy(file, &name, &version, out),
            Self::Sign { file, key } => sign(&file, &key),
            Self::Verify { file, key } => verify(file, &key),
            Self::Keygen { name } => keygen(&name),
            // Its parent reads a status of its own.
            Self::Compile { memory, seconds } => std::process::exit(compile_for_parent(memory, seconds).into()),
        }
    }
}

fn print_component_info(file: &Path) -> Result<(), PolicyCommandError> {
    let defect = |defect| PolicyCommandError::InvalidComponent { file: file.to_owned(), defect };
    let info = ComponentInfo::examine(&read(file)?).map_err(defect)?;
    let unknown = || "(not told)".to_owned();
    let version = info.version.as_ref().map_or_else(unknown, ToString::to_string);
    let wit_version = info.wit_version().map_or_else(unknown, |version| version.to_string());
    let mut lines = vec![
        format!("digest   {}", info.digest),
        format!("bytes    {}", info.bytes),
        format!("name     {}", info.name.clone().unwrap_or_else(unknown)),
        format!("version  {version}"),
        format!("built for optimize:backup@{wit_version}"),
    ];
    lines.extend(info.imports.iter().map(|import| format!("imports  {import}")));
    lines.extend(info.exports.iter().map(|export| format!("exports  {export}")));
    Ok(print(&lines.join("\n"))?)
}

fn examine(file: PathBuf, config: Option<&Path>) -> Result<ExitStatus, PolicyCommandError> {
    let settings = load_settings(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let sandbox = Sandbox::new(settings.policy.call).map_err(PolicyCommandError::Sandbox)?;
    let admission = Admission::from_settings(Arc::clone(&sandbox), &settings.policy)?;
    let verdict = runtime.block_on(async {
        let candidate = PolicyFile::new(file).read(admission.max_bytes()).await?;
        Ok::<_, ReadError>(admission.examine(&candidate, &Incumbents::default()).await.0)
    })?;
    print_verdict(&verdict)?;
    Ok(if verdict.refusal().is_none() { ExitStatus::Done } else { ExitStatus::EndedBadly })
}

fn print_verdict(verdict: &Verdict) -> Result<(), PrintError> {
    let lines = verdict.steps.iter().map(|report| match &report.refusal {
        None => format!("passed   {} ({:?})", report.step, report.took),
        Some(refusal) => format!("REFUSED  {}: {refusal}", report.step),
    });
    print(&lines.collect::<Vec<_>>().join("\n"))
}

/// Also an existing file: what is written is the same each time.
fn export(file: PathBuf) -> Result<ExitStatus, PolicyCommandError> {
    let embedded = |defect| PolicyCommandError::InvalidComponent { file: PathBuf::from("(embedded)"), defect };
    let info = ComponentInfo::examine(EMBEDDED).map_err(embedded)?;
    let what = format!("{} bytes, digest {}", info.bytes, info.digest);
    write(file, EMBEDDED, &what)
}

fn write_policy(file: PathBuf, name: &str, version: &Version, out: PathBuf) -> Result<ExitStatus, PolicyCommandError> {
    let packed = pack(&read(&file)?, name, version);
    let component = packed.map_err(|fault| PolicyCommandError::Pack { file, fault })?;
    write(out, &component, &format!("policy {name} {version}"))
}

/// Writes a file, and says what it is.
fn write(path: PathBuf, bytes: &[u8], what: &str) -> Result<ExitStatus, PolicyCommandError> {
    if let Err(fault) = fs::write(&path, bytes) {
        return Err(PolicyCommandError::File { path, fault });
    }
    print(&format!("wrote {}: {what}", path.display()))?;
    Ok(ExitStatus::Done)
}

fn sign(file: &Path, key: &Path) -> Result<ExitStatus, PolicyCommandError> {
    let name = file.file_name().unwrap_or_default().display();
    let comment = format!("timestamp:{}\tfile:{name}\thashed", Timestamp::now().as_second());
    let signature = SigningKey::read(key)?.sign(&read(file)?, &comment);
    let path = PolicyFile::new(file.to_owned()).signature();
    write(path, signature.as_bytes(), &format!("the signature of {name}, which belongs beside it"))
}

fn verify(file: PathBuf, keys: &[PathBuf]) -> Result<ExitStatus, PolicyCommandError> {
    let keys = TrustedKeys::read(keys)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let candidate = runtime.block_on(PolicyFile::new(file).read(MAX_BYTES))?;
    let signer = keys.check(&candidate.component, candidate.signature.as_deref())?;
    print(&format!("signed by {}\ntrusted comment: {}", signer.name, signer.trusted_comment))?;
    Ok(ExitStatus::Done)
}

fn keygen(name: &Path) -> Result<ExitStatus, PolicyCommandError> {
    const OWNER_ONLY: u32 = 0o600;
    const EVERYBODY_READS: u32 = 0o644;
    let (secret, public) = generate_key_pair()?;
    write_new(name.with_extension("key"), OWNER_ONLY, &secret, "the secret key, to sign with: keep it to yourself")?;
    write_new(name.with_extension("pub"), EVERYBODY_READS, &public, "the public key, for hosts (policy.keys)")?;
    Ok(ExitStatus::Done)
}

/// A key that is overwritten by mistake is lost.
fn write_new(path: PathBuf, mode: u32, text: &str, what: &str) -> Result<(), PolicyCommandError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    match written {
        Ok(()) => Ok(print(&format!("wrote {}: {what}", path.display()))?),
        Err(fault) => Err(PolicyCommandError::File { path, fault }),
    }
}
