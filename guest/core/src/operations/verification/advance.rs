use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::scratch::{Scratch, some_of};
use super::{checks, next_batch, targets};
use crate::operations::create::version_in;
use crate::operations::record::documents_of_copies;
use crate::operations::restore::look::Tasks;
use crate::operations::restore::parts::Contents;
use crate::operations::send;
use crate::refusal::{document, success};
use crate::restore::{ExactIndices, Found, IndexState, RenamePattern, Standing, Target, TargetPart};
use crate::selection::base_name;
use crate::text::cut;
use crate::verification::scratch::copy_name;
use crate::verification::{VerificationHolder, VerificationRun, VerificationStep, VerifiedIndex};
use crate::{ByteCount, Context, Engine, Error, IndexPrefix, Part, Refusal, Request};

/// How long to wait for shards that are being restored: the longer, the more is left.
const MIN_WHILE_RESTORING: Duration = Duration::from_secs(1);
const MAX_WHILE_RESTORING: Duration = Duration::from_secs(5);
/// What an engine restores in a second, or in less.
const BYTES_A_SECOND: u64 = 64 << 20;
/// How long to wait after a step.
const AFTER_STEP: Duration = Duration::from_millis(100);
/// How long to wait after a refusal that can pass.
const AFTER_REFUSAL: Duration = Duration::from_secs(2);
/// How long to wait before an index is copied again whose shards no node has taken.
const WHILE_NOT_TAKEN: Duration = Duration::from_secs(15);
/// How often the lock is counted up, so that others see that somebody still is at it.
const BEAT: Duration = Duration::from_secs(20);
/// How much is told of the fault of one index: several can have one.
const MAX_FAULT_BYTES: usize = 800;

/// Takes the next step of a verification.
///
/// # Errors
/// Why the step could not be taken. Take it again, with the same run, unless it is [`Error::BackupNotFound`] or
/// [`Error::BackupNotVerifiable`]: the backup is gone, or the lock is.
pub fn advance(engine: &impl Engine, context: &Context, run: &VerificationRun) -> Result<VerificationStep, Error> {
    let (scratch, tasks) = Scratch::with_shards(engine, context)?;
    let step = Step { engine, context, scratch: &scratch, tasks: &tasks, run: run.clone(), bytes: None };
    if !scratch.is_of(run) {
        if run.is_decided() {
            // The answer to the lock's deletion got lost, or somebody else has cleared what this one had left.
            return Ok(step.ended());
        }
        return Err(step.given_up(lost(scratch.holder.as_ref())));
    }
    let is_due = context.now < run.beaten || context.now.since(run.beaten) >= BEAT;
    if is_due {
        return step.beat();
    }
    if run.is_decided() { step.clean_up() } else { step.go_on() }
}

fn lost(holder: Option<&VerificationHolder>) -> String {
    let whose = match holder {
        Some(other) => format!("a verification of backup {} has it", other.backup_id),
        None => "nobody has it".to_owned(),
    };
    format!(
        "the lock of this verification was taken away as that of a server that is gone, and {whose}: start the verification again"
    )
}

/// What a step needs.
struct Step<'a, E> {
    engine: &'a E,
    context: &'a Context,
    scratch: &'a Scratch,
    tasks: &'a Tasks,
    /// The run, with what this step finds.
    run: VerificationRun,
    bytes: Option<ByteCount>,
}

