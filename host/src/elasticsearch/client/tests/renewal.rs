use std::fs;

use tempfile::tempdir;

use super::*;

fn authorization(request: &str) -> &str {
    request.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap()
}

#[tokio::test]
async fn another_api_key_in_the_file_is_used_at_once_when_the_old_one_is_refused() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, "b2xk\n").unwrap();
    let mut server = Server::start(http_answer("401 Unauthorized", "{}")).await;
    let client = Client::new(
        Connection {
            authentication: Authentication::ApiKey(ApiKey::parse("b2xk").unwrap()),
            secret_files: SecretFiles { api_key: Some(file.clone()), ..SecretFiles::default() },
            ..connection(vec![server.node.clone()])
        },
        limits(),
    )
    .unwrap();
    let mut sent = async || {
        let answer = client.send(&get_nodes(), LONG).await.unwrap();
        assert_eq!(answer.status, 401);
        let mut sent = Vec::new();
        while !server.is_untouched() {
            sent.push(authorization(&server.request().await).to_owned());
        }
        sent
    };
    assert_eq!(sent().await, ["ApiKey b2xk"], "the file is as before");
    fs::write(&file, "bmV3\n").unwrap();
    assert_eq!(sent().await, ["ApiKey b2xk", "ApiKey bmV3"]);
    fs::write(&file, "").unwrap();
    assert_eq!(sent().await, ["ApiKey bmV3"], "an empty file changes nothing");
}

#[tokio::test]
async fn what_a_request_is_for_goes_to_the_search_engine() {
    let mut server = Server::start(http_answer("200 OK", "{}")).await;
    let client = client(&server);
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("x-request-id", "7-of-9"), ("traceparent", trace)];
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
    let correlation = correlation::Correlation::of_request(&HeaderMap::from_iter(headers));
    correlation.scope(client.send(&get_nodes(), LONG)).await.unwrap();
    let sent = server.request().await;
    for header in ["x-opaque-id: 7-of-9", &format!("traceparent: {trace}")] {
        assert!(sent.contains(&format!("\r\n{header}\r\n")), "{sent}");
    }
    client.send(&get_nodes(), LONG).await.unwrap();
    assert!(!server.request().await.contains("x-opaque-id"));
}
