//! Making a policy of what a compiler left: a component that says who it is.

use semver::Version;
use wasm_metadata::{AddMetadata, AddMetadataField};
use wit_component::ComponentEncoder;

use super::{ComponentInfo, InvalidComponent};

/// Why no policy can be made of a file.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    #[error(transparent)]
    InvalidComponent(#[from] InvalidComponent),
    #[error("no component can be made of this core module: {0}")]
    Module(String),
    #[error("no name and version can be written into it: {0}")]
    Metadata(String),
}

/// Turns a core module into a component, takes a component as it is, and writes a name and a version into it.
pub fn pack(wasm: &[u8], name: &str, version: &Version) -> Result<Vec<u8>, PackError> {
    match ComponentInfo::examine(wasm) {
        Ok(_) => introduce(wasm, name, version),
        Err(InvalidComponent::CoreModule) => introduce(&componentize(wasm)?, name, version),
        Err(error) => Err(error.into()),
    }
}

fn componentize(module: &[u8]) -> Result<Vec<u8>, PackError> {
    let encoded = ComponentEncoder::default().validate(true).module(module).and_then(ComponentEncoder::encode);
    encoded.map_err(|error| PackError::Module(format!("{error:#}")))
}

/// Where `wasm-tools metadata show` looks for it, too.
fn introduce(component: &[u8], name: &str, version: &Version) -> Result<Vec<u8>, PackError> {
    let mut metadata = AddMetadata::default();
    metadata.name = AddMetadataField::Set(name.to_owned());
    metadata.version = AddMetadataField::Set(wasm_metadata::Version::new(version.to_string()));
    metadata.to_wasm(component).map_err(|error| PackError::Metadata(format!("{error:#}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::EMBEDDED;

    #[test]
    fn a_component_gets_another_name_and_version() {
        let version = Version::new(3, 1, 4);
        let packed = ComponentInfo::examine(&pack(EMBEDDED, "mine", &version).unwrap()).unwrap();
        assert_eq!((packed.name.as_deref(), packed.version), (Some("mine"), Some(version)));
    }

    #[test]
    fn what_is_no_policy_stays_none() {
        let version = Version::new(1, 0, 0);
        assert!(matches!(
            pack(b"MZ", "mine", &version),
            Err(PackError::InvalidComponent(InvalidComponent::NotWebAssembly { .. }))
        ));
        let module = wat::parse_str("(module (import \"env\" \"now\" (func)))").unwrap();
        assert!(matches!(pack(&module, "mine", &version), Err(PackError::Module(_))));
    }
}