impl<E: Engine> Step<'_, E> {
    fn ended(self) -> VerificationStep {
        VerificationStep { run: self.run, bytes: self.bytes, again_in: None, refusal: None }
    }

    fn again_in(self, delay: Duration) -> VerificationStep {
        VerificationStep { run: self.run, bytes: self.bytes, again_in: Some(delay), refusal: None }
    }

    fn refused(self, refusal: String) -> VerificationStep {
        let again_in = Some(AFTER_REFUSAL);
        VerificationStep { run: self.run, bytes: self.bytes, again_in, refusal: Some(refusal) }
    }

    /// Counts up what the lock tells.
    fn beat(mut self) -> Result<VerificationStep, Error> {
        let told = self.scratch.holder.as_ref().map_or(self.run.beat, |holder| holder.beat);
        let holder = VerificationHolder { beat: told.saturating_add(1), ..self.run.holder() };
        if let Some(refusal) = self.write(&Request::hold_lock(&holder.to_setting()))? {
            return Ok(self.refused(refusal));
        }
        (self.run.beat, self.run.beaten) = (holder.beat, self.context.now);
        Ok(self.again_in(AFTER_STEP))
    }

    /// Deletes everything that verifications have made, and the lock at last.
    fn clean_up(self) -> Result<VerificationStep, Error> {
        if let Some(copies) = some_of(self.scratch.indices.keys()) {
            return self.delete(&copies);
        }
        match self.write(&Request::release_lock())? {
            Some(refusal) => Ok(self.refused(refusal)),
            None => Ok(self.ended()),
        }
    }

    /// While the engine restores copies, nothing but these is looked at: the repository is read when something is to be done.
    fn go_on(mut self) -> Result<VerificationStep, Error> {
        self.bytes = self.count_bytes();
        if self.is_restoring() {
            let delay = self.while_restoring();
            return Ok(self.again_in(delay));
        }
        let contents = Contents::of(self.engine, self.context, self.run.backup_id)?;
        let uuids: Vec<&str> = contents.parts.iter().map(|part| part.uuid.as_str()).collect();
        if uuids != self.run.snapshots {
            let reason = contents.obstacle().unwrap_or_else(|| "the backup was deleted and made again".to_owned());
            return Err(self.given_up(reason));
        }
        let copies = self.copies(&contents)?;
        let wanted: BTreeSet<&String> =
            copies.iter().filter(|copy| self.is_usable(copy)).map(|copy| &copy.target.name).collect();
        if let Some(refusal) = self.not_taken(&copies) {
            let not_taken = some_of(copies.iter().filter(|copy| self.is_not_taken(copy)).map(|copy| &copy.target.name));
            let Some(not_taken) = not_taken else { return Ok(self.refused(refusal)) };
            let step = self.delete(&not_taken)?;
            return Ok(VerificationStep {
                again_in: Some(WHILE_NOT_TAKEN),
                refusal: step.refusal.or(Some(refusal)),
                ..step
            });
        }
        if let Some(others) = some_of(self.scratch.indices.keys().filter(|name| !wanted.contains(name))) {
            return self.delete(&others);
        }
        if copies.is_empty() {
            return self.copy(&contents);
        }
        if copies.iter().any(|copy| matches!(copy.state, IndexState::Restoring | IndexState::Waiting(_))) {
            return Ok(self.again_in(MIN_WHILE_RESTORING));
        }
        self.check(&contents, &copies)
    }

    /// The verification cannot go on. That says nothing of the backup.
    fn given_up(&self, reason: String) -> Error {
        Error::BackupNotVerifiable { id: self.run.backup_id, reason }
    }

    /// The copies of this run that there are of indices that are not checked yet.
    fn own(&self) -> impl Iterator<Item = (&VerifiedIndex, &Found)> {
        let (id, owner) = (self.run.backup_id, self.run.holder().of_copies());
        let unchecked = self.run.indices.iter().filter(|index| !index.checked);
        let found =
            unchecked.filter_map(move |index| Some((index, self.scratch.indices.get(&copy_name(id, &index.index))?)));
        found.filter(move |(_, found)| found.holder.as_deref() == Some(owner.as_str()))
    }

    /// Whether the engine restores copies, and none of them needs anything else.
    fn is_restoring(&self) -> bool {
        self.own().any(|(_, found)| found.is_recovering()) && !self.own().any(|(_, found)| found.is_on_no_node())
    }

    fn while_restoring(&self) -> Duration {
        let left = self.own().map(|(index, found)| index.size.unwrap_or_default().saturating_sub(done_bytes(found)));
        let seconds = left.fold(0, u64::saturating_add) / BYTES_A_SECOND;
        Duration::from_secs(seconds).clamp(MIN_WHILE_RESTORING, MAX_WHILE_RESTORING)
    }

    /// The copies of indices that are not checked yet, as far as they are of this run, with what to make of them.
    fn copies(&self, contents: &Contents) -> Result<Vec<Standing>, Error> {
        let (repository, owner) = (self.context.repository()?, self.run.holder().of_copies());
        let standing = |target: Target| {
            let found = self.scratch.indices.get(&target.name)?;
            let is_ours = found.holder.as_deref() == Some(owner.as_str());
            let state = IndexState::of(&target, Some(found), None, repository);
            is_ours.then_some(Standing { state, is_marked: found.mark.is_some(), target })
        };
        Ok(self.unchecked(contents).into_iter().filter_map(standing).collect())
    }

    /// Whether a copy is what it should be, or can become that.
    fn is_usable(&self, copy: &Standing) -> bool {
        !matches!(copy.state, IndexState::Lost | IndexState::Foreign | IndexState::Unmarked) && !self.is_not_taken(copy)
    }

    /// Whether no node has tried to restore a shard of it, or the node that had it is gone. That says nothing of the backup.
    fn is_not_taken(&self, copy: &Standing) -> bool {
        matches!(copy.state, IndexState::Failed(_)) && self.fault(copy).is_none()
    }

    fn fault(&self, copy: &Standing) -> Option<&str> {
        self.scratch.indices.get(&copy.target.name).and_then(Found::fault)
    }

    fn not_taken(&self, copies: &[Standing]) -> Option<String> {
        let first = copies.iter().find(|copy| self.is_not_taken(copy))?;
        let IndexState::Failed(why) = &first.state else { return None };
        let why = cut(why.clone(), MAX_FAULT_BYTES);
        Some(format!(
            "no node has a shard of the copy of {} ({why}): a disk above its watermark, a setting of the allocation, or a node that has left; it is copied again",
            first.target.index
        ))
    }

    /// What has to be copied still, by part and name.
    fn unchecked(&self, contents: &Contents) -> Vec<Target> {
        let unchecked = self.run.indices.iter().filter(|index| !index.checked);
        let names: BTreeSet<(Part, &str)> = unchecked.map(|index| (index.part, index.index.as_str())).collect();
        let all = targets(self.context, self.run.backup_id, &contents.parts);
        all.into_iter().filter(|target| names.contains(&(target.part, target.index.as_str()))).collect()
    }

    /// Restores copies of the next few indices, all of one part.
    fn copy(mut self, contents: &Contents) -> Result<VerificationStep, Error> {
        let unchecked = self.unchecked(contents);
        let Some(first) = unchecked.first() else {
            checks::after(&mut self.run, &self.context.settings.index_prefix, contents);
            return Ok(self.again_in(AFTER_STEP));
        };
        let batch = next_batch(self.run.backup_id, &unchecked);
        let part = contents.parts.iter().find(|part| part.name.part == first.part);
        let Some(part) = part else { return Err(self.given_up(format!("{} is gone", first.part))) };
        if self.tasks.deletes(self.context.repository()?.as_str(), &contents.parts) {
            return Err(self.given_up("it is being deleted".to_owned()));
        }
        let Some(mut refusal) = self.restore(part, &batch)? else { return Ok(self.again_in(AFTER_STEP * 2)) };
        if batch.len() > 1 && !can_pass(&refusal) {
            // Only one of them may be the reason.
            match self.restore(part, &[first])? {
                None => return Ok(self.again_in(AFTER_STEP * 2)),
                Some(of_first) => refusal = of_first,
            }
        }
        if !is_fault(&refusal) {
            return Ok(self.refused(refusal.to_string()));
        }
        self.note_checked(first, None, Some(&refusal.to_string()));
        Ok(self.again_in(AFTER_STEP))
    }

    /// `None`: the engine has begun it.
    fn restore(&self, part: &TargetPart, targets: &[&Target]) -> Result<Option<Refusal>, Error> {
        let own = &self.context.settings.index_prefix;
        let names: Vec<String> = targets.iter().map(|target| target.index.clone()).collect();
        let rename = RenamePattern::to_copies(own, self.run.backup_id, &names);
        let indices = ExactIndices::new(own, names).ok_or_else(|| Error::EngineAnswerInvalid {
            request: "the list of the backup's indices".to_owned(),
            reason: "an index of the backup has a name that no index can have".to_owned(),
        })?;
        let repository = self.context.repository()?;
        let owner = self.run.holder().of_copies();
        let request = Request::copy_indices(repository, &part.name, &indices, &rename, &part.uuid, &owner);
        match success(&send(self.engine, &request)?) {
            Ok(_) => Ok(None),
            Err(refusal) => passing(&request, refusal, self.context).map(Some),
        }
    }

    /// Looks at copies that are there, so that they are not needed any more.
    fn check(mut self, contents: &Contents, copies: &[Standing]) -> Result<VerificationStep, Error> {
        let counts = self.count(copies)?;
        for copy in copies {
            let target = &copy.target;
            match &copy.state {
                IndexState::Failed(reason) => {
                    let fault = self.fault(copy).unwrap_or(reason).to_owned();
                    self.note_checked(target, None, Some(&fault));
                }
                _ => {
                    if is_metadata(self.context, target)
                        && let Some(gone) = self.check_version(target)?
                    {
                        return Ok(self.refused(gone));
                    }
                    self.note_checked(target, counts.get(&target.name).copied(), None);
                }
            }
        }
        if self.unchecked(contents).is_empty() {
            checks::after(&mut self.run, &self.context.settings.index_prefix, contents);
        }
        Ok(self.again_in(AFTER_STEP))
    }

    /// How many documents the copies have. A search engine that refuses to tell makes no backup a bad one.
    fn count(&self, copies: &[Standing]) -> Result<BTreeMap<String, u64>, Error> {
        if copies.iter().all(|copy| matches!(copy.state, IndexState::Failed(_))) {
            return Ok(BTreeMap::new());
        }
        let request = Request::documents(&IndexPrefix::of_verifications());
        Ok(documents_of_copies(&request, &send(self.engine, &request)?).unwrap_or_default())
    }

    /// The refusal if the copy has gone since it was seen.
    fn check_version(&mut self, target: &Target) -> Result<Option<String>, Error> {
        let request = Request::copied_version(&target.name);
        let found = match version_in(self.engine, self.context, &request) {
            Ok(Err(none)) if none.has_no_index => return Ok(Some(none.reason)),
            Ok(found) => found.map_err(|none| none.reason),
            Err(error) => match error.refusal() {
                Some(refusal) if is_of_the_data(refusal) => Err(refusal.to_string()),
                _ => return Err(error),
            },
        };
        checks::version(&mut self.run, &target.snapshot.version.to_string(), found);
        Ok(None)
    }

    fn note_checked(&mut self, target: &Target, documents: Option<u64>, fault: Option<&str>) {
        let is_meant = |index: &&mut VerifiedIndex| index.part == target.part && index.index == target.index;
        if let Some(index) = self.run.indices.iter_mut().find(is_meant) {
            (index.checked, index.documents) = (true, documents);
        }
        if let Some(fault) = fault {
            let fault = cut(fault.to_owned(), MAX_FAULT_BYTES);
            self.run.note_fault(&format!("index {} could not be restored: {fault}", target.index));
        }
    }

    fn delete(self, indices: &ExactIndices) -> Result<VerificationStep, Error> {
        match self.write(&Request::delete_indices(indices))? {
            Some(refusal) => Ok(self.refused(refusal)),
            None => Ok(self.again_in(AFTER_STEP)),
        }
    }

    /// Sends a write whose result the next step sees. The refusal of one that can succeed later.
    fn write(&self, request: &Request) -> Result<Option<String>, Error> {
        match success(&send(self.engine, request)?) {
            // Not so if something else has answered in the engine's place.
            Ok(body) => document::<BTreeMap<String, serde_json::Value>>(request, body).map(|_| None),
            Err(refusal) => passing(request, refusal, self.context).map(|refusal| Some(refusal.to_string())),
        }
    }

    fn count_bytes(&self) -> Option<ByteCount> {
        let size = |index: &VerifiedIndex| index.size.unwrap_or_default();
        let sum = |sizes: &mut dyn Iterator<Item = u64>| sizes.fold(0, u64::saturating_add);
        let total = sum(&mut self.run.indices.iter().map(size));
        let checked = sum(&mut self.run.indices.iter().filter(|index| index.checked).map(size));
        let copied = sum(&mut self.own().map(|(_, found)| done_bytes(found)));
        (total > 0).then(|| ByteCount { total, done: checked.saturating_add(copied).min(total) })
    }
}

