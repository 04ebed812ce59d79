use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_delay_doubles_up_to_the_greatest() {
    let delays: Vec<Duration> = Backoff::new(SECOND, SECOND * 5, || 0.0).take(5).collect();
    assert_eq!(delays, [SECOND, SECOND * 2, SECOND * 4, SECOND * 5, SECOND * 5]);
}

#[test]
fn jitter_makes_a_delay_at_most_twice_as_long() {
    let delays: Vec<Duration> = Backoff::new(SECOND, SECOND * 3, || 1.0).take(3).collect();
    assert_eq!(delays, [SECOND * 2, SECOND * 4, SECOND * 6]);
}

#[test]
fn the_pace_of_a_run_slows_down_until_a_step_goes_well() {
    let mut pacer = RunPacer::new(|| 0.0);
    assert_eq!(pacer.after_failure(), SECOND / 2);
    assert_eq!(pacer.after_refusal(SECOND / 10), SECOND);
    assert_eq!(pacer.after_refusal(SECOND * 7), SECOND * 7);
    assert_eq!((0..4).map(|_| pacer.after_failure()).last(), Some(SECOND * 15));
    assert_eq!(pacer.after_progress(SECOND / 5), SECOND / 5);
    assert_eq!(pacer.after_failure(), SECOND / 2);
}
