//! Signatures of policies: Ed25519 over the SHA-256 of the component, in Base64, beside it as `.sig`.
//!
//! A component carries its name and version within itself, so its digest covers all that is known of it.
//! Keys are PEM files as OpenSSL writes them (`openssl genpkey -algorithm ed25519`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pem::Pem;

use super::Digest;

/// Of a signature.
const ED25519_LENGTH: usize = 64;
const PUBLIC: &str = "PUBLIC KEY";
const PRIVATE: &str = "PRIVATE KEY";

/// Whose signatures count. Without any, nobody's is asked for.
#[derive(Clone, Default)]
pub struct TrustedKeys(Vec<PublicKey>);

/// A key that signatures are checked with.
#[derive(Clone)]
pub struct PublicKey {
    /// What it is called: its file's name without the ending.
    pub name: String,
    key: ParsedPublicKey,
}

/// A key that signs.
pub struct SigningKey(Ed25519KeyPair);

/// Why a signature does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is none.
    #[error("it is not signed; a signature by one of the keys {} is needed (policy.keys)", allowed.join(", "))]
    Missing {
        /// The names of the keys.
        allowed: Vec<String>,
    },
    /// It is something else.
    #[error("its signature is not 64 bytes in Base64, as `optimize-backup policy sign` writes them")]
    Malformed,
    /// It was made with another key, or for another component.
    #[error("its signature is not one of this component by one of the keys {} (policy.keys)", allowed.join(", "))]
    NotTrusted {
        /// The names of the keys.
        allowed: Vec<String>,
    },
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the key '{}' cannot be used: {problem}", path.display())]
pub struct KeyError {
    path: PathBuf,
    problem: KeyErrorKind,
}

#[derive(Debug, thiserror::Error)]
enum KeyErrorKind {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    Pem(#[from] pem::PemError),
    #[error("it is a PEM file of kind '{found}', and '{expected}' is needed")]
    Kind { found: String, expected: &'static str },
    #[error("it is not an Ed25519 key: {0}")]
    Key(#[from] KeyRejected),
}

impl TrustedKeys {
    /// Reads public keys, each from its PEM file.
    ///
    /// # Errors
    /// [`KeyError`] of the first that cannot be used.
    pub fn read(paths: &[PathBuf]) -> Result<Self, KeyError> {
        Ok(Self(paths.iter().map(|path| PublicKey::read(path)).collect::<Result<_, _>>()?))
    }

    /// The name of the key that signed this; `None` if there are no keys.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn check(&self, digest: &Digest, signature: Option<&str>) -> Result<Option<String>, SignatureError> {
        let Self(keys) = self;
        if keys.is_empty() {
            return Ok(None);
        }
        let allowed = || keys.iter().map(|key| key.name.clone()).collect();
        let signature = signature.ok_or_else(|| SignatureError::Missing { allowed: allowed() })?;
        let signature = BASE64_STANDARD.decode(signature.trim()).ok().filter(|bytes| bytes.len() == ED25519_LENGTH);
        let signature = signature.ok_or(SignatureError::Malformed)?;
        let signer = keys.iter().find(|key| key.key.verify_sig(digest.as_bytes(), &signature).is_ok());
        signer.map(|key| Some(key.name.clone())).ok_or_else(|| SignatureError::NotTrusted { allowed: allowed() })
    }
}

impl PublicKey {
    fn read(path: &Path) -> Result<Self, KeyError> {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let parse = || Ok(ParsedPublicKey::new(&ED25519, read_pem(path, PUBLIC)?)?);
        let key = parse().map_err(|problem| KeyError { path: path.to_owned(), problem })?;
        Ok(Self { name, key })
    }
}

impl SigningKey {
    /// A new key.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn generate() -> Result<Self, Unspecified> {
        Ok(Self(Ed25519KeyPair::generate()?))
    }

    /// Reads a private key from its PEM file.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let parse = || Ok(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&read_pem(path, PRIVATE)?)?);
        parse().map(Self).map_err(|problem| KeyError { path: path.to_owned(), problem })
    }

    /// The signature of a component.
    #[must_use]
    pub fn sign(&self, digest: &Digest) -> String {
        BASE64_STANDARD.encode(self.0.sign(digest.as_bytes()))
    }

    /// The private key as a PEM text.
    ///
    /// # Errors
    /// If the key cannot be encoded.
    pub fn private_pem(&self) -> Result<String, Unspecified> {
        Ok(pem::encode(&Pem::new(PRIVATE, self.0.to_pkcs8v1()?.as_ref())))
    }

    /// The public key as a PEM text.
    ///
    /// # Errors
    /// If the key cannot be encoded.
    pub fn public_pem(&self) -> Result<String, Unspecified> {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der()?;
        Ok(pem::encode(&Pem::new(PUBLIC, der.as_ref())))
    }
}

fn read_pem(path: &Path, expected: &'static str) -> Result<Vec<u8>, KeyErrorKind> {
    let pem = pem::parse(fs::read(path)?)?;
    if pem.tag() == expected {
        return Ok(pem.into_contents());
    }
    Err(KeyErrorKind::Kind { found: pem.tag().to_owned(), expected })
}
