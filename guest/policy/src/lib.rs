//! The policy component: [`backup_core`] behind the WIT package `optimize:backup`.
//!
//! Every export converts its arguments, runs one of [`backup_core::operations`] over the imported engine, and converts
//! the result.
//!
//! A policy that differs in a part uses the crate without its feature `export`: it implements [`Guest`], [`Restores`],
//! [`Retention`] and [`Verifications`] by means of [`Policy`], or of the operations over [`Imported`], and exports itself with `bindings::export!`.

pub mod bindings;
mod convert;
mod engine;

pub use convert::{from_context, from_holder, from_id, from_query, from_rename_prefix, from_rules};
pub use engine::Imported;

use backup_core::{Timestamp, operations, restore, retention};
use bindings::exports::optimize::backup::backups::{
    Accepted, Backup, BackupId, BackupProgress, BackupsPage, Context, Deleted, Error, Guest, ListQuery, Step,
};
use bindings::exports::optimize::backup::restores::{
    Guest as Restores, IndexWrites, Restore, RestoreOptions, RestorePlan, RestoreRun, RestoreStep,
};
use bindings::exports::optimize::backup::retention::{Candidate, Expired, Guest as Retention, Rules};
use bindings::exports::optimize::backup::verifications::{
    Guest as Verifications, VerificationHolder, VerificationRun, VerificationStep, VerificationTraces,
};

/// std's own allocator would begin with growing the memory, and leave what the module has unused.
#[cfg(all(feature = "export", target_arch = "wasm32"))]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// The policy that is embedded in the host.
pub struct Policy;

impl Guest for Policy {
    fn create(context: Context, id: String) -> Result<Accepted, Error> {
        let accepted = operations::create(&Imported, &from_context(context)?, &id)?;
        Ok(accepted.into())
    }

    fn advance(context: Context, id: BackupId) -> Result<Step, Error> {
        let step = operations::advance(&Imported, &from_context(context)?, from_id(id)?)?;
        Ok(step.into())
    }

    fn get(context: Context, id: String) -> Result<Backup, Error> {
        let backup = operations::get(&Imported, &from_context(context)?, &id)?;
        Ok(backup.into())
    }

    fn progress(context: Context, id: String) -> Result<BackupProgress, Error> {
        let progress = operations::progress(&Imported, &from_context(context)?, &id)?;
        Ok(progress.into())
    }

    fn list(context: Context, query: ListQuery) -> Result<BackupsPage, Error> {
        let list = operations::list(&Imported, &from_context(context)?, &from_query(&query)?)?;
        Ok(list.into())
    }

    fn delete(context: Context, id: String, only_runs: Option<Vec<String>>) -> Result<Deleted, Error> {
        let deleted = operations::delete(&Imported, &from_context(context)?, &id, only_runs.as_deref())?;
        Ok(deleted.into())
    }
}

impl Restores for Policy {
    fn plan(
        context: Context,
        id: String,
        options: RestoreOptions,
        writes: Option<Vec<IndexWrites>>,
    ) -> Result<RestorePlan, Error> {
        let writes: Option<Vec<restore::IndexWrites>> =
            writes.map(|writes| writes.into_iter().map(Into::into).collect());
        let context = from_context(context)?;
        let plan = operations::restore::plan(&Imported, &context, &id, &options.read()?, writes.as_deref())?;
        Ok(plan.into())
    }

    fn advance(context: Context, run: RestoreRun) -> Result<RestoreStep, Error> {
        let step = operations::restore::advance(&Imported, &from_context(context)?, &run.read()?)?;
        Ok(step.into())
    }

    fn get(context: Context, id: String, rename_prefix: Option<String>) -> Result<Restore, Error> {
        let prefix = from_rename_prefix(rename_prefix.as_deref())?;
        let restore = operations::restore::get(&Imported, &from_context(context)?, &id, prefix.as_ref())?;
        Ok(restore.into())
    }
}

impl Retention for Policy {
    fn expire(context: Context, rules: Rules, candidates: Vec<Candidate>) -> Result<Vec<Expired>, Error> {
        let candidates: Vec<retention::Candidate> = candidates.iter().filter_map(Candidate::read).collect();
        let expired = retention::expired(&candidates, &from_rules(&rules)?, Timestamp(context.now));
        Ok(expired.into_iter().map(Into::into).collect())
    }
}

impl Verifications for Policy {
    fn begin(context: Context, id: String) -> Result<VerificationRun, Error> {
        let run = operations::verification::begin(&Imported, &from_context(context)?, &id)?;
        Ok(run.into())
    }

    fn advance(context: Context, run: VerificationRun) -> Result<VerificationStep, Error> {
        let step = operations::verification::advance(&Imported, &from_context(context)?, &run.read()?)?;
        Ok(step.into())
    }

    fn traces(context: Context) -> Result<VerificationTraces, Error> {
        let traces = operations::verification::traces(&Imported, &from_context(context)?)?;
        Ok(traces.into())
    }

    fn clear(context: Context, holder: Option<VerificationHolder>) -> Result<bool, Error> {
        let holder = holder.map(from_holder).transpose()?;
        Ok(operations::verification::clear(&Imported, &from_context(context)?, holder.as_ref())?)
    }
}
