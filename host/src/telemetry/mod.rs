//! The log: what is in it, in which form, and how it gets to standard output.

#[cfg(test)]
pub(crate) mod captured;
mod format;
mod levels;
mod loggers;
mod writer;

use std::panic;
use std::sync::Arc;

use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::JsonFields;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;

use self::format::{JsonLines, LocalTime, OneLine};
use self::writer::LogWriter;
use crate::settings::{LogFormat, LogSettings};

pub use self::levels::{InvalidLevels, LogLevel};
pub use self::loggers::{LevelError, LoggerLevels, Loggers};
pub(crate) use self::writer::FlushAtEnd;

/// Their traces hold whole answers, and so the credentials that are in them.
const SENSITIVE_CRATES: [&str; 5] = ["aws_config", "aws_runtime", "aws_sdk_sts", "aws_sigv4", "aws_smithy_runtime"];

/// Sends all events of this process to standard output from now on, until the returned guard is dropped.
pub(crate) fn install(log: &LogSettings) -> Result<(Arc<Loggers>, FlushAtEnd), InvalidLevels> {
    let levels = levels::Levels::parse(&log.filter)?;
    let (writer, flush) = LogWriter::start(log.format);
    let (filter, handle) = reload::Layer::new(levels.filter());
    let loggers = Loggers::new(levels, writer.total(), move |levels| {
        // Whoever has installed another subscriber has no use for these levels.
        let _ = handle.reload(levels.filter());
    });
    let without_secrets = filter_fn(|event| {
        *event.level() != Level::TRACE || !SENSITIVE_CRATES.iter().any(|name| event.target().starts_with(name))
    });
    let lines: Box<dyn Layer<_> + Send + Sync> = match log.format {
        LogFormat::Text => {
            let format = OneLine(fmt::format().with_ansi(false).with_timer(LocalTime));
            Box::new(fmt::layer().with_ansi(false).event_format(format).with_writer(writer))
        }
        LogFormat::Json => {
            Box::new(fmt::layer().fmt_fields(JsonFields::new()).event_format(JsonLines).with_writer(writer))
        }
    };
    let subscriber = Registry::default().with(filter).with(without_secrets).with(lines);
    // A second installation, as in tests within one process, keeps the first.
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        log_panics();
    }
    Ok((Arc::new(loggers), flush))
}

/// A panic ends a task, not the server: it is an event like others.
fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(|at| format!("{}:{}", at.file(), at.line())).unwrap_or_default();
        let reason = panic.payload_as_str().unwrap_or("a panic without a message");
        tracing::error!(reason, at, "a defect of this server");
    }));
}
