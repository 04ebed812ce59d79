//! The settings, and who has set them.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use super::report::Check;
use crate::settings::{Origin, Settings, Source};

const NAME: &str = "settings";
/// Variables with these beginnings are this program's alone.
const OURS: [&str; 2] = ["CAMUNDA_OPTIMIZE_BACKUP_", "CAMUNDA_OPTIMIZE_POLICY_"];

/// The settings, unless they cannot be used; where each came from; and what there is to say of them.
pub(super) fn load(config: Option<&Path>) -> (Option<Settings>, Vec<Origin>, Check) {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let asked = RefCell::new(BTreeSet::new());
    let environment = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        std::env::var(name).ok()
    };
    let (settings, origins) = Settings::load_with_origins(config, environment);
    let (settings, error) = match settings {
        Ok(settings) => (Some(settings), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let check = match error {
        Some(error) => Check::refused(NAME, error).advise("correct them; docs/reference/settings.md has all"),
        None => of_origins(&origins, config, &without_effect(names, &asked.into_inner())),
    };
    (settings, origins, check)
}

fn of_origins(origins: &[Origin], config: Option<&Path>, without_effect: &[String]) -> Check {
    let set: Vec<String> = origins.iter().filter_map(|origin| told(origin, config)).collect();
    let left = origins.len() - set.len();
    let defaults = format!("{left} by default");
    let found = set.into_iter().chain([defaults]).collect::<Vec<_>>().join("\n");
    if without_effect.is_empty() {
        return Check::ok(NAME, found);
    }
    let variables = without_effect.join(", ");
    Check::warning(NAME, format!("{found}\nwithout effect: {variables}"))
        .advise("correct the name of that variable, or remove it: the file has the setting, or none is read from it")
}

/// `es.settings.index.prefix = optimize-eu (CAMUNDA_…)`. `None`: by default.
fn told(Origin { key, value, source }: &Origin, config: Option<&Path>) -> Option<String> {
    let source = match source {
        Source::Default => return None,
        Source::File => config.map(|file| file.display().to_string()).unwrap_or_default(),
        Source::Environment(variables) => variables.join(", "),
    };
    Some(format!("{key} = {value} ({source})"))
}

/// Our variables that nobody has read.
fn without_effect(names: impl Iterator<Item = String>, asked: &BTreeSet<String>) -> Vec<String> {
    let is_ours = |name: &String| OURS.iter().any(|beginning| name.starts_with(beginning));
    names.filter(|name| is_ours(name) && !asked.contains(name)).collect()
}

/// Where a secret or a name came from, for advice: `es.security.password (CAMUNDA_…)`.
pub(super) fn setting_named(origins: &[Origin], end: &str) -> Option<String> {
    let origin = origins.iter().find(|origin| origin.key.ends_with(end) && !origin.value.is_empty())?;
    Some(match &origin.source {
        Source::Environment(variables) => format!("{} ({})", origin.key, variables.join(", ")),
        Source::File | Source::Default => origin.key.clone(),
    })
}
