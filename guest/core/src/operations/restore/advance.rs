use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use super::findings::named;
use super::guard::{Guarded, guarded};
use super::inspect::{completed, report, standings};
use super::leftovers::left_by_others;
use super::look::{identities, indices, tasks};
use super::parts::{Contents, Unreadable, readable};
use super::run::run_standings;
use super::{check, renaming};
use crate::operations::send;
use crate::refusal::{document, success};
use crate::restore::{
    ExactIndices, Found, MARK, Mark, NewAlias, NextStep, RenamePattern, Restore, RestoreRun, RestoreState, RestoreStep,
    RunIndex, Standing, Target, TargetPart, WRITE_BLOCK, aliases, at_once, marked,
};
use crate::{Context, Engine, Error, IndexPrefix, Part, Refusal, Request};

/// How long to wait for shards that are being restored.
const WHILE_RESTORING: Duration = Duration::from_secs(1);
/// How long to wait after a step.
const AFTER_STEP: Duration = Duration::from_millis(100);
/// How long to wait after a refusal that can pass.
const AFTER_REFUSAL: Duration = Duration::from_secs(2);

/// Takes the next step of a restore.
///
/// # Errors
/// Why the step could not be taken. Take it again.
pub fn advance(engine: &impl Engine, context: &Context, run: &RestoreRun) -> Result<RestoreStep, Error> {
    let (rename, prefix) = renaming(context, run.rename_prefix.as_ref())?;
    let contents = Contents::of(engine, context, run.backup_id)?;
    let uuids: Vec<&str> = contents.parts.iter().map(|part| part.uuid.as_str()).collect();
    let targets = targets(run, &contents.parts);
    let (found, tasks) = indices(engine, context, prefix)?;
    let replaces: BTreeMap<&str, &str> =
        run.indices.iter().filter_map(|index| Some((index.target.as_str(), index.replaces.as_deref()?))).collect();
    let standings = run_standings(standings(context, targets, &found, &replaces)?, &found, context.repository()?);
    let restore = report(run.backup_id, &standings, &found, &run.sizes());
    let step = Step { engine, context, contents: &contents, rename: rename.as_ref(), prefix, found: &found };
    if let Some(obstacle) = contents.obstacle() {
        return step.fail(run, restore, obstacle);
    }
    if uuids != run.snapshots || standings.len() != run.indices.len() {
        let reason = "the backup of this ID is another one than when the restore began".to_owned();
        return step.fail(run, restore, reason);
    }
    let is_deletion = matches!(NextStep::of(&standings), NextStep::Delete(..));
    if is_deletion && tasks.deletes(context.repository()?.as_str(), &contents.parts) {
        return Ok(RestoreStep { restore: begun(restore), again_in: Some(AFTER_REFUSAL), refusal: Some(deleted()) });
    }
    let taken = step.take(&standings);
    if let Err(Error::EngineAccessDenied { .. }) = taken {
        // Whoever may not go on leaves nothing that keeps others from making backups. The next step begins anew.
        step.unmark(run)?;
    }
    match taken? {
        Outcome::Goes(delay) => Ok(RestoreStep { restore: begun(restore), again_in: Some(delay), refusal: None }),
        Outcome::Refused(refusal) => {
            Ok(RestoreStep { restore: begun(restore), again_in: Some(AFTER_REFUSAL), refusal: Some(refusal) })
        }
        Outcome::Fails(reason) => step.fail(run, restore, reason),
        Outcome::Ended(marked) => {
            let restore = Restore { state: RestoreState::Complete, ..restore };
            let mut restore = completed(engine, context, prefix, restore, &standings)?;
            if !marked.is_empty() {
                let first = restore.next_step.unwrap_or_default();
                restore.next_step = Some(format!("{first}; {}", still_marked(&marked)));
            }
            Ok(RestoreStep { restore, again_in: None, refusal: None })
        }
    }
}

impl RestoreRun {
    fn sizes(&self) -> BTreeMap<&str, u64> {
        self.indices.iter().filter_map(|index| Some((index.target.as_str(), index.size?))).collect()
    }
}

/// What the run restores, as the snapshots have it.
fn targets(run: &RestoreRun, parts: &[TargetPart]) -> Vec<Target> {
    let target = |index: &RunIndex| {
        let part = parts.iter().find(|part| part.name.part == index.part && part.indices.contains(&index.index))?;
        Some(Target {
            part: index.part,
            index: index.index.clone(),
            name: index.target.clone(),
            snapshot_uuid: part.uuid.clone(),
            snapshot: part.name.clone(),
        })
    };
    run.indices.iter().filter_map(target).collect()
}

fn begun(restore: Restore) -> Restore {
    Restore { state: RestoreState::InProgress, failure_reason: None, next_step: None, ..restore }
}

