//! Which policy serves first.

use std::sync::Arc;

use super::admission::{Admission, Candidate, Refusal, Step, Verdict};
use super::{Admitted, Anatomy, Cache, Defect, PolicyFile, ReadFault, Source};
use crate::policy::{EMBEDDED, LoadError, Policy, Sandbox};

/// Why there is no policy to begin with.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// The file cannot be read.
    #[error("policy.path: {0}")]
    Unreadable(#[from] ReadFault),
    /// The file holds no policy that may serve, and nothing else may in its place.
    #[error("policy.path: {}: the policy is refused ({step}): {reason}", path.display())]
    Refused {
        /// The file.
        path: std::path::PathBuf,
        /// The step that refused it.
        step: Step,
        /// What was found, and what is allowed.
        reason: String,
    },
    /// This program's own policy does not work: a defect.
    #[error("the policy inside this program does not work: {0}")]
    Embedded(String),
}

impl Admitted {
    /// The policy inside this program. It came with the host, and is trusted as much as that is.
    ///
    /// # Errors
    /// [`StartFault::Embedded`].
    pub fn embedded(sandbox: &Arc<Sandbox>) -> Result<Self, StartFault> {
        let anatomy = Anatomy::examine(EMBEDDED)?;
        let policy = Policy::embedded(sandbox)?;
        Ok(Self { policy: Arc::new(policy), anatomy: Arc::new(anatomy), signer: None, source: Source::Embedded })
    }
}

/// The configured policy, or the last known good one if that is refused; without a configuration the
/// embedded one. Also what became of the configured one.
///
/// # Errors
/// [`StartFault`]: nothing may serve.
pub async fn first(
    sandbox: &Arc<Sandbox>,
    admission: &Admission,
    file: Option<&PolicyFile>,
    cache: Option<&Cache>,
) -> Result<(Admitted, Option<Verdict>), StartFault> {
    let Some(file) = file else { return Ok((Admitted::embedded(sandbox)?, None)) };
    let (fault, verdict) = match configured(admission, file).await {
        Ok((candidate, admitted, verdict)) => {
            keep(cache, &candidate);
            return Ok((admitted, Some(verdict)));
        }
        Err(failed) => failed,
    };
    match last_known_good(admission, cache).await {
        Some(admitted) => {
            tracing::error!(%fault, source = %admitted.source, "the last known good policy serves instead");
            Ok((admitted, verdict))
        }
        None => Err(fault),
    }
}

type Configured = (Candidate, Admitted, Verdict);

async fn configured(admission: &Admission, file: &PolicyFile) -> Result<Configured, (StartFault, Option<Verdict>)> {
    let candidate = file.read(admission.largest()).await.map_err(|fault| (fault.into(), None))?;
    match admission.examine(&candidate, None).await {
        (verdict, Ok(admitted)) => Ok((candidate, admitted, verdict)),
        (verdict, Err(refusal)) => Err((refused(file, &refusal, &verdict), Some(verdict))),
    }
}

fn refused(file: &PolicyFile, refusal: &Refusal, verdict: &Verdict) -> StartFault {
    let step = verdict.refusal().map_or(Step::Size, |(step, _)| step);
    StartFault::Refused { path: file.path().to_owned(), step, reason: refusal.to_string() }
}

async fn last_known_good(admission: &Admission, cache: Option<&Cache>) -> Option<Admitted> {
    let loaded = cache?.load(admission.largest()).await;
    let candidate =
        loaded.inspect_err(|fault| tracing::error!(%fault, "cannot read the last known good policy")).ok()??;
    let (_, outcome) = admission.examine(&candidate, None).await;
    outcome.inspect_err(|refusal| tracing::error!(%refusal, "the last known good policy is refused too")).ok()
}

/// A policy that cannot be kept serves all the same.
pub(super) fn keep(cache: Option<&Cache>, candidate: &Candidate) {
    if let Some(Err(fault)) = cache.map(|cache| cache.keep(candidate)) {
        tracing::error!(%fault, "cannot keep the policy as the last known good one (policy.cacheDir)");
    }
}

impl From<Defect> for StartFault {
    fn from(defect: Defect) -> Self {
        Self::Embedded(defect.to_string())
    }
}

impl From<LoadError> for StartFault {
    fn from(error: LoadError) -> Self {
        Self::Embedded(error.to_string())
    }
}
