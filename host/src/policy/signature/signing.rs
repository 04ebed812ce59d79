use std::path::Path;

use aws_lc_rs::encoding::AsBigEndian;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use blake2b_simd::blake2b;

use super::{KeyError, read_key, second_line, show_id};

/// Ed25519, without a password, with a checksum by BLAKE2b.
const SECRET_KEY_ALGORITHMS: &[u8] = b"Ed\0\0B2";
/// Of the derivation from a password.
const SALT_AND_LIMITS: [u8; 48] = [0; 48];

pub struct SigningKey {
    id: [u8; 8],
    pair: Ed25519KeyPair,
}

impl SigningKey {
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        const EXPECTED: &str = "a secret key of minisign without a password; with one, `minisign -S` signs";
        read_key(path, EXPECTED, |text| Self::parse(&second_line(text)?))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let fields = bytes.strip_prefix(SECRET_KEY_ALGORITHMS)?.get(SALT_AND_LIMITS.len()..)?;
        let (id, fields) = fields.split_first_chunk()?;
        let pair = Ed25519KeyPair::from_seed_and_public_key(fields.get(..32)?, fields.get(32..64)?).ok()?;
        Some(Self { id: *id, pair })
    }

    /// The text of the signature's file.
    pub fn sign(&self, component: &[u8], trusted_comment: &str) -> String {
        let signature = self.pair.sign(blake2b(component).as_bytes());
        let global = self.pair.sign(&[signature.as_ref(), trusted_comment.as_bytes()].concat());
        let signature = file("signature from minisign secret key", &[b"ED", &self.id, signature.as_ref()]);
        format!("{signature}trusted comment: {trusted_comment}\n{}\n", BASE64_STANDARD.encode(global))
    }
}

/// The texts of a secret key's file and of a public key's.
pub fn generate_key_pair() -> Result<(String, String), Unspecified> {
    let mut id = [0; 8];
    rand::fill(&mut id)?;
    let pair = Ed25519KeyPair::generate()?;
    let (seed, public) = (pair.seed()?.as_be_bytes()?, pair.public_key().as_ref());
    let checked = [b"Ed", &id[..], seed.as_ref(), public].concat();
    let checksum = blake2b_simd::Params::new().hash_length(32).hash(&checked);
    let secret = [SECRET_KEY_ALGORITHMS, &SALT_AND_LIMITS, &id, seed.as_ref(), public, checksum.as_bytes()];
    let comment = format!("minisign public key {}", show_id(id));
    Ok((file("minisign secret key", &secret), file(&comment, &[b"Ed", &id, public])))
}

fn file(comment: &str, fields: &[&[u8]]) -> String {
    format!("untrusted comment: {comment}\n{}\n", BASE64_STANDARD.encode(fields.concat()))
}
