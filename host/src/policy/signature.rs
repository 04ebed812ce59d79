//! Signatures of policies as minisign makes and checks them: prehashed ones, beside the component as `.minisig`.

mod signing;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use minisign_verify::{Error as MinisignError, PublicKey, Signature};

pub use signing::{SigningKey, generate_key_pair};

/// Whose signatures count. Without any, nobody's is asked for.
#[derive(Clone, Default)]
pub struct TrustedKeys(Vec<TrustedKey>);

#[derive(Clone)]
struct TrustedKey {
    /// Its file's name without the ending.
    name: String,
    id: String,
    key: PublicKey,
}

#[derive(Debug)]
pub struct Signer {
    /// The key's.
    pub name: String,
    pub trusted_comment: String,
}

/// Why a signature does not count. `allowed` are the names of the keys, with their IDs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("it is not signed; a signature by one of the keys {} is needed (policy.keys)", allowed.join(", "))]
    Missing { allowed: Vec<String> },
    #[error(
        "its signature is not a prehashed one of minisign, as `minisign -S` and `optimize-backup policy sign` write them"
    )]
    Malformed,
    #[error("its signature is by the key {id}, and not by one of the keys {} (policy.keys)", allowed.join(", "))]
    UnknownKey { id: String, allowed: Vec<String> },
    #[error("its signature by the key {key} is of another component, or was changed")]
    Mismatch { key: String },
}

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the key '{}' cannot be read: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("the key '{}' is not {expected}", path.display())]
    Format { path: PathBuf, expected: &'static str },
}

impl TrustedKeys {
    pub fn read(paths: &[PathBuf]) -> Result<Self, KeyError> {
        Ok(Self(paths.iter().map(|path| TrustedKey::read(path)).collect::<Result<_, _>>()?))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads every byte of the component.
    pub fn check(&self, component: &[u8], signature: Option<&str>) -> Result<Signer, SignatureError> {
        let Self(keys) = self;
        let allowed = || keys.iter().map(TrustedKey::label).collect();
        let text = signature.ok_or_else(|| SignatureError::Missing { allowed: allowed() })?;
        let signature = Signature::decode(text).map_err(|_| SignatureError::Malformed)?;
        let id = key_id(text).ok_or(SignatureError::Malformed)?;
        let unknown = || SignatureError::UnknownKey { id: id.clone(), allowed: allowed() };
        let key = keys.iter().find(|key| key.id == id).ok_or_else(unknown)?;
        key.key.verify(component, &signature, false).map_err(|error| match error {
            MinisignError::UnexpectedAlgorithm => SignatureError::Malformed,
            _ => SignatureError::Mismatch { key: key.label() },
        })?;
        Ok(Signer { name: key.name.clone(), trusted_comment: signature.trusted_comment().to_owned() })
    }
}

impl TrustedKey {
    fn read(path: &Path) -> Result<Self, KeyError> {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let parse = |text: &str| Some((key_id(text)?, PublicKey::decode(text).ok()?));
        let (id, key) = read_key(path, "a public key of minisign", parse)?;
        Ok(Self { name, id, key })
    }

    fn label(&self) -> String {
        format!("{} ({})", self.name, self.id)
    }
}

fn read_key<T>(path: &Path, expected: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, KeyError> {
    let text = fs::read_to_string(path).map_err(|error| KeyError::File { path: path.to_owned(), error })?;
    parse(&text).ok_or_else(|| KeyError::Format { path: path.to_owned(), expected })
}

/// That of a public key's file or of a signature.
fn key_id(text: &str) -> Option<String> {
    second_line(text)?.get(2..10)?.try_into().ok().map(show_id)
}

/// As minisign does.
fn show_id(id: [u8; 8]) -> String {
    format!("{:016X}", u64::from_le_bytes(id))
}

/// What stands after the comment.
fn second_line(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text.lines().nth(1)?).ok()
}
