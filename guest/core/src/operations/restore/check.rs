//! Checks of names and of the version, before a restore and after it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::findings::{Facts, finding, named};
use crate::operations::create::schema_version;
use crate::operations::fetch;
use crate::refusal::document;
use crate::restore::{Finding, FindingCode, IndexState, Standing, aliases};
use crate::selection::{base_name, is_rolled_over};
use crate::{Context, Engine, Error, IndexPrefix, Request};

/// Whether something else has the name of an index that is restored, or of an alias of it.
pub(super) fn names(engine: &impl Engine, facts: &Facts<'_>) -> Result<Vec<Finding>, Error> {
    let request = Request::resolve(facts.prefix);
    let resolved: Resolved = document(&request, &fetch(engine, facts.context, &request)?)?;
    let mut findings = Vec::new();
    findings.extend(in_use(facts, &resolved));
    if !facts.is_renamed() {
        findings.extend(write_index(engine, facts)?);
    }
    Ok(findings)
}

fn in_use(facts: &Facts<'_>, resolved: &Resolved) -> Option<Finding> {
    let indices: BTreeSet<&String> = facts.targets.iter().map(|target| &target.name).collect();
    let aliases: BTreeSet<String> =
        aliases(facts.prefix, indices.iter().map(|name| name.as_str())).into_iter().map(|alias| alias.alias).collect();
    let named_like = |kind: &'static str, others: &'static str, names: &[Named], taken: &dyn Fn(&String) -> bool| {
        let names: Vec<&String> = names.iter().map(|named| &named.name).filter(|name| taken(name)).collect();
        (!names.is_empty()).then(|| format!("{kind} {} has the name of {others} that is restored", self::named(names)))
    };
    let faults: Vec<String> = [
        named_like("the alias", "an index", &resolved.aliases, &|name| indices.contains(name)),
        named_like("the data stream", "an index or alias", &resolved.data_streams, &|name| {
            indices.contains(name) || aliases.contains(name)
        }),
        named_like("the index", "an alias", &resolved.indices, &|name| {
            aliases.contains(name) && !indices.contains(name)
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!faults.is_empty()).then(|| {
        finding(
            FindingCode::NameInUse,
            format!(
                "{}, which happens when Optimize or another writer runs without its indices: stop it, and delete that by its exact name",
                faults.join("; ")
            ),
        )
    })
}

/// An alias can have one write index only. If the one that it has is left alone, the engine refuses the backup's.
fn write_index(engine: &impl Engine, facts: &Facts<'_>) -> Result<Option<Finding>, Error> {
    let targets: BTreeSet<&String> = facts.targets.iter().map(|target| &target.name).collect();
    let rolled: BTreeSet<&str> = facts
        .targets
        .iter()
        .filter(|target| facts.prefix.strip(&target.name).is_some_and(is_rolled_over))
        .map(|target| base_name(&target.name))
        .collect();
    if rolled.is_empty() || facts.found.is_empty() {
        return Ok(None);
    }
    let conflicts: Vec<String> = existing_aliases(engine, facts.context, facts.prefix)?
        .into_iter()
        .filter(|(index, aliases)| {
            let writes = |(alias, is_write_index): (&String, &bool)| *is_write_index && rolled.contains(alias.as_str());
            !targets.contains(index) && aliases.iter().any(writes)
        })
        .map(|(index, _)| index)
        .collect();
    Ok((!conflicts.is_empty()).then(|| {
        finding(
            FindingCode::WriteIndexConflict,
            format!(
                "new documents go to {}, which the backup does not have, and an alias can have one such index only: delete it by its exact name, or give the alias no write index",
                named(&conflicts)
            ),
        )
    }))
}

/// Whether the installation is of the version of the backup.
pub(super) fn version(engine: &impl Engine, facts: &Facts<'_>) -> Result<Option<Finding>, Error> {
    let Some(part) = facts.contents.parts.first() else { return Ok(None) };
    let is_restored = facts.states.iter().any(|state| !matches!(state, IndexState::Old | IndexState::Missing));
    if facts.found.is_empty() || is_restored {
        return Ok(None);
    }
    let installed = match schema_version(engine, facts.context, facts.prefix) {
        Ok(Ok(installed)) => installed,
        Ok(Err(_)) => return Ok(None),
        // What is there may be damaged, which is why it is replaced.
        Err(error) if error.refusal().is_some() => return Ok(None),
        Err(error) => return Err(error),
    };
    let backup = part.name.version.to_string();
    Ok((installed.to_ascii_lowercase() != backup).then(|| {
        finding(
            FindingCode::VersionDiffers,
            format!("the installation is of Optimize {installed}, and the backup of {backup}: start Optimize {backup} after the restore"),
        )
    }))
}

/// Restored indices as a whole.
pub(super) struct Whole {
    /// What is wrong, although each index is there.
    pub(super) fault: Option<String>,
    /// The version of Optimize in the data.
    pub(super) version: Option<String>,
}

pub(super) fn whole(
    engine: &impl Engine,
    context: &Context,
    prefix: &IndexPrefix,
    standings: &[Standing],
) -> Result<Whole, Error> {
    let found = existing_aliases(engine, context, prefix)?;
    let rolled = |standing: &&Standing| prefix.strip(&standing.target.name).is_some_and(is_rolled_over);
    let bases: BTreeSet<&str> =
        standings.iter().filter(rolled).map(|standing| base_name(&standing.target.name)).collect();
    let write_indices = |base: &&str| {
        let of_base = found.values().filter_map(|aliases| aliases.get(*base));
        of_base.filter(|is_write_index| **is_write_index).count()
    };
    let faults: Vec<String> = bases
        .into_iter()
        .filter(|base| write_indices(base) != 1)
        .map(|base| format!("the alias {base} does not have one write index"))
        .collect();
    let version = schema_version(engine, context, prefix)?.ok();
    Ok(Whole { fault: (!faults.is_empty()).then(|| faults.join("; ")), version })
}

/// The aliases of each index, and whether new documents go there.
pub(super) fn existing_aliases(
    engine: &impl Engine,
    context: &Context,
    prefix: &IndexPrefix,
) -> Result<BTreeMap<String, BTreeMap<String, bool>>, Error> {
    let request = Request::aliases(prefix);
    let found: BTreeMap<String, RawAliases> = document(&request, &fetch(engine, context, &request)?)?;
    let of = |aliases: RawAliases| {
        aliases.aliases.into_iter().map(|(name, alias)| (name, alias.is_write_index == Some(true)))
    };
    Ok(found.into_iter().map(|(index, aliases)| (index, of(aliases).collect())).collect())
}

#[derive(Deserialize)]
struct Resolved {
    #[serde(default)]
    indices: Vec<Named>,
    #[serde(default)]
    aliases: Vec<Named>,
    #[serde(default)]
    data_streams: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct RawAliases {
    #[serde(default)]
    aliases: BTreeMap<String, RawAlias>,
}

#[derive(Deserialize)]
struct RawAlias {
    is_write_index: Option<bool>,
}
