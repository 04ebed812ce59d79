use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn schedule(cron: &str, zone: &str) -> Schedule {
    Schedule { cron: Cron::parse(cron).unwrap(), time_zone: TimeZone::get(zone).unwrap() }
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The slots after one moment and up to another, as the clock on the wall shows them.
fn slots(cron: &str, zone: &str, after: &str, until: &str) -> Vec<String> {
    let schedule = schedule(cron, zone);
    let shown = |slot: Timestamp| schedule.time_zone.to_datetime(slot).strftime("%d %H:%M").to_string();
    schedule.between(moment(after), moment(until)).map(shown).collect()
}

#[test]
fn a_minute_that_there_is_not_is_due_at_the_next_one_that_there_is() {
    let slots = |cron: &str| slots(cron, "Europe/Berlin", "2027-03-27T12:00Z", "2027-03-29T12:00Z");
    assert_eq!(slots("30 2 * * *"), ["28 03:00", "29 02:30"]);
    assert_eq!(slots("*/20 2,3 28 * *"), ["28 03:00", "28 03:20", "28 03:40"], "what becomes one moment is one slot");
    assert_eq!(slots("0 3 * * *"), ["28 03:00", "29 03:00"]);
}

#[test]
fn a_minute_that_there_is_twice_is_due_the_first_time() {
    let slots = |cron: &str| slots(cron, "Europe/Berlin", "2027-10-30T12:00Z", "2027-10-31T12:00Z");
    assert_eq!(slots("30 2 * * *"), ["31 02:30"]);
    assert_eq!(slots("30 1,2,3 31 * *"), ["31 01:30", "31 02:30", "31 03:30"]);
    let schedule = schedule("30 2 * * *", "Europe/Berlin");
    assert_eq!(schedule.next_after(moment("2027-10-30T12:00Z")), Some(moment("2027-10-31T00:30Z")));
    assert_eq!(schedule.last_until(moment("2027-10-31T01:30Z")), Some(moment("2027-10-31T00:30Z")));
}

#[test]
fn zones_change_by_half_an_hour_at_midnight_and_by_a_whole_day() {
    let lord_howe = slots("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T00:00Z", "2026-10-05T00:00Z");
    assert_eq!(lord_howe, ["03 02:15", "04 02:30", "05 02:15"]);
    let beirut = slots("@daily", "Asia/Beirut", "2027-03-26T12:00Z", "2027-03-28T23:00Z");
    assert_eq!(beirut, ["27 00:00", "28 01:00", "29 00:00"]);
    let samoa = slots("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00Z", "2011-12-31T12:00Z");
    assert_eq!(samoa, ["29 12:00", "31 00:00", "31 12:00"], "30 December 2011 was left out");
}

#[test]
fn a_slot_is_after_the_moment_or_at_it() {
    let schedule = schedule("0 3 * * *", "UTC");
    let slot = moment("2026-11-27T03:00Z");
    assert_eq!(schedule.next_after(slot), Some(moment("2026-11-28T03:00Z")));
    assert_eq!(schedule.last_until(slot), Some(slot));
    assert_eq!(schedule.last_until(moment("2026-11-27T02:59:59Z")), Some(moment("2026-11-26T03:00Z")));
}

#[test]
fn the_rarest_day_comes() {
    let rarest = schedule("0 0 29 2 *", "UTC");
    assert_eq!(rarest.next_after(moment("2096-03-01T00:00Z")), Some(moment("2104-02-29T00:00Z")));
    assert_eq!(rarest.last_until(moment("2104-02-28T00:00Z")), Some(moment("2096-02-29T00:00Z")));
}

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Beirut",
    "Africa/Casablanca",
    "Asia/Kathmandu",
];

/// Two days before one of the next changes of a zone's clock, or any day if there is none.
fn before_a_change(time_zone: &TimeZone, n: usize) -> Timestamp {
    let begin = moment("2020-01-01T00:00Z");
    let change = time_zone.following(begin).nth(n).map(|change| change.timestamp());
    let from = change.unwrap_or(begin + 72.hours()) - 48.hours();
    // Files of time zones can end with a change that is none, in the last second of 32 bits.
    from - (from.as_second() % 60).seconds()
}

fn any_field(max: u8) -> impl Strategy<Value = String> {
    prop_oneof![
        Just("*".to_owned()),
        (1..=max).prop_map(|number| number.to_string()),
        (1..=max).prop_map(|step| format!("*/{step}")),
        (1..=max, 1..=max).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
        (1..=max, 1..=max).prop_map(|(a, b)| format!("{a},{b}")),
    ]
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let fields = (any_field(59), any_field(23), any_field(28), any_field(12), any_field(6));
    (fields, prop::sample::select(ZONES.to_vec())).prop_map(|((minute, hour, day, month, weekday), zone)| {
        schedule(&format!("{minute} {hour} {day} {month} {weekday}"), zone)
    })
}

/// What a minute of the calendar asks for, found by looking at each minute of a day that there is.
fn by_every_minute(schedule: &Schedule, from: Timestamp, days: i64) -> Vec<Timestamp> {
    let minutes = (0..days * 24 * 60).map(|minute| from + minute.minutes());
    let dates = schedule.day_of(from).series(1.day()).take(usize::try_from(days).unwrap() + 2);
    let calendar: BTreeSet<DateTime> = dates.flat_map(|date| schedule.cron.on(date)).collect();
    let mut due = Vec::new();
    let mut shown_before: Option<DateTime> = None;
    for moment in minutes {
        let shown = schedule.time_zone.to_datetime(moment);
        let is_due = |minute: DateTime| calendar.contains(&minute);
        let (mut left_out, mut is_repeated) = (Vec::new(), false);
        if let Some(before) = shown_before {
            left_out = before.series(1.minute()).skip(1).take_while(|minute| *minute < shown).collect();
            // The clock has shown it already.
            is_repeated = shown <= before;
        }
        if !is_repeated && (is_due(shown) || left_out.into_iter().any(is_due)) {
            due.push(moment);
        }
        shown_before = Some(shown_before.map_or(shown, |before| before.max(shown)));
    }
    due
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_minute_of_the_clock_on_the_wall_is_due_once(schedule in any_schedule(), change in 0_usize..20) {
        let from = before_a_change(&schedule.time_zone, change);
        let until = from + (24 * 4).hours();
        let found: Vec<Timestamp> = schedule.between(from, until).filter(|&slot| slot < until).collect();
        let expected = by_every_minute(&schedule, from, 4);
        // What the clock showed before the first minute is not known there.
        let is_sure = |slot: &Timestamp| *slot > from + 24.hours();
        prop_assert_eq!(
            found.into_iter().filter(is_sure).collect::<Vec<_>>(),
            expected.into_iter().filter(is_sure).collect::<Vec<_>>()
        );
    }

    #[test]
    fn forwards_and_backwards_over_years_the_slots_are_the_same(schedule in any_schedule(), day in 0_i64..3650) {
        let from = moment("2020-01-01T00:00Z") + (24 * day).hours();
        let slots: Vec<Timestamp> = schedule.between(from, from + (24 * 800).hours()).take(500).collect();
        prop_assert!(slots.is_sorted_by(|one, next| one < next));
        for pair in slots.windows(2) {
            prop_assert_eq!(schedule.last_until(pair[1] - 1.second()), Some(pair[0]));
            prop_assert_eq!(schedule.last_until(pair[1]), Some(pair[1]));
        }
    }
}
