//! The settings, and who has set them.

use std::collections::BTreeMap;
use std::path::Path;

use super::report::Check;
use crate::cli::load_settings;
use crate::settings::{Origin, Settings, UnknownVariable, unknown_variables};

const NAME: &str = "settings";

/// The settings, unless they cannot be used, and what there is to say of them.
pub(super) fn load(config: Option<&Path>) -> (Option<Settings>, Check) {
    match load_settings(config) {
        Ok(settings) => {
            let check = of_origins(&settings.origins);
            (Some(settings), check)
        }
        Err(error) => {
            let advice = "correct them; docs/reference/settings.md has all";
            (None, Check::refused(NAME, error.to_string()).advise(advice))
        }
    }
}

fn of_origins(origins: &BTreeMap<String, Origin>) -> Check {
    let set = origins.iter().map(|(key, origin)| format!("{key} = {} ({origin})", origin.value));
    let found = set.chain(["all others by default".to_owned()]).collect::<Vec<_>>().join("\n");
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let is_read = |name: &str| origins.values().any(|origin| origin.variables.iter().any(|read| read == name));
    let unknown: Vec<String> = unknown_variables(names, is_read).into_iter().map(told).collect();
    if unknown.is_empty() {
        return Check::ok(NAME, found);
    }
    Check::warning(NAME, format!("{found}\nread by nobody: {}", unknown.join(", ")))
        .advise("correct the names of these variables, or remove them")
}

fn told(UnknownVariable { name, suggestion }: UnknownVariable) -> String {
    suggestion.map_or(name.clone(), |suggestion| format!("{name} (is {suggestion} meant?)"))
}

/// Who has set a value, for advice: `es.security.password (CAMUNDA_…)`.
pub(super) fn setting_named(origins: &BTreeMap<String, Origin>, end: &str) -> Option<String> {
    let (key, origin) = origins.iter().find(|(key, _)| key.ends_with(end))?;
    Some(format!("{key} ({origin})"))
}
