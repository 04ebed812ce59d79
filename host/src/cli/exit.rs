use std::process::ExitCode;

use crate::server::ServeError;

/// How a command ended, for scripts: `docs/reference/cli.md` has the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// What was asked for is done; after waiting, the backup can be restored.
    Done = 0,
    /// It ended badly: the backup cannot be restored, the policy was refused, the server did not start.
    EndedBadly = 1,
    /// The command or its files are wrong. Clap ends with it, too.
    WrongUsage = 2,
    /// There is no such backup.
    NotFound = 3,
    /// The backup exists, or is being deleted.
    Conflict = 4,
    /// The server refused: settings, repository, privileges.
    Refused = 5,
    /// The server, or the search engine behind it, cannot be reached.
    Unreachable = 6,
    /// The token is missing or wrong.
    Unauthorized = 7,
    /// `--timeout` is over; what was begun goes on.
    TimedOut = 8,
    /// Ctrl-C, as shells tell it, or a question that was answered with no.
    Interrupted = 130,
}

impl ExitStatus {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl ServeError {
    /// Why nothing can be done in this process.
    pub(super) fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Sandbox(_) | Self::Metrics(_) | Self::Io(_) | Self::Listen { .. } => ExitStatus::EndedBadly,
            _ => ExitStatus::Refused,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::ExitStatus::*;

    #[test]
    fn the_page_has_every_status() {
        let page = include_str!("../../../docs/reference/cli.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |")?.0.parse::<u8>().ok());
        let statuses = [
            Done,
            EndedBadly,
            WrongUsage,
            NotFound,
            Conflict,
            Refused,
            Unreachable,
            Unauthorized,
            TimedOut,
            Interrupted,
        ];
        assert_eq!(rows.collect::<Vec<_>>(), statuses.map(super::ExitStatus::code));
    }
}
