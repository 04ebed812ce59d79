use anyhow::{Context, Result};
use wasm_metadata::{AddMetadata, AddMetadataField, Description, Licenses, Source, Version};
use wit_component::ComponentEncoder;

/// What a component says of itself.
pub(crate) struct Identity {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
}

/// Makes a component of a module that describes its world, as `wit-bindgen` does.
pub(crate) fn encode(module: &[u8], identity: &Identity) -> Result<Vec<u8>> {
    let component = ComponentEncoder::default().validate(true).module(module)?.encode();
    introduce(&component.with_context(|| format!("{} is not a component", identity.name))?, identity, crate::source())
}

/// Writes into a component who it is, where `wasm-tools metadata show` and OCI registries look for it.
pub(crate) fn introduce(component: &[u8], identity: &Identity, source: Option<&str>) -> Result<Vec<u8>> {
    let mut metadata = AddMetadata::default();
    metadata.name = AddMetadataField::Set(identity.name.to_owned());
    metadata.description = AddMetadataField::Set(Description::new(identity.description));
    metadata.version = AddMetadataField::Set(Version::new(env!("CARGO_PKG_VERSION")));
    metadata.licenses = AddMetadataField::Set(Licenses::new(env!("CARGO_PKG_LICENSE"))?);
    if let Some(source) = source {
        let source = Source::new(source).with_context(|| format!("the repository `{source}` of Cargo.toml"))?;
        metadata.source = AddMetadataField::Set(source);
    }
    metadata.to_wasm(component)
}

#[cfg(test)]
mod tests;
