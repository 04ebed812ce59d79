//! A policy that takes only dates for backup IDs, such as 20261123, and keeps the backup of the first of each month for a
//! year. All else is as in the embedded one.

use backup_policy::Policy;
use backup_policy::bindings::exports::optimize::backup::backups::{
    Accepted, Backup, BackupId, BackupProgress, BackupsPage, Context, Deleted, Error, Guest, ListQuery, Step,
};
use backup_policy::bindings::exports::optimize::backup::restores::{
    Guest as Restores, IndexWrites, Restore, RestoreOptions, RestorePlan, RestoreRun, RestoreStep,
};
use backup_policy::bindings::exports::optimize::backup::retention::{Candidate, Expired, Guest as Retention, Rules};
use backup_policy::bindings::exports::optimize::backup::verifications::{
    Guest as Verifications, VerificationHolder, VerificationRun, VerificationStep, VerificationTraces,
};
use backup_policy::bindings::optimize::backup::types::Problem;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

struct DatesOnly;

backup_policy::bindings::export!(DatesOnly);

impl Guest for DatesOnly {
    fn create(context: Context, id: String) -> Result<Accepted, Error> {
        if is_date(&id) { Policy::create(context, id) } else { Err(not_a_date()) }
    }

    fn advance(context: Context, id: BackupId) -> Result<Step, Error> {
        <Policy as Guest>::advance(context, id)
    }

    fn get(context: Context, id: String) -> Result<Backup, Error> {
        <Policy as Guest>::get(context, id)
    }

    fn progress(context: Context, id: String) -> Result<BackupProgress, Error> {
        Policy::progress(context, id)
    }

    fn list(context: Context, query: ListQuery) -> Result<BackupsPage, Error> {
        Policy::list(context, query)
    }

    fn delete(context: Context, id: String, only_runs: Option<Vec<String>>) -> Result<Deleted, Error> {
        Policy::delete(context, id, only_runs)
    }
}

impl Restores for DatesOnly {
    fn plan(
        context: Context,
        id: String,
        options: RestoreOptions,
        writes: Option<Vec<IndexWrites>>,
    ) -> Result<RestorePlan, Error> {
        <Policy as Restores>::plan(context, id, options, writes)
    }

    fn advance(context: Context, run: RestoreRun) -> Result<RestoreStep, Error> {
        <Policy as Restores>::advance(context, run)
    }

    fn get(context: Context, id: String, rename_prefix: Option<String>) -> Result<Restore, Error> {
        <Policy as Restores>::get(context, id, rename_prefix)
    }
}

impl Retention for DatesOnly {
    fn expire(context: Context, rules: Rules, candidates: Vec<Candidate>) -> Result<Vec<Expired>, Error> {
        let now = context.now;
        let mut expired = Policy::expire(context, rules, candidates)?;
        expired.retain(|expired| !is_first_of_a_month_of_the_last_year(expired.backup_id, now));
        Ok(expired)
    }
}

impl Verifications for DatesOnly {
    fn begin(context: Context, id: String) -> Result<VerificationRun, Error> {
        Policy::begin(context, id)
    }

    fn advance(context: Context, run: VerificationRun) -> Result<VerificationStep, Error> {
        <Policy as Verifications>::advance(context, run)
    }

    fn traces(context: Context) -> Result<VerificationTraces, Error> {
        Policy::traces(context)
    }

    fn clear(context: Context, holder: Option<VerificationHolder>) -> Result<bool, Error> {
        Policy::clear(context, holder)
    }
}

fn is_first_of_a_month_of_the_last_year(id: BackupId, now: u64) -> bool {
    let now = i64::try_from(now).ok().and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let Some((now, date)) = now.zip(date(&id.to_string())) else { return false };
    let a_year_ago = TimeZone::UTC.to_datetime(now).date() - 1.year();
    date.day() == 1 && date >= a_year_ago
}

fn is_date(text: &str) -> bool {
    date(text).is_some()
}

/// The day that a text means, if there is such a day and the text is its one spelling.
fn date(text: &str) -> Option<Date> {
    const SPELLING: &str = "%Y%m%d";
    Date::strptime(SPELLING, text).ok().filter(|date| date.strftime(SPELLING).to_string() == text)
}

fn not_a_date() -> Error {
    Error::InvalidRequest(Problem {
        code: "notADate".to_owned(),
        message: "the backup id is not a date; send today's, such as 20261123".to_owned(),
        detail: None,
    })
}
