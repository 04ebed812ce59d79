use std::collections::BTreeMap;

use backup_core::{Refusal, RepositoryName};
use backup_elasticsearch::OperatorRequest;
use clap::Args;

use super::registered::Registered;
use super::{RepositoryCommandError, verify};
use crate::cli::engine::EngineAccess;
use crate::cli::output::Format;

#[derive(Debug, Args)]
pub(super) struct Register {
    /// The repository. Left out, it is that of the settings.
    #[arg(value_parser = super::repository_name)]
    pub(super) name: Option<RepositoryName>,
    /// The type of its storage, such as fs, s3, gcs, azure or hdfs.
    #[arg(long = "type", value_name = "TYPE")]
    storage: String,
    /// A setting of the storage, such as location=/backups or bucket=optimize. Can be given several times.
    #[arg(long = "setting", value_name = "KEY=VALUE", value_parser = key_and_value)]
    settings: Vec<(String, String)>,
    /// Register it as one that nothing can be written to.
    #[arg(long)]
    readonly: bool,
    /// Change the settings of one that is registered.
    #[arg(long)]
    yes: bool,
}

impl Register {
    pub(super) async fn run(
        self,
        engine: &EngineAccess,
        name: &RepositoryName,
        format: Format,
    ) -> Result<(), RepositoryCommandError> {
        let yes = self.yes;
        let wanted = self.wanted()?;
        let found = Registered::under(engine, name).await?;
        let difference = found.map(|found| found.differences(&wanted));
        if let Some(difference) = difference.as_ref().filter(|difference| !difference.is_empty() && !yes) {
            let difference = difference.join(", ");
            return Err(RepositoryCommandError::Different { name: name.clone(), difference });
        }
        if difference.is_none_or(|difference| !difference.is_empty()) {
            let body = serde_json::json!(wanted).to_string();
            let response = engine.operate(OperatorRequest::RegisterRepository { body }).await?;
            if !(200..300).contains(&response.status) {
                return Err(Refusal::of(&response).into());
            }
        }
        verify::run(engine, name, format).await
    }

    fn wanted(self) -> Result<Registered, RepositoryCommandError> {
        let mut settings = BTreeMap::new();
        let readonly = self.readonly.then(|| ("readonly".to_owned(), "true".to_owned()));
        for (key, value) in self.settings.into_iter().chain(readonly) {
            if settings.insert(key.clone(), value).is_some() {
                return Err(RepositoryCommandError::GivenTwice(key));
            }
        }
        Ok(Registered { storage: self.storage, settings })
    }
}

pub(super) fn key_and_value(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, such as location=/backups"),
    }
}
