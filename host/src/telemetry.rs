//! What goes to standard output.

use std::io;

use tracing::Level;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{ParseError, filter_fn};
use tracing_subscriber::layer::SubscriberExt;

use crate::settings::{LogFormat, LogSettings};

/// Their traces hold whole answers, and so the credentials that are in them.
const SENSITIVE_CRATES: [&str; 5] = ["aws_config", "aws_runtime", "aws_sdk_sts", "aws_sigv4", "aws_smithy_runtime"];

/// Sends all events of this process to standard output from now on.
pub(crate) fn install(log: &LogSettings) -> Result<(), ParseError> {
    let filter = EnvFilter::try_new(&log.filter)?;
    let without_secrets = filter_fn(|event| {
        *event.level() != Level::TRACE || !SENSITIVE_CRATES.iter().any(|name| event.target().starts_with(name))
    });
    let events = tracing_subscriber::fmt().with_env_filter(filter).with_target(false).with_writer(io::stdout);
    // A second installation, as in tests within one process, keeps the first.
    let _ = match log.format {
        LogFormat::Text => {
            tracing::subscriber::set_global_default(events.with_ansi(false).finish().with(without_secrets))
        }
        LogFormat::Json => tracing::subscriber::set_global_default(events.json().finish().with(without_secrets)),
    };
    Ok(())
}
