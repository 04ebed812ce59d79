use super::*;

#[test]
fn reads_the_time_of_the_one_node() {
    let body = r#"{"nodes":{"Omaf5a0bTHG8ntIHTLgD7Q":{"timestamp":1795787572225}}}"#;
    assert_eq!(EngineClock::read(body), Some(Timestamp(1_795_787_572_225)));
    for other in ["{}", r#"{"nodes":{}}"#, r#"{"nodes":{"a":{}}}"#, "<html>", r#"{"nodes":{"a":{"timestamp":"1"}}}"#] {
        assert_eq!(EngineClock::read(other), None, "{other}");
    }
}

#[test]
fn tells_which_clock_is_ahead() {
    let (early, late) = (Timestamp(1_000_000), Timestamp(1_061_000));
    let ahead = ClockDifference::between(late, early);
    assert!(ahead.is_large());
    assert_eq!(ahead.to_string(), "this server's clock is 61 s ahead of the search engine's");
    assert_eq!(
        ClockDifference::between(early, late).to_string(),
        "this server's clock is 61 s behind the search engine's"
    );
    assert!(!ClockDifference::between(Timestamp(1_060_000), early).is_large());
}
