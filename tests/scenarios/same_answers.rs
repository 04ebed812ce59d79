//! The same requests to the host of this project and to the composed actuator have the same answers.

use anyhow::Result;
use backup_test_support::engine::Distribution;
use backup_test_support::host::{Host, Reply};

use crate::in_host;
use crate::servers::native;
use crate::world::{World, part};

in_host!(wasmtime: requests_have_the_same_answers);

const JSON: (&str, &str) = ("content-type", "application/json");

/// Verb, path, headers, body.
type Question = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);

/// Everything that can be asked without changing anything, or is refused.
const REQUESTS: [Question; 24] = [
    ("GET", "/actuator/backups", &[], ""),
    ("GET", "/actuator/backups/1", &[], ""),
    ("GET", "/actuator/backups/2", &[], ""),
    ("GET", "/actuator/backups/3", &[], ""),
    ("GET", "/actuator/backups/4", &[], ""),
    ("GET", "/actuator/backups/0", &[], ""),
    ("GET", "/actuator/backups/%ff", &[], ""),
    ("GET", "/actuator/backups/%20", &[], ""),
    ("HEAD", "/actuator/backups/1", &[], ""),
    ("DELETE", "/actuator/backups/12a", &[], ""),
    ("DELETE", "/actuator/backups/99", &[], ""),
    ("POST", "/actuator/backups", &[JSON], r#"{"backupId":1}"#),
    ("POST", "/actuator/backups", &[JSON], r#"{"backupId":1.5}"#),
    ("POST", "/actuator/backups", &[JSON], "{}"),
    ("POST", "/actuator/backups", &[JSON], "[7]"),
    ("POST", "/actuator/backups", &[JSON], ""),
    ("POST", "/actuator/backups", &[("content-type", "text/plain")], "7"),
    ("PUT", "/actuator/backups", &[], ""),
    ("POST", "/actuator/backups/1", &[], ""),
    ("GET", "/actuator/env", &[], ""),
    ("GET", "/actuator/health/liveness", &[], ""),
    ("GET", "/actuator/health/readiness", &[], ""),
    ("GET", "/actuator/info", &[], ""),
    ("GET", "/", &[], ""),
];

async fn requests_have_the_same_answers(distribution: Distribution) -> Result<()> {
    let world = World::new(distribution).await?;
    let import = world.installation.import_indices();
    let ours = native(async { world.host().await }).await?;
    ours.create(1).await?;
    ours.wait_for_state(1, "COMPLETE").await?;
    // Foreign ones of all kinds: incomplete, too many, not of our naming.
    let other_version = part(3, 1).replace("8.6.0", "8.5.0");
    for name in [part(2, 1), part(3, 1), part(3, 2), other_version, "nightly".to_owned()] {
        world.write_snapshot(&name, &import, false).await?;
    }
    compare(&ours, &world.host().await?).await
}

async fn compare(ours: &Host, other: &Host) -> Result<()> {
    for (method, path, headers, body) in REQUESTS {
        let ask = async |host: &Host| host.request(method, path, headers, body.to_owned()).await;
        let (expected, found) = (ask(ours).await?, ask(other).await?);
        assert_eq!(seen(&found), seen(&expected), "{method} {path} {body}");
    }
    Ok(())
}

/// What a caller sees of an answer: the status, the body byte for byte, its type, and the verbs allowed.
fn seen(reply: &Reply) -> (u16, &str, Option<&str>, Vec<&str>) {
    let mut allowed: Vec<&str> = reply.header("allow").unwrap_or_default().split(',').map(str::trim).collect();
    allowed.sort_unstable();
    (reply.status, &reply.text, reply.header("content-type"), allowed)
}
