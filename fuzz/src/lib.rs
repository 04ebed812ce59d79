//! What the fuzz targets share: the modules of the host that read foreign bytes.
//!
//! They are included by their paths, because the host itself depends on wasmtime, which takes many
//! minutes to build with sanitizers. Where they say `crate::…` or `super::…`, a module here of the same
//! name has the little that they need. A change of theirs that needs more shows as a build error here.

pub mod elasticsearch;
pub mod http;
pub mod script;
#[path = "../../host/src/settings/mod.rs"]
pub mod settings;
