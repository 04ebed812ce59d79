//! What a component is made of, found out without running or compiling it.

use semver::Version;
use wasmparser::{
    BinaryReaderError, ComponentExternalKind, ComponentName, KnownCustom, Parser, Payload, Validator, WasmFeatures,
};
use wasmtime::Engine;

use super::Digest;

/// What was found in a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentInfo {
    /// Which component it is.
    pub digest: Digest,
    /// Its size.
    pub bytes: usize,
    /// Its own name, from the component's metadata.
    pub name: Option<String>,
    /// Its own version, from the component's metadata.
    pub version: Option<Version>,
    /// What it needs: interfaces, such as `optimize:backup/elasticsearch@1.0.0`.
    pub imports: Vec<String>,
    /// What it offers.
    pub exports: Vec<String>,
}

/// Why bytes are not a component.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidComponent {
    /// There is nothing.
    #[error("it is empty")]
    Empty,
    /// A core module.
    #[error("it is a core WebAssembly module; allowed are components (optimize-backup policy pack makes one of it)")]
    CoreModule,
    /// Machine code.
    #[error("it is precompiled machine code, which nobody can check; allowed is the component that it was made of")]
    Precompiled,
    /// Something else.
    #[error("it is not WebAssembly; it starts with {found:02x?}, a component with [00, 61, 73, 6d, 0d, 00, 01, 00]")]
    NotWebAssembly {
        /// The first bytes.
        found: Vec<u8>,
    },
    /// It breaks off or makes no sense.
    #[error("it is a damaged component: {0}")]
    Damaged(String),
}

impl ComponentInfo {
    /// Reads and validates a component.
    ///
    /// # Errors
    /// [`InvalidComponent`].
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
        // What it is made of in turn has names and imports of its own.
        let mut end_of_part = 0;
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload?;
            let Some((_, range)) = payload.as_section() else { continue };
            if range.start < end_of_part {
                continue;
            }
            if let Payload::ModuleSection { .. } | Payload::ComponentSection { .. } = &payload {
                end_of_part = range.end;
            }
            info.note(payload)?;
        }
        Ok(info)
    }

    fn note(&mut self, payload: Payload<'_>) -> Result<(), InvalidComponent> {
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
            Payload::CustomSection(section) if section.name() == "version" => {
                self.version = std::str::from_utf8(section.data()).ok().and_then(|text| Version::parse(text).ok());
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::ComponentName(names) = section.as_known() {
                    let told = names.into_iter().find_map(|name| match name {
                        Ok(ComponentName::Component { name, .. }) => Some(name.to_owned()),
                        _ => None,
                    });
                    self.name = told.or(self.name.take());
                }
            }
            _ => {}
        }
        Ok(())
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
