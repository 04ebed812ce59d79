//! What is in an installation's indices, and what changes it.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use backup_test_support::client::Client;
use backup_test_support::contents::dump;
use backup_test_support::installation::Installation;
use serde_json::{Value, json};

/// All that there is to know of the indices under a prefix, by their names without it.
pub(crate) async fn state(client: &Client, prefix: &str) -> Result<BTreeMap<String, Value>> {
    let of = async |what: &str| client.get(&format!("/{prefix}-*/{what}?expand_wildcards=all")).await?.ok();
    let (settings, mappings, aliases) = (of("_settings").await?, of("_mapping").await?, of("_alias").await?);
    let mut state = BTreeMap::new();
    for (name, settings) in settings.as_object().context("no settings")? {
        let Some(rest) = name.strip_prefix(&format!("{prefix}-")) else { continue };
        let mut settings = settings.clone();
        // An engine gives these anew.
        if let Some(index) = settings.pointer_mut("/settings/index").and_then(Value::as_object_mut) {
            for setting in ["uuid", "history", "provided_name", "version"] {
                index.remove(setting);
            }
        }
        let (mapping, aliases) = (&mappings[name], &aliases[name]);
        let whole = json!({"documents": dump(client, name).await?, "settings": settings, "mapping": mapping, "aliases": aliases});
        state.insert(rest.to_owned(), serde_json::from_str(&whole.to_string().replace(&format!("{prefix}-"), ""))?);
    }
    Ok(state)
}

/// The UUIDs of indices: one that is replaced has another.
pub(crate) async fn uuids(client: &Client, names: &[String]) -> Result<Value> {
    let mut settings = client.get(&format!("/{}/_settings/index.uuid", names.join(","))).await?.ok()?;
    Ok(settings.take())
}

/// What happens after a backup.
pub(crate) async fn change(client: &Client, installation: &Installation) -> Result<()> {
    for index in installation.import_indices().iter().chain(&installation.other_indices()).take(12) {
        client.put(&format!("/{index}/_doc/added-later?refresh=true"), &json!({"added": "later"})).await?.ok()?;
    }
    let others = installation.other_indices();
    let first = others.first().context("an index")?;
    for (id, _) in dump(client, first).await? {
        client.delete(&format!("/{first}/_doc/{id}?refresh=true")).await?.ok()?;
    }
    for index in others.iter().skip(1).step_by(7) {
        client.delete(&format!("/{index}")).await?.ok()?;
    }
    Ok(())
}
