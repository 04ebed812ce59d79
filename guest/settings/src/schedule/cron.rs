//! A cron expression: on which days, and at which minutes of a day.

use std::fmt;
use std::ops::RangeInclusive;

use jiff::civil::{Date, DateTime, Weekday};

/// When something is to be done, by the calendar and the clock on the wall: `30 3 * * *`, `@daily`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: Set,
    hours: Set,
    days: Set,
    months: Set,
    /// 0 is Sunday.
    weekdays: Set,
}

/// Why a text is no cron expression.
#[allow(missing_docs, reason = "each case is explained by its message")]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCron {
    #[error(
        "'{0}' is not a cron expression: use five fields (minute, hour, day of the month, month, day of the week) such as '30 3 * * *', or one of {names}", names = MACROS.map(|(name, _)| name).join(", ")
    )]
    Form(String),
    #[error(
        "'{found}' is not the {field} of a cron expression: use {from} to {to}{names}, as in 1, 1-5, 1,3, * or */2",
        from = .field.allowed().start(), to = .field.allowed().end(), names = .field.examples()
    )]
    Field { field: Field, found: String },
    #[error("'{0}' means a day that no year has")]
    Never(String),
}

const MACROS: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

impl Cron {
    /// Reads an expression. A day is meant by either of its two fields if neither is `*`. `*/2` is not `*`: as in Kubernetes,
    /// and other than in Vixie's cron, to which a field that begins with a star is one.
    ///
    /// # Errors
    /// If it has another form, or never comes.
    pub fn parse(text: &str) -> Result<Self, InvalidCron> {
        let text = text.trim();
        let expanded =
            MACROS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map_or(text, |(_, fields)| fields);
        let fields: Vec<&str> = expanded.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(InvalidCron::Form(text.to_owned()));
        };
        let cron = Self {
            text: text.to_owned(),
            minutes: Field::Minute.parse(minutes)?,
            hours: Field::Hour.parse(hours)?,
            days: Field::Day.parse(days)?,
            months: Field::Month.parse(months)?,
            weekdays: Field::Weekday.parse(weekdays)?.with_both_sundays(),
        };
        if cron.comes() { Ok(cron) } else { Err(InvalidCron::Never(text.to_owned())) }
    }

    /// The minutes of a day at which it is due, in order.
    pub(super) fn on(&self, date: Date) -> impl DoubleEndedIterator<Item = DateTime> {
        let is_due = self.months.has(date.month()) && self.is_day(date);
        let hours = self.hours.members(if is_due { 0..=23 } else { EMPTY });
        hours.flat_map(move |hour| self.minutes.members(0..=59).map(move |minute| date.at(hour, minute, 0, 0)))
    }

    fn is_day(&self, date: Date) -> bool {
        let (by_day, by_weekday) = (self.days.has(date.day()), self.weekdays.has(number(date.weekday())));
        if self.days.is_all || self.weekdays.is_all { by_day && by_weekday } else { by_day || by_weekday }
    }

    /// Whether a month that is meant has a day that is meant.
    fn comes(&self) -> bool {
        const MAX_DAYS: [i8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let by_weekday = !self.weekdays.is_all;
        let is_in = |(month, days): (i8, i8)| self.months.has(month) && self.days.members(1..=days).next().is_some();
        by_weekday || (1..).zip(MAX_DAYS).any(is_in)
    }
}

#[allow(clippy::reversed_empty_ranges, reason = "it is to be empty")]
const EMPTY: RangeInclusive<i8> = 1..=0;

fn number(weekday: Weekday) -> i8 {
    weekday.to_sunday_zero_offset()
}

/// As it was written.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A set of numbers from 0 to 59.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Set {
    bits: u64,
    /// It was written as `*`.
    is_all: bool,
}

impl Set {
    fn has(self, number: i8) -> bool {
        self.bits & bit(number) != 0
    }

    fn members(self, among: RangeInclusive<i8>) -> impl DoubleEndedIterator<Item = i8> + Clone {
        among.filter(move |&number| self.has(number))
    }

    /// 7 is Sunday as well as 0.
    fn with_both_sundays(self) -> Self {
        Self { bits: if self.has(7) { self.bits | bit(0) } else { self.bits }, ..self }
    }
}

fn bit(number: i8) -> u64 {
    u32::try_from(number).ok().and_then(|number| 1_u64.checked_shl(number)).unwrap_or_default()
}

/// A field of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// 0 to 59.
    Minute,
    /// 0 to 23.
    Hour,
    /// Of the month, from 1 to 31.
    Day,
    /// 1 to 12, or its name.
    Month,
    /// 0 to 7, or its name.
    Weekday,
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl Field {
    fn allowed(self) -> RangeInclusive<i8> {
        match self {
            Self::Minute => 0..=59,
            Self::Hour => 0..=23,
            Self::Day => 1..=31,
            Self::Month => 1..=12,
            Self::Weekday => 0..=7,
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Month => &MONTHS,
            Self::Weekday => &WEEKDAYS,
            Self::Minute | Self::Hour | Self::Day => &[],
        }
    }

    fn examples(self) -> String {
        self.names()
            .first()
            .zip(self.names().last())
            .map_or_else(String::new, |(first, last)| format!(" or {first} to {last}"))
    }

    fn parse(self, text: &str) -> Result<Set, InvalidCron> {
        let invalid = || InvalidCron::Field { field: self, found: text.to_owned() };
        let mut set = Set { bits: 0, is_all: text == "*" };
        for item in text.split(',') {
            let (range, step) = self.item(item).ok_or_else(invalid)?;
            set.bits |= range.step_by(step).fold(0, |bits, number| bits | bit(number));
        }
        Ok(set)
    }

    /// `*`, `3`, `1-5`, and each with a step: `*/15`, `3/15` (from 3 on), `1-5/2`.
    fn item(self, text: &str) -> Option<(RangeInclusive<i8>, usize)> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(digits(step).filter(|&step| step > 0)?)),
            None => (text, None),
        };
        let (first, last) = match range.split_once('-') {
            None if range == "*" => self.allowed().into_inner(),
            None => {
                let only = self.number(range)?;
                (only, if step.is_some() { *self.allowed().end() } else { only })
            }
            Some((first, last)) => (self.number(first)?, self.number(last)?),
        };
        let step = step.and_then(|step| usize::try_from(step).ok()).unwrap_or(1);
        (first <= last).then_some((first..=last, step))
    }

    fn number(self, text: &str) -> Option<i8> {
        let named = self.names().iter().position(|name| name.eq_ignore_ascii_case(text));
        let number = match named {
            Some(position) => self.allowed().nth(position)?,
            None => digits(text)?,
        };
        self.allowed().contains(&number).then_some(number)
    }
}

fn digits(text: &str) -> Option<i8> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day of the month",
            Self::Month => "month",
            Self::Weekday => "day of the week",
        })
    }
}

#[cfg(test)]
mod tests;
