use std::fmt;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{AdmissionError, Candidate};
use crate::policy::{Digest, Source};

/// A step of the admission, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is not too large.
    Size,
    Format,
    Signature,
    /// It imports what is granted, and exports what is called.
    Interface,
    /// It is not older than the serving one, and has not failed before.
    Lineage,
    /// It compiles within time and memory, and its types fit.
    Compilation,
    SelfTest,
}

/// How one step went.
#[derive(Clone, Debug)]
pub struct StepReport {
    pub step: Step,
    pub refusal: Option<String>,
    pub took: Duration,
}

/// What became of a candidate, step by step.
#[derive(Clone, Debug)]
pub struct Verdict {
    pub at: Timestamp,
    pub source: Source,
    pub digest: Digest,
    pub steps: Vec<StepReport>,
}

impl Verdict {
    pub(super) fn new(candidate: &Candidate) -> Self {
        Self {
            at: Timestamp::now(),
            source: candidate.source.clone(),
            digest: Digest::of(&candidate.component),
            steps: Vec::new(),
        }
    }

    /// Takes a step and notes how it went.
    pub(super) async fn step<T>(
        &mut self,
        step: Step,
        outcome: impl Future<Output = Result<T, AdmissionError>>,
    ) -> Result<T, AdmissionError> {
        let started = Instant::now();
        let outcome = outcome.await;
        let refusal = outcome.as_ref().err().map(ToString::to_string);
        self.steps.push(StepReport { step, refusal, took: started.elapsed() });
        outcome
    }

    /// Why it was refused, if it was.
    pub fn refusal(&self) -> Option<(Step, &str)> {
        self.steps.iter().find_map(|report| Some((report.step, report.refusal.as_deref()?)))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "size",
            Self::Format => "format",
            Self::Signature => "signature",
            Self::Interface => "interface",
            Self::Lineage => "lineage",
            Self::Compilation => "compilation",
            Self::SelfTest => "self-test",
        })
    }
}
