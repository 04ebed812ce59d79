//! Requests that no other scenario sends, for the comparison with the host of this project; see `servers`.

use anyhow::Result;
use backup_test_support::engine::Distribution;

use crate::fixture::{Fixture, part};
use crate::in_every_host;

in_every_host!(unusual_requests_have_the_same_answers);

/// Verb, path, body, status.
const REQUESTS: [(&str, &str, &str, u16); 27] = [
    ("GET", "/actuator/backups", "", 200),
    ("GET", "/actuator/backups/1", "", 200),
    ("GET", "/actuator/backups/%31", "", 200),
    ("GET", "/actuator/backups/1?pretty", "", 200),
    ("GET", "/actuator/backups/2", "", 200),
    ("GET", "/actuator/backups/3", "", 200),
    ("GET", "/actuator/backups/4", "", 404),
    ("HEAD", "/actuator/backups", "", 200),
    ("HEAD", "/actuator/backups/1", "", 200),
    ("HEAD", "/actuator/backups/4", "", 404),
    ("HEAD", "/actuator/health/readiness", "", 200),
    ("POST", "/actuator/backups", r#"{"backupId":1}"#, 409),
    ("POST", "/actuator/backups", r#"{"backupId":2}"#, 409),
    ("PATCH", "/actuator/backups/1", "", 405),
    ("OPTIONS", "/actuator/backups", "", 405),
    ("HEAD", "/actuator/backups/0", "", 400),
    ("GET", "/actuator/info", "", 200),
    ("GET", "//actuator", "", 200),
    ("GET", "//actuator/backups/", "", 200),
    ("GET", "/actuator//backups/1/?pretty", "", 200),
    ("DELETE", "/actuator/backups/", "", 405),
    ("GET", "/actuator/backups?verbose=false", "", 200),
    ("GET", "/actuator/backups?limit=2&pattern=*", "", 200),
    ("GET", "/actuator/backups?limit=2&before=3&verbose=false", "", 200),
    ("GET", "/actuator/backups?pattern=2", "", 200),
    ("GET", "/actuator/backups?pattern=nightly", "", 400),
    ("GET", "/actuator/backups?size=2", "", 400),
];

async fn unusual_requests_have_the_same_answers(distribution: Distribution) -> Result<()> {
    let fixture = Fixture::new(distribution).await?;
    let import = fixture.installation.import_indices();
    let host = fixture.host().await?;
    host.create(1).await?;
    host.wait_for_state(1, "COMPLETE").await?;
    // Foreign ones of all kinds: incomplete, too many, not of our naming.
    let other_version = part(3, 1).replace("8.6.0", "8.5.0");
    for name in [part(2, 1), part(3, 1), part(3, 2), other_version, "nightly".to_owned()] {
        fixture.write_snapshot(&name, &import, false).await?;
    }
    for (method, path, body, status) in REQUESTS {
        let reply = host.request(method, path, &[("content-type", "application/json")], body).await?;
        assert_eq!(reply.status, status, "{method} {path} {body}: {}", reply.text);
    }
    Ok(())
}
