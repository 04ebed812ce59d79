use backup_actuator::ProgressView;

use super::super::words::tests::figures;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_line_for_each_step_and_for_each_state_and_no_flood() {
    let mut lines = Lines::default();
    let mut printed = Vec::new();
    for permille in 0..1000_u32 {
        let figures = figures(f64::from(permille) / 10.0);
        printed.extend(lines.next(&Status::Figures(figures), Instant::now()).map(str::to_owned));
    }
    assert_eq!(printed.len(), 20, "{printed:?}");
    assert!(printed[1].starts_with("5.0 %, "), "{}", printed[1]);
    let mut ended = figures(99.9);
    ended.parts[1].state = "SUCCESS".into();
    assert!(lines.next(&Status::Figures(ended), Instant::now()).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_is_slow_tells_something_every_half_minute() {
    let mut lines = Lines::default();
    let mut printed = 0;
    for second in 0..600_u64 {
        let figures = ProgressView { remaining_seconds: Some(100_000 - 3600 * second / 60), ..figures(1.0) };
        printed += usize::from(lines.next(&Status::Figures(figures), Instant::now()).is_some());
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert!((10..=20).contains(&printed), "{printed}");
}

#[tokio::test(start_paused = true)]
async fn words_are_told_once() {
    let mut lines = Lines::default();
    let words = |text: &str| Status::Words(text.to_owned());
    let told: Vec<bool> = ["part 1", "part 1", "still waiting", "part 1"]
        .map(|text| lines.next(&words(text), Instant::now()).is_some())
        .to_vec();
    assert_eq!(told, [true, false, true, true]);
    tokio::time::advance(10 * INTERVAL).await;
    assert!(lines.next(&words("part 1"), Instant::now()).is_none(), "nothing is new");
}
