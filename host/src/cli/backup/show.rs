use backup_core::BackupId;
use clap::Args;

use super::error::BackupCommandError;
use super::view;
use super::wait::or_interrupted;
use crate::cli::client::{Client, Selection};
use crate::cli::output::Format;

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those whose ID begins with these digits, such as '2026*'; without * only that one.
    #[arg(long)]
    pattern: Option<String>,
    /// At most so many, those with the largest IDs: 1 to 1000.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    limit: Option<u64>,
}

#[derive(Debug, Args)]
pub(super) struct Get {
    /// The backup.
    #[arg(value_parser = super::backup_id)]
    id: BackupId,
}

impl List {
    pub(super) async fn run(self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        let selection = Selection { pattern: self.pattern, limit: self.limit };
        let listed = async { Ok(client.list(&selection).await?) };
        let backups = or_interrupted(listed, || "nothing was changed".to_owned()).await?;
        Ok(view::print_all(&backups, format)?)
    }
}

impl Get {
    pub(super) async fn run(self, client: &Client, format: Format) -> Result<(), BackupCommandError> {
        let shown = async { Ok(client.get(self.id).await?) };
        let backup = or_interrupted(shown, || "nothing was changed".to_owned()).await?;
        Ok(view::print_one(&backup, format)?)
    }
}
