//! `/actuator/policy`.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use backup_test_hosts::{MAX_BYTES, Options, TOKEN, TestHost};
use optimize_backup::policy::Digest;
use optimize_backup::sandbox::EMBEDDED;
use serde_json::{Value, json};

use crate::fixtures::{self, LATER};
use crate::{options, test_host};

fn put(path: &str, token: Option<&str>, component: &[u8]) -> Request<Body> {
    let request = Request::put(path);
    let request = match token {
        Some(token) => request.header("authorization", token),
        None => request,
    };
    request.body(Body::from(component.to_vec())).unwrap()
}

#[tokio::test]
async fn shows_what_serves() {
    let host = test_host();
    host.expect_service().await;
    let (status, body) = host.call("GET", "/actuator/policy").await;
    assert_eq!(status, StatusCode::OK);
    let serving = &body["serving"];
    assert_eq!(serving["generation"], json!(1));
    assert_eq!(serving["digest"], json!(Digest::of(EMBEDDED).to_string()));
    assert_eq!(serving["name"], json!("optimize-backup-policy"));
    assert_eq!(serving["version"], json!(env!("CARGO_PKG_VERSION")));
    assert_eq!(serving["witVersion"], json!("1.0.0"));
    assert_eq!(serving["source"], json!("embedded"));
    assert_eq!((&serving["calls"], &serving["failures"]), (&json!(2), &json!(0)));
    assert_eq!((&body["previous"], &body["lastCandidate"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn an_upload_serves_once_it_is_admitted_and_can_be_taken_back() {
    let host = test_host();
    let (status, body) = host.upload("/actuator/policy", &LATER).await;
    assert_eq!((status, &body["version"]), (StatusCode::OK, &json!("7.0.0")), "{body}");
    host.expect_service().await;
    let (_, body) = host.call("GET", "/actuator/policy").await;
    assert_eq!(body["lastCandidate"]["admitted"], json!(true));
    let steps: Vec<&Value> = body["lastCandidate"]["steps"].as_array().unwrap().iter().map(|it| &it["step"]).collect();
    assert_eq!(steps, ["size", "format", "signature", "interface", "lineage", "compilation", "self-test"]);
    // The same upload again, as after a lost answer, does not become the previous policy.
    assert_eq!(host.upload("/actuator/policy", &LATER).await.0, StatusCode::OK);
    let back = Request::post("/actuator/policy/rollback").header("authorization", format!("bearer {TOKEN}"));
    let (status, body) = host.send(back.body(Body::empty()).unwrap()).await;
    assert_eq!((status, &body["generation"]), (StatusCode::OK, &json!(4)));
    assert_eq!(body["source"], json!("return of generation 1: an operator asked for it"));
}

#[tokio::test]
async fn a_refused_upload_changes_nothing_and_says_why() {
    let host = test_host();
    let (status, body) = host.upload("/actuator/policy", b"no component").await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("policyRefused")));
    let (status, body) = host.upload("/actuator/policy", &vec![0; MAX_BYTES + 1]).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("policyTooLarge")));
    host.upload("/actuator/policy", &LATER).await;
    let older = fixtures::embedded_as("6.0.0");
    let (status, body) = host.upload("/actuator/policy", &older).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::CONFLICT, &json!("policySuperseded")));
    let (status, _) = host.upload("/actuator/policy?force=true", &older).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_replaces_the_policy_without_the_token() {
    let host = test_host();
    let no_token = TestHost::new(Options { no_token: true, ..options() });
    for authorization in
        [None, Some("Bearer"), Some("Bearer "), Some("Bearer open-sesame"), Some("Basic open-sesame-open-sesame")]
    {
        let (status, body) = host.send(put("/actuator/policy", authorization, &LATER)).await;
        assert_eq!((status, &body["errorCode"]), (StatusCode::UNAUTHORIZED, &json!("unauthorized")));
    }
    let (status, body) = no_token.upload("/actuator/policy", &LATER).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::FORBIDDEN, &json!("operationNotEnabled")));
    for host in [host, no_token] {
        assert_eq!(host.call("POST", "/actuator/policy/rollback").await.0.as_u16() / 100, 4);
        assert_eq!(host.policies().serving().number, 1);
        host.expect_service().await;
    }
}

#[tokio::test]
async fn there_is_nothing_before_the_first() {
    let host = test_host();
    let back = Request::post("/actuator/policy/rollback").header("authorization", format!("Bearer {TOKEN}"));
    let (status, body) = host.send(back.body(Body::empty()).unwrap()).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::CONFLICT, &json!("noPreviousPolicy")));
}

#[tokio::test]
async fn a_parameter_that_is_misspelt_is_not_ignored() {
    let host = test_host();
    let wrong = ["?force=maybe", "?force", "?forced=true", "?force=true&x=1", "?shadow=10m", "/shadow", "/shadow?for="]
        .into_iter()
        .chain(["/shadow?for=soon", "/shadow?for=10", "/shadow?for=0s", "/shadow?for=-5m", "/shadow?for=24h%201s"]);
    for query in wrong {
        let (status, body) = host.upload(&format!("/actuator/policy{query}"), &LATER).await;
        assert_eq!((status, &body["errorCode"]), (StatusCode::BAD_REQUEST, &json!("invalidParameter")), "{query}");
        let message = body["errorMessage"].as_str().unwrap();
        assert!(message.contains("allowed are force=true or false, for a shadow for="), "{message}");
    }
    // With valid parameters the body is read, and refused.
    for query in ["for=24h", "for=1h%2030m", "for=1h+30m&force=false", "for=PT10M"] {
        let (status, body) = host.upload(&format!("/actuator/policy/shadow?{query}"), b"no component").await;
        assert_eq!(
            (status, &body["errorCode"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("policyRefused")),
            "{query}"
        );
    }
    assert_eq!(host.policies().serving().number, 1);
}
