//! How policies look in JSON.

use serde_json::{Value, json};

use crate::policy::admission::Verdict;
use crate::policy::shadow::{Example, Report};
use crate::policy::{Admitted, ComponentInfo, Generation, Source};

pub(super) fn generation(generation: &Generation) -> Value {
    let Admitted { info, signer, source, .. } = &generation.admitted;
    let own = json!({
        "generation": generation.number,
        "since": generation.since.to_string(),
        "calls": generation.calls(),
        "failures": generation.failures(),
    });
    with_identity(own, info, source, signer.as_deref())
}

/// A policy that is or was tried beside the serving one.
pub(super) fn shadow(report: &Report) -> Value {
    let counts = report.counts();
    let end = counts.end.as_ref().map(|end| json!({"at": end.at.to_string(), "reason": end.reason.to_string()}));
    let own = json!({
        "since": report.since.to_string(),
        "until": report.until.to_string(),
        "ended": end,
        "calls": counts.calls(),
        "same": counts.same,
        "different": counts.different,
        "failed": counts.failed,
        "skipped": counts.skipped,
        "examples": counts.examples.iter().map(example).collect::<Vec<_>>(),
    });
    with_identity(own, &report.info, &report.source, report.signer.as_deref())
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
fn with_identity(mut shown: Value, info: &ComponentInfo, source: &Source, signer: Option<&str>) -> Value {
    let identity = json!({
        "digest": info.digest.to_string(),
        "name": info.name,
        "version": info.version.as_ref().map(ToString::to_string),
        "witVersion": info.wit_version().map(|version| version.to_string()),
        "bytes": info.bytes,
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
