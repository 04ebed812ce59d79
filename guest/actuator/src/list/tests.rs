use super::*;

fn id(number: u64) -> BackupId {
    BackupId::new(number).unwrap()
}

#[test]
fn without_parameters_the_list_is_complete() {
    for query in [None, Some(""), Some("&"), Some("verbose=true"), Some("pattern=*")] {
        assert_eq!(list_query(query), Ok(ListQuery::default()), "{query:?}");
    }
}

#[test]
fn each_parameter_is_read_however_it_is_encoded() {
    let expected = ListQuery {
        pattern: IdPattern::StartsWith(id(2026)),
        before: Some(id(20_261_123)),
        limit: PageLimit::new(100),
        verbose: false,
    };
    for query in [
        "pattern=2026*&before=20261123&limit=100&verbose=false",
        "verbose=false&limit=100&pattern=2026%2A&bef%6Fre=20261123",
    ] {
        assert_eq!(list_query(Some(query)), Ok(expected), "{query}");
    }
}

#[test]
fn whatever_makes_no_sense_is_refused_and_named() {
    for (query, named) in [
        ("patern=2026*", "'patern'"),
        ("limit", "''"),
        ("limit=0", "'0'"),
        ("limit=1001", "1 to 1000"),
        ("limit=-1", "'-1'"),
        ("limit=1&limit=1", "twice"),
        ("pattern=", "the backup id is empty"),
        ("pattern=20*26", "'20*26'"),
        ("pattern=nightly", "'nightly'"),
        ("pattern=%ff", "pattern"),
        ("before=0", "before"),
        ("before=7*", "before"),
        ("verbose=", "verbose"),
        ("verbose=no", "verbose"),
        ("Verbose=false", "'Verbose'"),
        ("a%0Ab=1", "'a\\nb'"),
    ] {
        let error = list_query(Some(query)).unwrap_err();
        assert_eq!(error.classify().1, "invalidParameter", "{query}");
        assert!(error.to_string().contains(named), "{query}: {error}");
    }
    let error = list_query(Some(&format!("{}=1", "x".repeat(10_000)))).unwrap_err();
    assert!(error.to_string().len() < 1_000);
}

#[test]
fn the_link_repeats_the_parameters_and_is_read_as_they_are() {
    for (query, expected) in [
        ("limit=2", "limit=2&before=7"),
        ("before=9&limit=2", "limit=2&before=7"),
        ("limit=2&verbose=false&pattern=20*", "pattern=20*&limit=2&before=7&verbose=false"),
    ] {
        let query = list_query(Some(query)).unwrap();
        assert_eq!(next_link(&query, Some(7)), Some(format!("<?{expected}>; rel=\"next\"")));
        assert_eq!(list_query(Some(expected)), Ok(ListQuery { before: Some(id(7)), ..query }));
        assert_eq!(next_link(&query, None), None);
    }
}