fn failed(restore: Restore, reason: String) -> RestoreStep {
    let restore = Restore {
        state: RestoreState::Failed,
        failure_reason: Some(reason),
        next_step: Some(super::inspect::AFTER_FAILURE.to_owned()),
        ..restore
    };
    RestoreStep { restore, again_in: None, refusal: None }
}

/// The indices that the run has marked, if it has replaced none and none was missing.
fn marks_of_nothing(run: &RestoreRun, found: &BTreeMap<String, Found>) -> Vec<String> {
    let is_as_planned = |index: &RunIndex| {
        found.get(&index.target).is_some_and(|found| index.replaces.as_deref() == Some(found.uuid.as_str()))
    };
    if !run.indices.iter().all(is_as_planned) {
        return Vec::new();
    }
    let is_planned = |index: &&RunIndex| {
        let mark = found.get(&index.target).and_then(|found| found.mark.as_ref());
        matches!(mark, Some(Mark::Planned(uuid)) if run.snapshots.contains(uuid))
    };
    let planned: Vec<&RunIndex> = run.indices.iter().filter(is_planned).collect();
    at_once(planned.into_iter(), |index| index.target.as_str()).into_iter().map(|index| index.target.clone()).collect()
}

fn deleted() -> String {
    "the backup is being deleted, so that nothing more is replaced".to_owned()
}

fn still_marked(indices: &[String]) -> String {
    format!(
        "no backup is made as long as {} have the setting {MARK} of another restore, which could not be taken away: take it away with PUT /{{index}}/_settings, and {WRITE_BLOCK} with it",
        named(indices)
    )
}

/// What has become of a step.
enum Outcome {
    /// The next one is due after this time.
    Goes(Duration),
    /// The engine refused it, which can pass.
    Refused(String),
    /// The restore cannot go on.
    Fails(String),
    /// There is no step left. These indices keep the mark of another restore.
    Ended(Vec<String>),
}

/// What a step needs.
struct Step<'a, E> {
    engine: &'a E,
    context: &'a Context,
    contents: &'a Contents,
    rename: Option<&'a RenamePattern>,
    prefix: &'a IndexPrefix,
    /// What the step was decided from.
    found: &'a BTreeMap<String, Found>,
}

