use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::levels::{InvalidLevels, Levels, LogLevel};

/// The loggers and their levels, which can be changed while the server runs.
///
/// A logger is the module that an event is of, or a name that events are given, such as `audit`.
pub struct Loggers {
    of_settings: LogLevel,
    levels: Mutex<Levels>,
    apply: Box<dyn Fn(&Levels) + Send + Sync>,
    /// How many lines were left out of the log.
    dropped_lines: Arc<AtomicU64>,
}

/// The levels of one logger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggerLevels {
    /// Its own. `None`: that of the logger above it.
    pub configured: Option<LogLevel>,
    pub effective: LogLevel,
}

/// The logger above all others, by Spring Boot's name.
const ROOT: &str = "ROOT";
/// Those that operators need. Any other module can be given a level, too.
const KNOWN: [&str; 7] = [
    "audit",
    "optimize_backup",
    "optimize_backup::backups",
    "optimize_backup::elasticsearch",
    "optimize_backup::http",
    "optimize_backup::policy",
    "optimize_backup::sandbox",
];
/// Anybody can ask for levels of new loggers.
const MAX_CONFIGURED: usize = 100;
const MAX_NAME_BYTES: usize = 200;

impl Loggers {
    pub(super) fn new(
        levels: Levels,
        dropped_lines: Arc<AtomicU64>,
        apply: impl Fn(&Levels) + Send + Sync + 'static,
    ) -> Self {
        Self { of_settings: levels.root, levels: Mutex::new(levels), apply: Box::new(apply), dropped_lines }
    }

    /// How many lines were left out of the log since the start, because nobody took them.
    pub fn dropped_lines(&self) -> u64 {
        self.dropped_lines.load(Ordering::Relaxed)
    }

    /// Loggers whose levels nobody obeys, as in a process without this log.
    pub fn unattached(setting: &str) -> Result<Self, InvalidLevels> {
        Ok(Self::new(Levels::parse(setting)?, Arc::default(), |_| {}))
    }

    /// The known loggers and those that have a level of their own.
    pub fn all(&self) -> BTreeMap<String, LoggerLevels> {
        let levels = self.lock();
        let configured = levels.configured.keys().map(String::as_str);
        let names = [ROOT].into_iter().chain(KNOWN).chain(configured);
        names.map(|name| (name.to_owned(), of(&levels, name))).collect()
    }

    /// One of them. `None`: it is not one of [`Loggers::all`].
    pub fn get(&self, name: &str) -> Option<LoggerLevels> {
        let levels = self.lock();
        let is_listed = name == ROOT || KNOWN.contains(&name) || levels.configured.contains_key(name);
        is_listed.then(|| of(&levels, name))
    }

    /// Gives a logger a level of its own, or takes it away; of the root: sets the one of the settings again. `None`: it
    /// cannot be a logger's name, or there are too many.
    pub fn set(&self, name: &str, level: Option<LogLevel>) -> Option<()> {
        let mut levels = self.lock();
        if name == ROOT {
            levels.root = level.unwrap_or(self.of_settings);
        } else if let Some(level) = level {
            let has_room = levels.configured.len() < MAX_CONFIGURED || levels.configured.contains_key(name);
            if !is_name(name) || !has_room {
                return None;
            }
            levels.configured.insert(name.to_owned(), level);
        } else {
            levels.configured.remove(name);
        }
        (self.apply)(&levels);
        Some(())
    }

    fn lock(&self) -> MutexGuard<'_, Levels> {
        // Each change is one statement.
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn of(levels: &Levels, name: &str) -> LoggerLevels {
    if name == ROOT {
        return LoggerLevels { configured: Some(levels.root), effective: levels.root };
    }
    LoggerLevels { configured: levels.configured.get(name).copied(), effective: levels.effective(name) }
}

fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '-' | '.');
    !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_inherited_until_there_is_one_and_after_it_is_taken_away() {
        let loggers = Loggers::unattached("warn").unwrap();
        let http = || loggers.get("optimize_backup::http").unwrap();
        loggers.set("optimize_backup", Some(LogLevel::Debug)).unwrap();
        assert_eq!(http(), LoggerLevels { configured: None, effective: LogLevel::Debug });
        loggers.set("optimize_backup", None).unwrap();
        loggers.set(ROOT, Some(LogLevel::Trace)).unwrap();
        assert_eq!(http().effective, LogLevel::Trace);
        loggers.set(ROOT, None).unwrap();
        assert_eq!(http().effective, LogLevel::Warn, "the level of the settings");
    }

    #[test]
    fn others_are_listed_once_they_have_a_level_and_are_not_without_end() {
        let loggers = Loggers::unattached("info").unwrap();
        assert_eq!(loggers.get("hyper"), None);
        for number in 0..=MAX_CONFIGURED {
            assert_eq!(loggers.set(&format!("hyper{number}"), Some(LogLevel::Off)).is_some(), number < MAX_CONFIGURED);
        }
        assert!(loggers.all().contains_key("hyper0"));
        for name in ["", "a b", "a\n", &"x".repeat(201)] {
            assert_eq!(Loggers::unattached("info").unwrap().set(name, Some(LogLevel::Off)), None, "{name:?}");
        }
    }
}
