use std::collections::BTreeMap;
use std::fmt;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;

/// Up to which severity a logger logs, in Spring Boot's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// A level of the setting is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a log level; allowed are error, warn, info, debug, trace and off, also for each logger, such as info,optimize_backup=debug"
)]
pub struct InvalidLevels(String);

/// The logger of the audit lines.
pub(super) const AUDIT: &str = "audit";

/// The level of each logger that has one of its own, and that of all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Levels {
    pub(super) root: LogLevel,
    pub(super) configured: BTreeMap<String, LogLevel>,
    /// What [`AUDIT`] logs by the setting, and so at least: whoever changes levels must not get rid of what tells so.
    audit: LogLevel,
}

impl LogLevel {
    pub const ALL: [Self; 6] = [Self::Off, Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    /// Reads a level, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.to_string().eq_ignore_ascii_case(text))
    }

    fn filter(self) -> LevelFilter {
        match self {
            Self::Off => LevelFilter::OFF,
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "OFF",
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
            Self::Trace => "TRACE",
        })
    }
}

impl Levels {
    /// Reads the setting: a level, and levels of loggers.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidLevels> {
        let mut levels = Self { root: LogLevel::Info, configured: BTreeMap::new(), audit: LogLevel::Off };
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let (logger, level) = item.split_once('=').unwrap_or(("", item));
            let level = LogLevel::parse(level.trim()).ok_or_else(|| InvalidLevels(item.to_owned()))?;
            match logger.trim() {
                "" => levels.root = level,
                logger => drop(levels.configured.insert(logger.to_owned(), level)),
            }
        }
        levels.audit = levels.effective(AUDIT);
        Ok(levels)
    }

    /// What a logger logs: by the longest name that its own begins with.
    pub(super) fn effective(&self, logger: &str) -> LogLevel {
        let above = self.configured.iter().filter(|(name, _)| logger.starts_with(name.as_str()));
        let level = above.max_by_key(|(name, _)| name.len()).map_or(self.root, |(_, level)| *level);
        if logger == AUDIT { level.max(self.audit) } else { level }
    }

    pub(super) fn filter(&self) -> Targets {
        let loggers = self.configured.iter().map(|(name, level)| (name.clone(), level.filter()));
        let audit = (AUDIT, self.effective(AUDIT).filter());
        Targets::new().with_default(self.root.filter()).with_targets(loggers).with_targets([audit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_a_level_and_levels_of_loggers() {
        let levels = Levels::parse("warn, optimize_backup=debug,optimize_backup::http=OFF").unwrap();
        for (logger, level) in [
            ("hyper", LogLevel::Warn),
            ("optimize_backup::policy", LogLevel::Debug),
            ("optimize_backup::http::error", LogLevel::Off),
        ] {
            assert_eq!(levels.effective(logger), level, "{logger}");
        }
        assert_eq!(Levels::parse("").unwrap().root, LogLevel::Info);
    }

    #[test]
    fn what_is_no_level_is_refused() {
        for text in ["loud", "info,optimize_backup=loud", "optimize_backup", "optimize_backup[span]=debug,5"] {
            assert!(Levels::parse(text).is_err(), "{text}");
        }
    }
}
