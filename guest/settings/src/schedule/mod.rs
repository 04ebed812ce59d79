//! When a backup is made by itself.

mod cron;

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

pub use cron::{Cron, InvalidCron};

use super::section::{Parsed, Section};
use super::values;

/// The moments at which a backup is due: its slots.
///
/// A minute that the time zone leaves out, when clocks go forward, is due at the next one that there is; a minute that
/// there is twice, when they go back, the first time. Minutes that so become one moment are one slot.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Which minutes of the clock on the wall.
    pub cron: Cron,
    /// Where that clock hangs.
    pub time_zone: TimeZone,
}

/// 29 February, on one day of the week, around a year that is no leap year, comes within so many days.
const MAX_DAYS: usize = 41 * 366;

impl Schedule {
    /// The first slot after a moment. `None`: beyond the end of the calendar.
    #[must_use]
    pub fn next_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let days = self.day_of(moment).yesterday().ok()?.series(1.day()).take(MAX_DAYS);
        days.flat_map(|date| self.on(date)).find(|&slot| slot > moment)
    }

    /// The last slot up to a moment, that moment included. `None`: before the beginning of the calendar.
    #[must_use]
    pub fn last_until(&self, moment: Timestamp) -> Option<Timestamp> {
        let days = self.day_of(moment).tomorrow().ok()?.series(-1.day()).take(MAX_DAYS);
        days.flat_map(|date| self.on(date).rev()).find(|&slot| slot <= moment)
    }

    /// All slots after one moment and up to another, in order.
    pub fn between(&self, after: Timestamp, until: Timestamp) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_after(after), |&slot| self.next_after(slot))
            .take_while(move |&slot| slot <= until)
    }

    fn day_of(&self, moment: Timestamp) -> Date {
        self.time_zone.to_datetime(moment).date()
    }

    fn on(&self, date: Date) -> impl DoubleEndedIterator<Item = Timestamp> {
        self.cron.on(date).filter_map(|minute| self.moment_of(minute))
    }

    fn moment_of(&self, minute: DateTime) -> Option<Timestamp> {
        let ambiguous = self.time_zone.to_ambiguous_timestamp(minute);
        let is_gap = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        let moment = ambiguous.earlier().ok()?;
        if is_gap { Some(self.time_zone.following(moment).next()?.timestamp()) } else { Some(moment) }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.cron, self.zone_name())
    }
}

impl Schedule {
    /// The time zone's name. That of the machine can have none.
    #[must_use]
    pub fn zone_name(&self) -> &str {
        self.time_zone.iana_name().unwrap_or("the machine's")
    }
}

/// Reads the block `backup.schedule`.
pub(super) fn read(block: &Section<'_>) -> Parsed<Option<Schedule>> {
    block.refuse_unknown();
    let (cron, time_zone) = (block.optional("cron", Cron::parse), block.optional("timeZone", values::time_zone));
    let time_zone = time_zone?.unwrap_or_else(TimeZone::system);
    Ok(cron?.map(|cron| Schedule { cron, time_zone }))
}

#[cfg(test)]
mod tests;
