use anyhow::Result;
use wasm_metadata::Payload;

use super::{Identity, introduce};

const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";
const IDENTITY: Identity = Identity { name: "name", description: "description" };

#[test]
fn a_component_tells_where_its_sources_are() -> Result<()> {
    for source in [Some("https://git.example.org/optimize-backup"), None] {
        let component = introduce(EMPTY, &IDENTITY, source)?;
        let payload = Payload::from_binary(&component)?;
        let metadata = payload.metadata();
        assert_eq!(metadata.source.as_ref().map(ToString::to_string).as_deref(), source);
        assert_eq!(metadata.name.as_deref(), Some("name"));
    }
    Ok(())
}

#[test]
fn a_source_that_is_no_address_stops_the_build() {
    let error = introduce(EMPTY, &IDENTITY, Some("somewhere")).err();
    assert!(error.is_some_and(|error| error.to_string().contains("`somewhere`")));
}
