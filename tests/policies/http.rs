//! `/actuator/policy`.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use optimize_backup::policy::Digest;
use optimize_backup::sandbox::EMBEDDED;
use serde_json::{Value, json};

use crate::fixtures::{self, LATER};
use crate::house::{House, LARGEST, Plan, TOKEN};

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
    let house = House::new();
    house.expect_service().await;
    let (status, body) = house.call("GET", "/actuator/policy").await;
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
    let house = House::new();
    let (status, body) = house.upload("/actuator/policy", &LATER).await;
    assert_eq!((status, &body["version"]), (StatusCode::OK, &json!("7.0.0")), "{body}");
    house.expect_service().await;
    let (_, body) = house.call("GET", "/actuator/policy").await;
    assert_eq!(body["lastCandidate"]["admitted"], json!(true));
    let steps: Vec<&Value> = body["lastCandidate"]["steps"].as_array().unwrap().iter().map(|it| &it["step"]).collect();
    assert_eq!(steps, ["size", "format", "signature", "interface", "lineage", "compilation", "self-test"]);
    // Sent again, as after an answer that got lost, it does not take the place of the one before it.
    assert_eq!(house.upload("/actuator/policy", &LATER).await.0, StatusCode::OK);
    let back = Request::post("/actuator/policy/rollback").header("authorization", format!("bearer {TOKEN}"));
    let (status, body) = house.send(back.body(Body::empty()).unwrap()).await;
    assert_eq!((status, &body["generation"]), (StatusCode::OK, &json!(4)));
    assert_eq!(body["source"], json!("return of generation 1: an operator asked for it"));
}

#[tokio::test]
async fn a_refused_upload_changes_nothing_and_says_why() {
    let house = House::new();
    let (status, body) = house.upload("/actuator/policy", b"no component").await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("policyRefused")));
    let (status, body) = house.upload("/actuator/policy", &vec![0; LARGEST + 1]).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("policyTooLarge")));
    house.upload("/actuator/policy", &LATER).await;
    let older = fixtures::embedded_as("6.0.0");
    let (status, body) = house.upload("/actuator/policy", &older).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::CONFLICT, &json!("policySuperseded")));
    let (status, _) = house.upload("/actuator/policy?force=true", &older).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn nobody_replaces_the_policy_without_the_token() {
    let house = House::new();
    let no_token = House::build(Plan { no_token: true, ..Plan::default() });
    for authorization in
        [None, Some("Bearer"), Some("Bearer "), Some("Bearer open-sesame"), Some("Basic open-sesame-open-sesame")]
    {
        let (status, body) = house.send(put("/actuator/policy", authorization, &LATER)).await;
        assert_eq!((status, &body["errorCode"]), (StatusCode::UNAUTHORIZED, &json!("unauthorized")));
    }
    let (status, body) = no_token.upload("/actuator/policy", &LATER).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::FORBIDDEN, &json!("policyUpdatesOff")));
    for house in [house, no_token] {
        assert_eq!(house.call("POST", "/actuator/policy/rollback").await.0.as_u16() / 100, 4);
        assert_eq!(house.policies().serving().number, 1);
        house.expect_service().await;
    }
}

#[tokio::test]
async fn there_is_nothing_before_the_first() {
    let house = House::new();
    let back = Request::post("/actuator/policy/rollback").header("authorization", format!("Bearer {TOKEN}"));
    let (status, body) = house.send(back.body(Body::empty()).unwrap()).await;
    assert_eq!((status, &body["errorCode"]), (StatusCode::CONFLICT, &json!("noPreviousPolicy")));
}

#[tokio::test]
async fn a_parameter_that_is_misspelt_is_not_ignored() {
    let house = House::new();
    let wrong = ["?force=maybe", "?force", "?forced=true", "?force=true&x=1", "?shadow=10m", "/shadow", "/shadow?for="]
        .into_iter()
        .chain(["/shadow?for=soon", "/shadow?for=10", "/shadow?for=0s", "/shadow?for=-5m", "/shadow?for=24h%201s"]);
    for query in wrong {
        let (status, body) = house.upload(&format!("/actuator/policy{query}"), &LATER).await;
        assert_eq!((status, &body["errorCode"]), (StatusCode::BAD_REQUEST, &json!("invalidParameter")), "{query}");
        let message = body["errorMessage"].as_str().unwrap();
        assert!(message.contains("allowed are force=true or false, for a shadow for="), "{message}");
    }
    // Parameters are right, and the body is looked at, if the time is one.
    for query in ["for=24h", "for=1h%2030m", "for=1h+30m&force=false", "for=PT10M"] {
        let (status, body) = house.upload(&format!("/actuator/policy/shadow?{query}"), b"no component").await;
        assert_eq!(
            (status, &body["errorCode"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("policyRefused")),
            "{query}"
        );
    }
    assert_eq!(house.policies().serving().number, 1);
}
