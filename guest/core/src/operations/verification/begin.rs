use std::collections::{BTreeMap, BTreeSet};

use super::room::expect_room;
use super::scratch::Scratch;
use super::{checks, targets};
use crate::operations::restore::look::{Tasks, tasks};
use crate::operations::restore::parts::{Contents, Sizes, sizes};
use crate::operations::{may_have_executed, send};
use crate::refusal::{document, success};
use crate::restore::Target;
use crate::verification::scratch::{LOCK, SCRATCH, is_scratch};
use crate::verification::{Check, VerificationRun, VerifiedIndex};
use crate::{BackupId, Context, Engine, Error, Request};

/// How often a lock is looked for before it is given back as one that the user may not see.
const LOOKS: usize = 2;

/// Begins the verification of a backup: takes the lock.
///
/// # Errors
/// [`Error::BackupNotFound`], [`Error::BackupNotVerifiable`], [`Error::VerificationInProgress`],
/// [`Error::NoRoomForVerification`], or why it is not known whether it has begun: then the lock can be there, and is taken away
/// as that of a host that is gone.
pub fn begin(engine: &impl Engine, context: &Context, id: &str) -> Result<VerificationRun, Error> {
    let id = BackupId::parse(id)?;
    let contents = Contents::of(engine, context, id)?;
    let not_verifiable = |reason: String| Error::BackupNotVerifiable { id, reason };
    if let Some(obstacle) = contents.obstacle() {
        return Err(not_verifiable(obstacle));
    }
    let scratch = Scratch::names(engine, context)?;
    if scratch.is_locked {
        return Err(Error::VerificationInProgress { holder: scratch.holder });
    }
    if let Some(reason) = in_use(context, &contents, &tasks(engine, context)?)? {
        return Err(not_verifiable(reason.to_owned()));
    }
    let copied = targets(context, id, &contents.parts);
    if copied.is_empty() {
        let prefix = &context.settings.index_prefix;
        return Err(not_verifiable(format!("it has no index of the prefix '{prefix}'")));
    }
    let names: BTreeSet<&String> = copied.iter().map(|target| &target.name).collect();
    if names.len() < copied.len() {
        return Err(not_verifiable("the copies of two of its indices would have one name".to_owned()));
    }
    let mut known = Sizes::new();
    for part in &contents.parts {
        // Of files that cannot be read the restore tells which index they are of.
        known.extend(sizes(engine, context, part)?.unwrap_or_default());
    }
    expect_room(engine, context, id, &copied, &known)?;
    let indices = copied.iter().map(|target| verified(target, &known));
    let mut run = VerificationRun {
        backup_id: id,
        run_id: context.run_id.clone(),
        beat: 0,
        beaten: context.now,
        snapshots: contents.parts.iter().map(|part| part.uuid.clone()).collect(),
        indices: indices.collect(),
        checks: Check::all(),
    };
    checks::before(&mut run, &contents.backup);
    take_lock(engine, context, &run)?;
    Ok(run)
}

/// What is being done with the backup.
fn in_use(context: &Context, contents: &Contents, tasks: &Tasks) -> Result<Option<&'static str>, Error> {
    if tasks.deletes(context.repository()?.as_str(), &contents.parts) {
        return Ok(Some("it is being deleted"));
    }
    let own: BTreeSet<String> = contents.parts.iter().map(|part| part.name.to_string()).collect();
    // Copies of a verification whose host is gone are not in the way.
    let is_in_use = tasks
        .restores
        .iter()
        .any(|restore| own.contains(&restore.snapshot) && !restore.indices.iter().all(|name| is_scratch(name)));
    Ok(is_in_use.then_some("it is being restored"))
}

fn verified(target: &Target, sizes: &Sizes) -> VerifiedIndex {
    VerifiedIndex {
        part: target.part,
        index: target.index.clone(),
        size: sizes.get(&target.index).map(|&(bytes, _)| bytes),
        documents: None,
        checked: false,
    }
}

fn take_lock(engine: &impl Engine, context: &Context, run: &VerificationRun) -> Result<(), Error> {
    let request = Request::take_lock(&run.holder().to_setting());
    let taken = send(engine, &request).and_then(|response| match success(&response) {
        Ok(body) => document::<BTreeMap<String, serde_json::Value>>(&request, body).map(drop),
        Err(refusal) => Err(Error::refused(&request, refusal, context.repository()?)),
    });
    let Err(error) = taken else { return expect_seen(engine, context, run) };
    let is_there = error.refusal().is_some_and(crate::Refusal::is_index_there);
    if !is_there && !may_have_executed(&error) {
        return Err(error);
    }
    match Scratch::names(engine, context) {
        // An answer of the engine got lost.
        Ok(scratch) if scratch.is_of(run) => Ok(()),
        Ok(scratch) if scratch.is_locked || is_there => Err(Error::VerificationInProgress { holder: scratch.holder }),
        _ => Err(error),
    }
}

/// An engine leaves indices out of its answers that its user may not see: a lock that nobody sees would never be given back.
fn expect_seen(engine: &impl Engine, context: &Context, run: &VerificationRun) -> Result<(), Error> {
    // A node that does not know of it yet can have answered the first look.
    for _ in 0..LOOKS {
        match Scratch::names(engine, context) {
            Ok(scratch) if !scratch.is_of(run) => {}
            // It is seen, or the first step sees it.
            _ => return Ok(()),
        }
    }
    let _ = send(engine, &Request::release_lock());
    let reason = format!(
        "the search engine does not show the index {LOCK}, which it has just created: give its user the privilege monitor on '{SCRATCH}*'"
    );
    Err(Error::BackupNotVerifiable { id: run.backup_id, reason })
}
