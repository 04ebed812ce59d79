use std::path::Path;

use anyhow::{Context, Result};
use wit_component::DecodedWasm;
use wit_parser::{PackageId, Resolve, WorldItem};

/// The WIT package, encoded as tools and registries exchange it.
#[derive(Debug)]
pub struct WitPackage {
    pub version: String,
    pub bytes: Vec<u8>,
}

/// The interfaces that a component needs and offers, by name.
#[derive(Debug)]
pub struct Interface {
    pub imports: Vec<String>,
    /// Of a WIT package its interfaces and worlds.
    pub exports: Vec<String>,
}

impl WitPackage {
    pub(crate) fn encode(folder: &Path) -> Result<Self> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(folder)?;
        let version = resolve.packages.get(package).and_then(|package| package.name.version.as_ref());
        let version = version.context("the WIT package has no version")?.to_string();
        Ok(Self { version, bytes: wit_component::encode(&resolve, package)? })
    }
}

impl Interface {
    /// Reads them from a component or an encoded WIT package of our own. The host reads components of others in its own
    /// way (`policy/component.rs`): `decode` does more than that needs, and is not made for hostile bytes.
    pub fn of(component: &[u8]) -> Result<Self> {
        Ok(match wit_component::decode(component)? {
            DecodedWasm::Component(resolve, world) => {
                let world = resolve.worlds.get(world).context("a component has a world")?;
                let names = |items: &mut dyn Iterator<Item = &WorldItem>| {
                    items.filter_map(|item| interface_name(&resolve, item)).collect()
                };
                Self { imports: names(&mut world.imports.values()), exports: names(&mut world.exports.values()) }
            }
            DecodedWasm::WitPackage(resolve, package) => {
                Self { imports: Vec::new(), exports: contents(&resolve, package) }
            }
        })
    }
}

fn interface_name(resolve: &Resolve, item: &WorldItem) -> Option<String> {
    match item {
        WorldItem::Interface { id, .. } => resolve.id_of(*id),
        _ => None,
    }
}

fn contents(resolve: &Resolve, package: PackageId) -> Vec<String> {
    let Some(package) = resolve.packages.get(package) else { return Vec::new() };
    package.interfaces.keys().chain(package.worlds.keys()).map(|name| package.name.interface_id(name)).collect()
}
