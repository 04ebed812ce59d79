//! A policy that takes only dates for backup IDs, such as 20261123. All else is as in the embedded one.

use backup_policy::Policy;
use backup_policy::bindings::exports::optimize::backup::backups::{
    Accepted, Backup, BackupId, BackupProgress, BackupsPage, Context, Deleted, Error, Guest, ListQuery, Step,
};
use backup_policy::bindings::optimize::backup::types::Problem;
use jiff::civil::Date;

struct DatesOnly;

backup_policy::bindings::export!(DatesOnly);

impl Guest for DatesOnly {
    fn create(context: Context, id: String) -> Result<Accepted, Error> {
        if is_date(&id) { Policy::create(context, id) } else { Err(not_a_date()) }
    }

    fn advance(context: Context, id: BackupId) -> Result<Step, Error> {
        Policy::advance(context, id)
    }

    fn get(context: Context, id: String) -> Result<Backup, Error> {
        Policy::get(context, id)
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

/// Whether a text is a day that there is, in this one spelling.
fn is_date(text: &str) -> bool {
    const SPELLING: &str = "%Y%m%d";
    Date::strptime(SPELLING, text).is_ok_and(|date| date.strftime(SPELLING).to_string() == text)
}

fn not_a_date() -> Error {
    Error::InvalidRequest(Problem {
        code: "notADate".to_owned(),
        message: "the backup id is not a date; send today's, such as 20261123".to_owned(),
        detail: None,
    })
}
