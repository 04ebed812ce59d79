use backup_actuator::{HealthStatus, Probe};

/// Logs what a look has found other than the one before: one line a component, and one when backups can be made again.
pub(super) fn changes(last: Option<&Probe>, now: &Probe) {
    let before = last.map(Probe::statuses);
    for (at, (component, status)) in now.statuses().into_iter().enumerate() {
        let was = before.and_then(|before| before.get(at).map(|(_, status)| *status));
        if status == HealthStatus::Down && was != Some(status) {
            tracing::warn!(component, "no backup can be made: {}", error_of(now, component));
        }
    }
    if now.is_ready() && last.is_none_or(|last| !last.is_ready()) {
        found(now);
    }
    for warning in warnings(now).filter(|warning| !last.is_some_and(|last| warnings(last).any(|told| told == *warning)))
    {
        tracing::warn!("{warning}");
    }
}

/// The one line that tells what backups are made of.
fn found(probe: &Probe) {
    let (engine, repository, indices) = (&probe.engine.facts, &probe.repository.facts, &probe.indices.facts);
    let verification = repository.verification.as_ref().map_or("UNKNOWN", |verification| verification.outcome);
    let (part_one, part_two) = (indices.part_one.unwrap_or_default(), indices.part_two.unwrap_or_default());
    tracing::info!(
        engine = engine.kind,
        version = engine.version,
        repository = repository.name,
        repositoryType = repository.storage,
        verification,
        prefix = indices.prefix,
        indices = part_one + part_two,
        partOne = part_one,
        partTwo = part_two,
        neighbours = (!indices.neighbours.is_empty()).then(|| indices.neighbours.join(", ")),
        "backups can be made"
    );
}

fn error_of<'a>(probe: &'a Probe, component: &str) -> &'a str {
    let error = match component {
        "engine" => &probe.engine.error,
        "repository" => &probe.repository.error,
        _ => &probe.indices.error,
    };
    error.as_deref().unwrap_or_default()
}

fn warnings(probe: &Probe) -> impl Iterator<Item = &str> {
    [&probe.engine.warning, &probe.repository.warning, &probe.indices.warning].into_iter().flatten().map(String::as_str)
}
