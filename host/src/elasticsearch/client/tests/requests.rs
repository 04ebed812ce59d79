use super::*;

#[tokio::test]
async fn a_request_is_encoded_and_introduces_itself() {
    let mut server = Server::start(http_answer("200 OK", "{}")).await;
    let connection = Connection { path_prefix: "/elastic/".to_owned(), ..connection(vec![server.node.clone()]) };
    let client = Client::new(connection, limits()).unwrap();
    let put = Request {
        query: vec![("wait_for_completion".into(), "false".into()), ("master_timeout".into(), "1&m?#".into())],
        body: Some(r#"{"indices":["optimize-a"],"include_global_state":false}"#.into()),
        ..request(Method::Put, &["_snapshot", "backups", "camunda_optimize_1_8.7.0+b"])
    };

    client.send(&granted(put), LONG).await.unwrap();

    let sent = server.request().await;
    let first = "PUT /elastic/_snapshot/backups/camunda_optimize_1_8.7.0%2Bb?wait_for_completion=false&master_timeout=1%26m%3F%23 HTTP/1.1\r\n";
    assert!(sent.starts_with(first), "{sent}");
    assert!(sent.contains("\r\naccept: application/json\r\n"), "{sent}");
    assert!(sent.contains("\r\ncontent-type: application/json\r\n"), "{sent}");
    assert!(sent.contains("\r\nuser-agent: optimize-backup/"), "{sent}");
    assert!(sent.ends_with("\r\n\r\n{\"indices\":[\"optimize-a\"],\"include_global_state\":false}"), "{sent}");
}

#[tokio::test]
async fn patterns_and_lists_stay_readable() {
    let mut server = Server::start(http_answer("200 OK", "{}")).await;
    let list = request(Method::Get, &["_snapshot", "backups", "camunda_optimize_1_*,camunda_optimize_2"]);

    client(&server).send(&granted(list), LONG).await.unwrap();

    let sent = server.request().await;
    assert!(sent.starts_with("GET /_snapshot/backups/camunda_optimize_1_*,camunda_optimize_2 HTTP/1.1\r\n"), "{sent}");
    assert!(!sent.contains("content-type"), "{sent}");
}

#[tokio::test]
async fn any_repository_name_stays_one_segment() {
    let mut server = Server::start(http_answer("200 OK", "{}")).await;
    let repository = RepositoryName::parse("büro;a=b&c@d:e+%".trim_end_matches('%')).unwrap();
    let grants = Grants::new(Some(repository.clone()), IndexPrefix::parse("optimize").unwrap());
    let read = grants.check(request(Method::Get, &["_snapshot", repository.as_str()]), Scope::Read).unwrap();

    client(&server).send(&read, LONG).await.unwrap();

    let sent = server.request().await;
    assert!(sent.starts_with("GET /_snapshot/b%C3%BCro%3Ba%3Db%26c%40d%3Ae%2B HTTP/1.1\r\n"), "{sent}");
}

#[tokio::test]
async fn credentials_are_sent() {
    let basic =
        Authentication::Basic { username: Username::parse("elastic").unwrap(), password: Secret::new("pässword:1") };
    for (authentication, expected) in [
        (basic, Some("Basic ZWxhc3RpYzpww6Rzc3dvcmQ6MQ==")),
        (Authentication::ApiKey(ApiKey::parse("aWQ6a2V5").unwrap()), Some("ApiKey aWQ6a2V5")),
        (Authentication::None, None),
    ] {
        let mut server = Server::start(http_answer("200 OK", "{}")).await;
        let connection = Connection { authentication, ..connection(vec![server.node.clone()]) };
        Client::new(connection, limits()).unwrap().send(&get_nodes(), LONG).await.unwrap();
        let sent = server.request().await;
        let header = sent.lines().find_map(|line| line.strip_prefix("authorization: "));
        assert_eq!(header, expected);
    }
}

#[test]
fn credentials_are_not_shown() {
    let basic =
        Authentication::Basic { username: Username::parse("elastic").unwrap(), password: Secret::new("hunter2") };
    for authentication in [basic, Authentication::ApiKey(ApiKey::parse("hunter2").unwrap())] {
        let shown = format!("{:?}", Connection { authentication, ..connection(Vec::new()) });
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
