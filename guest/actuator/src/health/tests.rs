use backup_core::{EngineInfo, EngineKind, IndexPrefix, RepositoryName, Response, TransportError};
use serde_json::{Value, json};

use super::*;

const MISSING: &str = r#"{"error":{"type":"repository_missing_exception","reason":"[backups] missing"},"status":404}"#;
const SECURITY: &str = r#"{"error":{"type":"security_exception","reason":"no"},"status":401}"#;

fn response(status: u16, body: impl ToString) -> Response {
    Response { status, retry_after: None, body: body.to_string() }
}

fn prefix() -> IndexPrefix {
    IndexPrefix::parse("optimize").unwrap()
}

fn probe(response: Result<&Response, TransportError>) -> Probe {
    let repository = RepositoryName::parse("backups").unwrap();
    Probe::read(EngineKind::Elasticsearch, Some(&repository), &prefix(), response)
}

fn registered(settings: &Value) -> Probe {
    probe(Ok(&response(200, json!({"backups": {"type": "fs", "settings": settings}}))))
}

fn statuses(probe: &Probe) -> [HealthStatus; 3] {
    probe.statuses().map(|(_, status)| status)
}

#[test]
fn each_answer_makes_the_component_down_that_is_to_blame() {
    use HealthStatus::{Down, Unknown, Up};
    for (status, body, expected, text) in [
        (200, "<html>Welcome</html>", [Down, Unknown, Unknown], "without a proxy that answers in its place"),
        (404, "<html>Not Found</html>", [Down, Unknown, Unknown], "Not Found"),
        (401, SECURITY, [Down, Unknown, Unknown], "does not accept the credentials"),
        (403, SECURITY, [Up, Down, Unknown], "create_snapshot"),
        (404, MISSING, [Up, Down, Unknown], "register it there"),
        (503, "<html></html>", [Down, Unknown, Unknown], "too busy"),
    ] {
        let probe = probe(Ok(&response(status, body)));
        assert_eq!(statuses(&probe), expected, "{status} {body}");
        let (_, error) = probe.first_fault().unwrap();
        assert!(error.contains(text), "{error}");
        assert_eq!(Health::readiness(&probe).status_code(), StatusCode::SERVICE_UNAVAILABLE);
    }
    let away = probe(Err(TransportError::Unreachable("connection refused".to_owned())));
    assert_eq!(statuses(&away), [Down, Unknown, Unknown]);
}

#[test]
fn a_repository_is_read_only_or_verified() {
    let read_only = registered(&json!({"readonly": "true"}));
    assert_eq!(read_only.repository.status, HealthStatus::Down);

    let mut writable = registered(&json!({}));
    assert!(writable.is_ready());
    writable.add_verification(&Verification::read(Ok(&response(403, SECURITY))), 3);
    assert!(writable.is_ready(), "who may not look is not told that it is broken");
    let shown = serde_json::to_value(&writable.repository).unwrap();
    assert_eq!(shown["verification"]["outcome"], "UNKNOWN");
    assert!(shown["verification"]["reason"].as_str().unwrap().contains("cluster:admin/repository/verify"), "{shown}");

    let failure = r#"{"error":{"type":"repository_verification_exception","reason":"[backups] path  is not accessible on master node",
        "caused_by":{"type":"access_denied_exception","reason":"/backups/tests"}},"status":500}"#;
    writable.add_verification(&Verification::read(Ok(&response(500, failure))), 0);
    let (component, error) = writable.first_fault().unwrap();
    assert!(component == "repository" && error.contains("access_denied_exception"), "{error}");
}

#[test]
fn the_engine_is_the_configured_one() {
    let info = |kind, version: &str| EngineInfo { kind, version: version.to_owned() };
    let mut probe = registered(&json!({}));
    probe.add_info(EngineKind::Elasticsearch, &info(EngineKind::Elasticsearch, "8.19.0"));
    assert_eq!((probe.engine.status, &probe.engine.warning), (HealthStatus::Up, &None));
    probe.add_info(EngineKind::Elasticsearch, &info(EngineKind::Elasticsearch, "6.8.0"));
    assert!(probe.is_ready() && probe.engine.warning.is_some());
    probe.add_info(EngineKind::Elasticsearch, &info(EngineKind::OpenSearch, "2.19.1"));
    let (_, error) = probe.first_fault().unwrap();
    assert!(error.contains("to opensearch"), "{error}");
}

#[test]
fn indices_are_shown_in_springs_shape() {
    let names = ["metadata_v3", "settings_v3", "timestamp-based-import-index_v5"];
    let indices: Vec<Value> = names.iter().map(|name| json!({"name": format!("optimize-{name}")})).collect();
    let mut probe = registered(&json!({}));
    probe.indices = Finding::of_indices(&prefix(), Ok(&response(200, json!({"indices": indices}))));
    let health = serde_json::to_value(Health::readiness(&probe)).unwrap();
    let expected = json!({"status": "UP", "details": {"prefix": "optimize", "partOne": 1, "partTwo": 2}});
    assert_eq!((&health["status"], &health["components"]["indices"]), (&json!("UP"), &expected));

    let bare = serde_json::to_value(Health::readiness(&probe).without_details()).unwrap();
    assert_eq!(bare, json!({"status": "UP"}));

    probe.indices = Finding::of_indices(&prefix(), Ok(&response(200, json!({"indices": []}))));
    let (component, error) = probe.first_fault().unwrap();
    assert!(component == "indices" && error.contains("no index whose name begins with 'optimize-'"), "{error}");
}