fn done_bytes(found: &Found) -> u64 {
    found.recoveries.iter().map(|recovery| recovery.done_bytes).fold(0, u64::saturating_add)
}

/// Whether a copy cannot be read because of what is in it, and not because the user may not or the engine cannot at the moment.
fn is_of_the_data(refusal: &Refusal) -> bool {
    let is_about_files = refusal.status < 500 || is_damaged(refusal);
    is_about_files && !can_pass(refusal) && !matches!(refusal.status, 401 | 403)
}

/// The refusal, unless it is about settings and rights: that is an error, and nothing that a check has found.
fn passing(request: &Request, refusal: Refusal, context: &Context) -> Result<Refusal, Error> {
    match Error::refused(request, refusal.clone(), context.repository()?) {
        Error::EngineRefused { .. } | Error::EngineBusy { .. } => Ok(refusal),
        error => Err(error),
    }
}

/// Whether the same request can succeed a little later, without a change of anything.
fn can_pass(refusal: &Refusal) -> bool {
    let is_in_the_way = refusal.is_index_in_the_way() || refusal.is_held();
    is_in_the_way || refusal.is_from_proxy() || matches!(refusal.status, 408 | 429 | 502..=504)
}

/// What the types of errors are called that a damaged or missing file of a repository gives.
const DAMAGED: [&str; 5] = ["no_such_file", "corrupt", "index_format", "eof_exception", "parse_exception"];

/// Whether the backup is the reason of a restore's refusal. A limit of shards or a repository that cannot be read at the moment
/// is none.
fn is_fault(refusal: &Refusal) -> bool {
    let is_told = refusal.kind == "snapshot_restore_exception" || refusal.is_index_missing();
    !can_pass(refusal) && (is_told || is_damaged(refusal))
}

fn is_damaged(refusal: &Refusal) -> bool {
    let has = |text: &str| DAMAGED.iter().any(|word| text.contains(word));
    has(&refusal.kind) || refusal.cause.as_deref().is_some_and(has)
}

fn is_metadata(context: &Context, target: &Target) -> bool {
    context.settings.index_prefix.strip(&target.index).is_some_and(|rest| base_name(rest) == "metadata")
}