impl<E: Engine> Step<'_, E> {
    /// Ends the run. If nothing was replaced, nothing tells of it any more: the installation is as it was.
    fn fail(&self, run: &RestoreRun, restore: Restore, reason: String) -> Result<RestoreStep, Error> {
        match self.unmark(run)? {
            Some(refusal) if refusal.can_pass_for_restore() => {
                let refusal = Some(refusal.to_string());
                Ok(RestoreStep { restore: begun(restore), again_in: Some(AFTER_REFUSAL), refusal })
            }
            _ => Ok(failed(restore, reason)),
        }
    }

    /// Takes the marks away if nothing was replaced, by another server neither.
    fn unmark(&self, run: &RestoreRun) -> Result<Option<Refusal>, Error> {
        if marks_of_nothing(run, self.found).is_empty() {
            return Ok(None);
        }
        let now = identities(self.engine, self.context, self.prefix)?;
        let Some(indices) = ExactIndices::new(self.prefix, marks_of_nothing(run, &now)) else { return Ok(None) };
        Ok(success(&send(self.engine, &Request::unmark_indices(&indices))?).err())
    }

    fn take(&self, standings: &[Standing]) -> Result<Outcome, Error> {
        match NextStep::of(standings) {
            NextStep::Fail(reason) => Ok(Outcome::Fails(reason)),
            NextStep::Wait => Ok(Outcome::Goes(WHILE_RESTORING)),
            // The engine forgets it.
            NextStep::Note(targets) => self.mark(&targets, Mark::restored),
            NextStep::Delete(_, targets) if self.rename.is_some() => Ok(Outcome::Fails(left_behind(&targets))),
            NextStep::Delete(part, batch) => match guarded(standings, self.found, &batch) {
                // Nothing tells of a restore that cannot begin.
                Guarded::Mark(targets) => match self.obstacle(part, &batch)? {
                    Some(obstacle) => Ok(obstacle),
                    None => self.mark(&targets, Mark::planned),
                },
                Guarded::Delete(targets) => self.delete(part, &targets, standings),
            },
            NextStep::Restore(part, targets) => self.restore(part, &targets),
            NextStep::Finish => self.finish(standings),
        }
    }

    /// Marks those indices that are of the first one's snapshot.
    fn mark(&self, targets: &[Target], mark: impl FnOnce(&str) -> String) -> Result<Outcome, Error> {
        let Some(first) = targets.first() else { return Ok(Outcome::Goes(AFTER_STEP)) };
        let of_one: Vec<&Target> =
            targets.iter().filter(|target| target.snapshot_uuid == first.snapshot_uuid).collect();
        let indices = self.exact(&of_one, |target| &target.name, self.prefix)?;
        self.write(&Request::mark_indices(&indices, &mark(&first.snapshot_uuid)))
    }

    /// What keeps indices of one part from being deleted: the engine cannot read every shard of the snapshot that has their
    /// replacements, or does not let this user restore it.
    fn obstacle(&self, part: Part, targets: &[Target]) -> Result<Option<Outcome>, Error> {
        let Some(part) = self.part(part) else { return Ok(Some(Outcome::Fails(format!("{part} is gone")))) };
        let sizes = match readable(self.engine, self.context, part)? {
            Ok(sizes) => sizes,
            Err(Unreadable { reason, can_pass: true }) => return Ok(Some(Outcome::Refused(reason))),
            Err(Unreadable { reason, .. }) => {
                return Ok(Some(Outcome::Fails(format!(
                    "the files of snapshot {} cannot all be read ({reason}), so that nothing more is deleted",
                    part.name
                ))));
            }
        };
        if let Some(missing) = targets.iter().find(|target| !sizes.contains_key(&target.index)) {
            return Ok(Some(Outcome::Fails(format!("snapshot {} does not have {}", part.name, missing.index))));
        }
        match targets.first() {
            Some(target) => self.try_restore(part, target),
            None => Ok(None),
        }
    }

    /// Asks for a restore that no engine carries out: nothing else tells whether this user may restore.
    fn try_restore(&self, part: &TargetPart, target: &Target) -> Result<Option<Outcome>, Error> {
        let (repository, own) = (self.context.repository()?, &self.context.settings.index_prefix);
        let index = self.exact(&[target], |target| &target.index, own)?;
        let request = Request::probe_restore(repository, &part.name, &index, own);
        match success(&send(self.engine, &request)?) {
            Ok(body) => {
                let _: Accepted = document(&request, body)?;
                let reason = "the search engine restores an index under a name that no index can have, so that nothing is deleted";
                Ok(Some(Outcome::Fails(reason.to_owned())))
            }
            Err(refusal) if refusal.is_name_invalid() => Ok(None),
            Err(refusal) => self.refused(&request, refusal).map(Some),
        }
    }

    /// Deletes indices of one part.
    fn delete(&self, part: Part, targets: &[Target], standings: &[Standing]) -> Result<Outcome, Error> {
        if let Some(obstacle) = self.obstacle(part, targets)? {
            return Ok(obstacle);
        }
        // To read the snapshot takes its time.
        let now = identities(self.engine, self.context, self.prefix)?;
        if matches!(guarded(standings, &now, targets), Guarded::Mark(_)) {
            // Another server has taken the marks away.
            return Ok(Outcome::Goes(AFTER_STEP));
        }
        let is_same = |target: &&Target| {
            let uuid = |found: &BTreeMap<String, Found>| found.get(&target.name).map(|found| found.uuid.clone());
            uuid(&now).is_some_and(|now| Some(now) == uuid(self.found))
        };
        let targets: Vec<&Target> = targets.iter().filter(is_same).collect();
        if targets.is_empty() {
            return Ok(Outcome::Goes(AFTER_STEP));
        }
        if tasks(self.engine, self.context)?.deletes(self.context.repository()?.as_str(), &self.contents.parts) {
            return Ok(Outcome::Refused(deleted()));
        }
        self.write(&Request::delete_indices(&self.exact(&targets, |target| &target.name, self.prefix)?))
    }

    fn restore(&self, part: Part, targets: &[Target]) -> Result<Outcome, Error> {
        let Some(part) = self.part(part) else { return Ok(Outcome::Fails(format!("{part} is gone"))) };
        let targets: Vec<&Target> = targets.iter().collect();
        let own = &self.context.settings.index_prefix;
        let indices = self.exact(&targets, |target| &target.index, own)?;
        let repository = self.context.repository()?;
        let request = Request::restore(repository, &part.name, &indices, self.rename, &part.uuid);
        let response = send(self.engine, &request)?;
        let accepted: Accepted = match success(&response) {
            Ok(body) => document(&request, body)?,
            Err(refusal) => return self.refused(&request, refusal),
        };
        Ok(match accepted.snapshot.map(|snapshot| snapshot.shards.failed) {
            Some(failed) if failed > 0 => {
                Outcome::Fails(format!("{failed} shards of snapshot {} could not be restored", part.name))
            }
            _ => Outcome::Goes(AFTER_STEP * 2),
        })
    }

    /// Every index is there: adds the aliases that the restore left out, and takes the marks away.
    fn finish(&self, standings: &[Standing]) -> Result<Outcome, Error> {
        let marked = marked(standings);
        if marked.is_empty() {
            return Ok(Outcome::Ended(self.release_others(standings)));
        }
        if self.rename.is_some() {
            let missing = self.missing_aliases(standings)?;
            if !missing.is_empty() {
                return self.write(&Request::add_aliases(&missing));
            }
        }
        if !standings.iter().any(|standing| self.is_finished(standing)) {
            // While marks and blocks are there.
            if let Some(fault) = check::whole(self.engine, self.context, self.prefix, standings)?.fault {
                return Ok(Outcome::Fails(fault));
            }
        }
        let unfinished: Vec<Standing> =
            standings.iter().filter(|standing| standing.is_marked && !self.is_finished(standing)).cloned().collect();
        if !unfinished.is_empty() {
            // All are there: noted before the first mark is taken away.
            return self.mark(&crate::restore::marked(&unfinished), Mark::finished);
        }
        let is_last = standings.iter().filter(|standing| standing.is_marked).count() == marked.len();
        let marked: Vec<&Target> = marked.iter().collect();
        let request = Request::release_indices(&self.exact(&marked, |target| &target.name, self.prefix)?);
        match self.write(&request)? {
            Outcome::Goes(_) if is_last => Ok(Outcome::Ended(self.release_others(standings))),
            outcome => Ok(outcome),
        }
    }

    /// Takes away the marks that a restore of another backup has left. The indices that keep theirs.
    fn release_others(&self, standings: &[Standing]) -> Vec<String> {
        if self.rename.is_some() {
            return Vec::new();
        }
        let is_kept = |request: &Request| !send(self.engine, request).is_ok_and(|response| success(&response).is_ok());
        let kept =
            left_by_others(self.prefix, self.found, standings).into_iter().filter(|(_, request)| is_kept(request));
        kept.flat_map(|(names, _)| names).collect()
    }

    fn is_finished(&self, standing: &Standing) -> bool {
        self.found.get(&standing.target.name).is_some_and(Found::is_finished)
    }

    fn missing_aliases(&self, standings: &[Standing]) -> Result<Vec<NewAlias>, Error> {
        let existing = check::existing_aliases(self.engine, self.context, self.prefix)?;
        let names = standings.iter().map(|standing| standing.target.name.as_str());
        let has = |alias: &NewAlias| existing.get(&alias.index).is_some_and(|found| found.contains_key(&alias.alias));
        let mut missing: Vec<NewAlias> = aliases(self.prefix, names).into_iter().filter(|alias| !has(alias)).collect();
        missing.truncate(1_000);
        Ok(missing)
    }

    fn part(&self, part: Part) -> Option<&TargetPart> {
        self.contents.parts.iter().find(|known| known.name.part == part)
    }

    fn exact(
        &self,
        targets: &[&Target],
        name: impl Fn(&Target) -> &String,
        prefix: &IndexPrefix,
    ) -> Result<ExactIndices, Error> {
        let names = targets.iter().map(|target| name(target).clone()).collect();
        ExactIndices::new(prefix, names).ok_or_else(|| Error::EngineAnswerInvalid {
            request: "the list of the backup's indices".to_owned(),
            reason: "an index of the backup has a name that no index can have".to_owned(),
        })
    }

    /// Sends a write whose result the next step sees.
    fn write(&self, request: &Request) -> Result<Outcome, Error> {
        match success(&send(self.engine, request)?) {
            Ok(_) => Ok(Outcome::Goes(AFTER_STEP)),
            Err(refusal) => self.refused(request, refusal),
        }
    }

    fn refused(&self, request: &Request, refusal: Refusal) -> Result<Outcome, Error> {
        if refusal.is_index_missing() || refusal.is_index_in_the_way() {
            // Somebody else has taken the step.
            return Ok(Outcome::Refused(refusal.to_string()));
        }
        if refusal.can_pass_for_restore() {
            return Ok(Outcome::Refused(refusal.to_string()));
        }
        match Error::refused(request, refusal, self.context.repository()?) {
            error @ Error::EngineRefused { .. } => {
                let detail = error.detail().unwrap_or_default();
                Ok(Outcome::Fails(format!("the search engine refused {request}: {detail}")))
            }
            error => Err(error),
        }
    }
}

/// Under another prefix nothing is deleted, not even what the restore itself has left there.
fn left_behind(targets: &[Target]) -> String {
    let names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
    format!(
        "the restore of {} was ended by a restart of the search engine: delete what is there by its exact name",
        names.join(", ")
    )
}

/// The response to the start of a restore: `accepted`, or its result if it was waited for.
#[derive(Deserialize)]
struct Accepted {
    snapshot: Option<RestoredSnapshot>,
}

#[derive(Deserialize)]
struct RestoredSnapshot {
    #[serde(default)]
    shards: RestoredShards,
}

#[derive(Default, Deserialize)]
struct RestoredShards {
    #[serde(default)]
    failed: u64,
}
