use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::json::object;
use crate::{Context, Timestamp};

/// The engine's clock, by which the resume window is measured: the times of snapshots are its.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EngineClock {
    /// It was not asked, because nothing depended on it.
    #[default]
    NotAsked,
    /// The time on it.
    Shows(Timestamp),
    /// It is not known, for this reason: the host's clock has to do.
    NotKnown(String),
}

impl EngineClock {
    /// Clocks that differ by more are told.
    pub const MAX_DIFFERENCE: Duration = Duration::from_secs(60);

    /// Reads the response to [`Request::engine_clock`](crate::Request::engine_clock). `None`: it tells no time.
    #[must_use]
    pub fn read(body: &str) -> Option<Timestamp> {
        let nodes: NodeClocks = object(body).ok()?;
        nodes.nodes.into_values().next().map(|node| Timestamp(node.timestamp))
    }
}

/// How far two clocks are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockDifference {
    /// How far.
    pub span: Duration,
    /// The host's clock is the one that is ahead.
    pub host_is_ahead: bool,
}

impl ClockDifference {
    /// The difference between the host's clock and the engine's.
    #[must_use]
    pub fn between(host: Timestamp, engine: Timestamp) -> Self {
        Self { span: host.since(engine).max(engine.since(host)), host_is_ahead: host > engine }
    }

    /// By how many seconds the host's clock is ahead; below zero, it is behind.
    #[must_use]
    pub fn seconds_ahead(self) -> i64 {
        let seconds = i64::try_from(self.span.as_secs()).unwrap_or(i64::MAX);
        if self.host_is_ahead { seconds } else { -seconds }
    }

    /// Whether it is more than requests take.
    #[must_use]
    pub fn is_large(self) -> bool {
        self.span > EngineClock::MAX_DIFFERENCE
    }
}

/// As a part of a sentence.
impl std::fmt::Display for ClockDifference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let direction = if self.host_is_ahead { "ahead of" } else { "behind" };
        write!(f, "this server's clock is {} s {direction} the search engine's", self.span.as_secs())
    }
}

impl Context {
    /// The time by which the resume window is measured.
    pub(crate) fn window_clock(&self) -> Timestamp {
        match self.engine_clock {
            EngineClock::Shows(time) => time,
            EngineClock::NotAsked | EngineClock::NotKnown(_) => self.now,
        }
    }

    /// What an operator must know of the clocks where a time decided.
    pub(crate) fn clock_trouble(&self) -> Option<String> {
        match &self.engine_clock {
            EngineClock::NotAsked => None,
            EngineClock::Shows(time) => {
                let difference = ClockDifference::between(self.now, *time);
                difference.is_large().then(|| difference.to_string())
            }
            EngineClock::NotKnown(reason) => Some(format!(
                "measured by this server's clock, because the search engine did not tell its own ({reason}): make sure that both agree"
            )),
        }
    }
}

#[derive(Deserialize)]
struct NodeClocks {
    nodes: BTreeMap<String, NodeClock>,
}

#[derive(Deserialize)]
struct NodeClock {
    timestamp: u64,
}

#[cfg(test)]
mod tests;
