use super::*;

#[test]
fn a_repository_is_one_repository() {
    assert!(RepositoryName::parse("camunda backups").is_err());
    for text in ["", "*", "_all", "a,b", "a*", "a/b", "..", "a%2fb", "-a", "a\r\nb"] {
        assert!(RepositoryName::parse(text).is_err(), "{text:?}");
    }
    assert_eq!(RepositoryName::parse("my-Repo.1").unwrap().as_str(), "my-Repo.1");
}

#[test]
fn a_prefix_reaches_no_other_index() {
    for text in ["", "*", "opti*", "_all", "-a", ".security", "a,b", "Optimize", "a/b", "<a>", &"a".repeat(201)] {
        assert!(IndexPrefix::parse(text).is_err(), "{text:?}");
    }
    let prefix = IndexPrefix::parse("optimize").unwrap();
    assert_eq!(prefix.strip("optimize-alert_v4"), Some("alert_v4"));
    assert_eq!(prefix.strip("optimizer-alert_v4"), None);
}
