//! How policies look in JSON.

use serde_json::{Value, json};

use crate::policies::admission::Verdict;
use crate::policies::shadow::{Example, Findings};
use crate::policies::{Admitted, Anatomy, Generation, Source};

pub(super) fn generation(generation: &Generation) -> Value {
    let Admitted { anatomy, signer, source, .. } = &generation.admitted;
    let own = json!({
        "generation": generation.number,
        "since": generation.since.to_string(),
        "calls": generation.calls(),
        "failures": generation.failures(),
    });
    with_identity(own, anatomy, source, signer.as_deref())
}

/// A policy that is or was tried beside the serving one.
pub(super) fn shadow(findings: &Findings) -> Value {
    let tally = findings.tally();
    let end = tally.end.as_ref().map(|end| json!({"at": end.at.to_string(), "reason": end.ending.to_string()}));
    let own = json!({
        "since": findings.since.to_string(),
        "until": findings.until.to_string(),
        "ended": end,
        "calls": tally.calls(),
        "same": tally.same,
        "different": tally.different,
        "failed": tally.failed,
        "skipped": tally.skipped,
        "examples": tally.examples.iter().map(example).collect::<Vec<_>>(),
    });
    with_identity(own, &findings.anatomy, &findings.source, findings.signer.as_deref())
}

fn example(example: &Example) -> Value {
    json!({
        "at": example.at.to_string(),
        "operation": example.operation,
        "id": example.id,
        "generation": example.generation,
        "served": example.served,
        "shadow": example.shadowed,
        "ownRequests": example.own_requests,
    })
}

/// Adds which policy it is.
fn with_identity(mut shown: Value, anatomy: &Anatomy, source: &Source, signer: Option<&str>) -> Value {
    let identity = json!({
        "digest": anatomy.digest.to_string(),
        "name": anatomy.name,
        "version": anatomy.version.as_ref().map(ToString::to_string),
        "witVersion": anatomy.wit_version().map(|version| version.to_string()),
        "bytes": anatomy.bytes,
        "source": source.to_string(),
        "signer": signer,
    });
    if let (Value::Object(shown), Value::Object(identity)) = (&mut shown, identity) {
        shown.extend(identity);
    }
    shown
}

pub(super) fn candidate(verdict: &Verdict) -> Value {
    let steps = verdict.steps.iter().map(|report| {
        json!({
            "step": report.step.to_string(),
            "passed": report.refusal.is_none(),
            "refusal": report.refusal,
            "milliseconds": u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
        })
    });
    json!({
        "at": verdict.at.to_string(),
        "source": verdict.source.to_string(),
        "digest": verdict.digest.to_string(),
        "admitted": verdict.refusal().is_none(),
        "steps": steps.collect::<Vec<_>>(),
    })
}
