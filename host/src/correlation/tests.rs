use super::*;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::try_from(*value).unwrap());
    }
    headers
}

#[test]
fn a_callers_id_is_taken_if_it_can_stand_in_a_log() {
    let longest = "x".repeat(128);
    for id in ["7", "b3d0a2e4-1", "a/b:c=d\"{}", &longest] {
        assert_eq!(Correlation::of_request(&headers(&[(REQUEST_ID, id)])).id(), id);
    }
    for id in ["", "two words", "tab\there", &"x".repeat(129)] {
        let made = Correlation::of_request(&headers(&[(REQUEST_ID, id)]));
        assert!(Uuid::parse_str(made.id()).is_ok(), "{id:?}: {made:?}");
    }
    let twice = Correlation::of_request(&headers(&[(REQUEST_ID, "a"), (REQUEST_ID, "b")]));
    assert!(Uuid::parse_str(twice.id()).is_ok(), "{twice:?}");
    let bytes =
        HeaderMap::from_iter([(http::HeaderName::from_static(REQUEST_ID), HeaderValue::from_bytes(b"\xff").unwrap())]);
    assert!(Uuid::parse_str(Correlation::of_request(&bytes).id()).is_ok());
}

#[test]
fn a_trace_is_passed_on_if_it_is_one() {
    let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (text, is_passed) in [
        (valid, true),
        (&valid.replacen("00", "cc", 1), true),
        (&valid.replacen("00", "ff", 1), false),
        (&valid.to_uppercase(), false),
        (&valid[1..], false),
        (&format!("{valid}-more"), false),
        ("00-00000000000000000000000000000000-b7ad6b7169203331-01", false),
        ("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false),
        ("", false),
    ] {
        let correlation = Correlation::of_request(&headers(&[(REQUEST_ID, "7"), (TRACEPARENT, text)]));
        let sent: Vec<_> =
            correlation.headers().map(|(name, value)| (name, value.to_str().unwrap().to_owned())).collect();
        let mut expected = vec![(OPAQUE_ID, "7".to_owned())];
        expected.extend(is_passed.then(|| (TRACEPARENT, text.to_owned())));
        assert_eq!(sent, expected, "{text}");
    }
}

#[tokio::test]
async fn a_task_has_what_it_inherits() {
    assert_eq!(current(), None);
    let run = Correlation::of_work("run");
    let (inherited, alone) = run
        .clone()
        .scope(async { (tokio::spawn(inherit(async { current() })).await, tokio::spawn(async { current() }).await) })
        .await;
    assert_eq!((inherited.unwrap(), alone.unwrap()), (Some(run), None));
}
