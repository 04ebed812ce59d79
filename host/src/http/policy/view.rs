use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::policy::admission::Verdict;
use crate::policy::shadow::{Example, Report};
use crate::policy::{Admitted, ComponentInfo, Generation, Policies, Source, Withdrawal};

/// `GET /actuator/policy`
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Policies)]
pub(in crate::http) struct PoliciesView {
    serving: GenerationView,
    #[schema(required)]
    previous: Option<GenerationView>,
    #[schema(required)]
    shadow: Option<ShadowView>,
    #[schema(required)]
    last_candidate: Option<CandidateView>,
    withdrawn: Vec<WithdrawalView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Generation)]
pub(in crate::http) struct GenerationView {
    generation: u64,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    calls: u64,
    failures: u64,
    #[serde(flatten)]
    identity: Identity,
}

/// The current or the last shadow.
#[derive(Serialize, ToSchema)]
#[schema(as = Shadow)]
pub(in crate::http) struct ShadowView {
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    #[schema(required)]
    ended: Option<EndView>,
    calls: u64,
    same: u64,
    different: u64,
    failed: u64,
    skipped: u64,
    examples: Vec<ExampleView>,
    #[serde(flatten)]
    identity: Identity,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ShadowEnd)]
struct EndView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    reason: String,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ShadowExample)]
struct ExampleView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    operation: &'static str,
    #[schema(required)]
    id: Option<String>,
    generation: u64,
    served: String,
    shadow: String,
    own_requests: u64,
}

/// Which policy it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PolicyIdentity)]
struct Identity {
    digest: String,
    #[schema(required)]
    name: Option<String>,
    #[schema(required)]
    version: Option<String>,
    #[schema(required)]
    wit_version: Option<String>,
    bytes: usize,
    source: String,
    #[schema(required)]
    signer: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Candidate)]
struct CandidateView {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    source: String,
    digest: String,
    admitted: bool,
    steps: Vec<StepView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AdmissionStep)]
struct StepView {
    step: String,
    passed: bool,
    #[schema(required)]
    refusal: Option<String>,
    milliseconds: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Withdrawal)]
struct WithdrawalView {
    digest: String,
    reason: String,
}

impl PoliciesView {
    pub(super) fn new(policies: &Policies, last_candidate: Option<Verdict>) -> Self {
        Self {
            serving: (&*policies.serving()).into(),
            previous: policies.previous().map(|previous| (&*previous).into()),
            shadow: policies.shadows().report().map(|report| (&*report).into()),
            last_candidate: last_candidate.map(Into::into),
            withdrawn: policies.incumbents().withdrawals.into_iter().map(Into::into).collect(),
        }
    }
}

impl Identity {
    fn new(info: &ComponentInfo, source: &Source, signer: Option<&String>) -> Self {
        Self {
            digest: info.digest.to_string(),
            name: info.name.clone(),
            version: info.version.as_ref().map(ToString::to_string),
            wit_version: info.wit_version().map(|version| version.to_string()),
            bytes: info.bytes,
            source: source.to_string(),
            signer: signer.cloned(),
        }
    }
}

impl From<&Generation> for GenerationView {
    fn from(generation: &Generation) -> Self {
        let Admitted { info, signer, source, .. } = &generation.admitted;
        Self {
            generation: generation.number,
            since: generation.since,
            calls: generation.calls(),
            failures: generation.failures(),
            identity: Identity::new(info, source, signer.as_ref()),
        }
    }
}

impl From<&Report> for ShadowView {
    fn from(report: &Report) -> Self {
        let counts = report.counts();
        Self {
            since: report.since,
            until: report.until,
            calls: counts.calls(),
            same: counts.same,
            different: counts.different,
            failed: counts.failed,
            skipped: counts.skipped,
            ended: counts.end.map(|end| EndView { at: end.at, reason: end.reason.to_string() }),
            examples: counts.examples.into_iter().map(Into::into).collect(),
            identity: Identity::new(&report.info, &report.source, report.signer.as_ref()),
        }
    }
}

impl From<Example> for ExampleView {
    fn from(example: Example) -> Self {
        let Example { at, operation, id, generation, served, shadowed, own_requests } = example;
        Self { at, operation, id, generation, served, shadow: shadowed, own_requests }
    }
}

impl From<Verdict> for CandidateView {
    fn from(verdict: Verdict) -> Self {
        Self {
            at: verdict.at,
            source: verdict.source.to_string(),
            digest: verdict.digest.to_string(),
            admitted: verdict.refusal().is_none(),
            steps: verdict
                .steps
                .into_iter()
                .map(|report| StepView {
                    step: report.step.to_string(),
                    passed: report.refusal.is_none(),
                    refusal: report.refusal,
                    milliseconds: u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
                })
                .collect(),
        }
    }
}

impl From<Withdrawal> for WithdrawalView {
    fn from(withdrawal: Withdrawal) -> Self {
        Self { digest: withdrawal.digest.to_string(), reason: withdrawal.reason }
    }
}
