//! What a component is made of, found out without running or compiling it.

use semver::Version;
use wasm_metadata::ComponentNames;
use wasmparser::{
    BinaryReaderError, ComponentExternalKind, CustomSectionReader, KnownCustom, Parser, Payload, Validator,
    WasmFeatures,
};
use wasmtime::Engine;

use super::Digest;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentInfo {
    pub digest: Digest,
    pub bytes: usize,
    /// Its own name and version, from the component's metadata.
    pub name: Option<String>,
    pub version: Option<Version>,
    /// Such as `optimize:backup/elasticsearch@1.0.0`.
    pub imports: Vec<String>,
    pub exports: Vec<String>,
}

/// Why bytes are not a component.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidComponent {
    #[error("it is empty")]
    Empty,
    #[error("it is a core WebAssembly module; allowed are components (optimize-backup policy pack makes one of it)")]
    CoreModule,
    #[error("it is precompiled machine code, which nobody can check; allowed is the component that it was made of")]
    Precompiled,
    #[error("it is not WebAssembly; it starts with {found:02x?}, a component with [00, 61, 73, 6d, 0d, 00, 01, 00]")]
    NotWebAssembly { found: Vec<u8> },
    #[error("it is a damaged component: {0}")]
    Damaged(String),
}

impl ComponentInfo {
    /// Reads and validates a component.
    ///
    /// Section by section, and not with `wit_component::decode` and `wasm_metadata::Payload`: those also refuse what the
    /// validator takes (a home page that is no URL), and their code has assertions. These bytes come from whoever may
    /// upload a policy.
    pub fn examine(component: &[u8]) -> Result<Self, InvalidComponent> {
        expect_component(component)?;
        Validator::new_with_features(WasmFeatures::default()).validate_all(component)?;
        let mut info = Self {
            digest: Digest::of(component),
            bytes: component.len(),
            name: None,
            version: None,
            imports: Vec::new(),
            exports: Vec::new(),
        };
        // The modules and components that it is made of have names and imports of their own.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::Version { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                payload if depth == 1 => info.read(payload)?,
                _ => {}
            }
        }
        Ok(info)
    }

    fn read(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    self.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Instance {
                        self.exports.push(export.name.name.to_owned());
                    }
                }
            }
            Payload::CustomSection(section) => self.read_custom(&section),
            _ => {}
        }
        Ok(())
    }

    /// What makes no sense here counts as not there.
    fn read_custom(&mut self, section: &CustomSectionReader<'_>) {
        if section.name() == "version" {
            self.version = std::str::from_utf8(section.data()).ok().and_then(|text| Version::parse(text).ok());
        } else if let KnownCustom::ComponentName(_) = section.as_known() {
            let names = ComponentNames::from_bytes(section.data(), section.data_offset()).ok();
            self.name = names.and_then(|names| names.get_name().cloned()).or(self.name.take());
        }
    }
}

fn expect_component(bytes: &[u8]) -> Result<(), InvalidComponent> {
    if bytes.is_empty() {
        Err(InvalidComponent::Empty)
    } else if Engine::detect_precompiled(bytes).is_some() || bytes.starts_with(b"\x7fELF") {
        Err(InvalidComponent::Precompiled)
    } else if Parser::is_core_wasm(bytes) {
        Err(InvalidComponent::CoreModule)
    } else if Parser::is_component(bytes) {
        Ok(())
    } else {
        Err(InvalidComponent::NotWebAssembly { found: bytes.iter().take(8).copied().collect() })
    }
}

impl From<BinaryReaderError> for InvalidComponent {
    fn from(error: BinaryReaderError) -> Self {
        Self::Damaged(error.to_string())
    }
}
