//! Builds the WebAssembly components of this project: for the host's build script, for `cargo xtask` and
//! for tests.
//!
//! The same sources and the same toolchain give the same bytes, wherever they lie.

mod component;
mod composition;
mod module;
mod wit;

use std::path::{Path, PathBuf};

use anyhow::Result;

use component::Identity;

pub use wit::{Interface, WitPackage};

/// Where the sources are published: `repository` in this workspace's Cargo.toml, if it is known.
pub fn source() -> Option<&'static str> {
    Some(env!("CARGO_PKG_REPOSITORY")).filter(|address| !address.is_empty())
}

/// The sources, and the folder that their components are compiled in.
#[derive(Clone, Debug)]
pub struct Workspace {
    root: PathBuf,
    target_dir: PathBuf,
}

impl Workspace {
    /// The workspace of this crate.
    ///
    /// `target_dir` must not be the target directory of a cargo that waits for what is built here: that one
    /// is locked.
    pub fn here(target_dir: &Path) -> Self {
        Self::at(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), target_dir)
    }

    /// A copy of it elsewhere.
    pub fn at(root: &Path, target_dir: &Path) -> Self {
        Self { root: root.to_owned(), target_dir: target_dir.to_owned() }
    }

    /// The policy component.
    pub fn policy(&self) -> Result<Vec<u8>> {
        let description = "Decides about backups of Camunda Optimize: names, parts, index selection, states";
        self.component("backup-policy", "optimize-backup-policy", description)
    }

    /// A policy for tests, which passes the self-test and misbehaves in production.
    pub fn hostile_policy(&self) -> Result<Vec<u8>> {
        self.component("backup-hostile-policy", "backup-hostile-policy", "Does what no policy should")
    }

    /// The complete actuator for any host of `wasi:http`: this policy, as it is, between the two adapters of
    /// `guest/wasi-http`.
    pub fn actuator(&self, policy: &[u8]) -> Result<Vec<u8>> {
        let adapter = |name, description| self.component(name, name, description);
        let engine = adapter("backup-wasi-engine", "The engine of backups over wasi:http")?;
        let actuator = adapter("backup-wasi-actuator", "The API of backups over wasi:http")?;
        let identity = Identity {
            name: "optimize-backup",
            description: "Backups of Camunda Optimize on Elasticsearch and OpenSearch, for any host of wasi:http",
        };
        component::introduce(&composition::compose(&engine, policy, &actuator)?, &identity, source())
    }

    pub fn wit(&self) -> Result<WitPackage> {
        WitPackage::encode(&self.root.join("wit"))
    }

    fn component(&self, package: &str, name: &'static str, description: &'static str) -> Result<Vec<u8>> {
        component::encode(&module::build(self, package)?, &Identity { name, description })
    }
}
