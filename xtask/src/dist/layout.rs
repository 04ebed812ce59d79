//! An OCI image layout of one artefact, as registries and tools take it (`oras cp --from-oci-layout`).
//!
//! Media types and the configuration are those that the CNCF has laid down for WebAssembly:
//! "Wasm OCI Artifact Layout" of its working group, and the OCI image specification 1.1.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::artefact::Artefact;
use super::source::Commit;

const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Writes the layout into an empty or missing folder.
pub(super) fn write(artefact: &Artefact, commit: &Commit, folder: &Path) -> Result<()> {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).with_context(|| format!("making {}", blobs.display()))?;
    let layer = blob(&blobs, LAYER, &artefact.bytes)?;
    let config = json_blob(&blobs, CONFIG, &config(artefact, &commit.time))?;
    let mut annotations = json!({
        "org.opencontainers.image.created": commit.time,
        "org.opencontainers.image.description": artefact.description,
        "org.opencontainers.image.licenses": env!("CARGO_PKG_LICENSE"),
        "org.opencontainers.image.revision": commit.id,
        "org.opencontainers.image.title": artefact.name,
        "org.opencontainers.image.version": artefact.version,
    });
    if let (Value::Object(annotations), Some(source)) = (&mut annotations, backup_artefacts::source()) {
        annotations.insert("org.opencontainers.image.source".to_owned(), json!(source));
    }
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config,
        "layers": [layer],
        "annotations": annotations,
    });
    let mut entry = json_blob(&blobs, MANIFEST, &manifest)?;
    if let Value::Object(entry) = &mut entry {
        entry.insert("annotations".to_owned(), json!({"org.opencontainers.image.ref.name": artefact.version}));
    }
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]});
    fs::write(folder.join("index.json"), index.to_string())?;
    fs::write(folder.join("oci-layout"), json!({"imageLayoutVersion": "1.0.0"}).to_string())?;
    Ok(())
}

fn config(artefact: &Artefact, created: &str) -> Value {
    json!({
        "created": created,
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [digest(&artefact.bytes)],
        "component": {"exports": artefact.interface.exports, "imports": artefact.interface.imports},
    })
}

fn json_blob(blobs: &Path, media_type: &str, value: &Value) -> Result<Value> {
    blob(blobs, media_type, value.to_string().as_bytes())
}

/// Writes a blob; its descriptor.
fn blob(blobs: &Path, media_type: &str, bytes: &[u8]) -> Result<Value> {
    let hash = sha256(bytes);
    fs::write(blobs.join(&hash), bytes)?;
    Ok(json!({"mediaType": media_type, "digest": digest(bytes), "size": bytes.len()}))
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", sha256(bytes))
}

/// The SHA-256 in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
