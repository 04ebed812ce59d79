//! The ways in which a policy comes to serve: at the start, from its file, over HTTP, by rollback.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::admission::{Admission, AdmissionError, Candidate, Step, Verdict};
use super::shadow::Report;
use super::{
    Admitted, Cache, ComponentInfo, Digest, Generation, InvalidComponent, NoPreviousPolicy, Policies, PolicyFile,
    ReadError, Source,
};
use crate::sandbox::{EMBEDDED, LoadError, Policy, Sandbox};

/// Examines candidates from every source, and exchanges the serving policy.
pub struct Updates {
    policies: Arc<Policies>,
    admission: Admission,
    file: Option<PolicyFile>,
    cache: Option<Cache>,
    last_verdict: Mutex<Option<Verdict>>,
    /// One candidate at a time: two at once would take twice the memory, and one would be compared with a policy that is
    /// about to be replaced.
    update_lock: tokio::sync::Mutex<()>,
}

impl Updates {
    #[must_use]
    pub fn new(
        policies: Arc<Policies>,
        admission: Admission,
        file: Option<PolicyFile>,
        cache: Option<Cache>,
        verdict: Option<Verdict>,
    ) -> Arc<Self> {
        Arc::new(Self {
            policies,
            admission,
            file,
            cache,
            last_verdict: Mutex::new(verdict),
            update_lock: tokio::sync::Mutex::default(),
        })
    }

    #[must_use]
    pub fn policies(&self) -> &Arc<Policies> {
        &self.policies
    }

    /// The most bytes of a candidate.
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        self.admission.max_bytes()
    }

    #[must_use]
    pub fn last_verdict(&self) -> Option<Verdict> {
        self.last_verdict.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Examines a candidate, and lets it serve if it is admitted.
    ///
    /// # Errors
    /// [`AdmissionError`]: nothing has changed.
    pub async fn submit(&self, candidate: Candidate) -> Result<Arc<Generation>, AdmissionError> {
        let _turn = self.update_lock.lock().await;
        self.admit(&candidate).await
    }

    /// Examines a candidate, and makes it the shadow if it is admitted.
    ///
    /// # Errors
    /// [`AdmissionError`]: nothing has changed.
    pub async fn shadow(&self, candidate: Candidate, span: Duration) -> Result<Arc<Report>, AdmissionError> {
        let _turn = self.update_lock.lock().await;
        Ok(self.policies.shadows().begin(self.examine(&candidate).await?, span))
    }

    async fn admit(&self, candidate: &Candidate) -> Result<Arc<Generation>, AdmissionError> {
        let generation = self.policies.exchange(self.examine(candidate).await?);
        save(self.cache.as_ref(), candidate);
        Ok(generation)
    }

    async fn examine(&self, candidate: &Candidate) -> Result<Admitted, AdmissionError> {
        let (verdict, outcome) = self.admission.examine(candidate, Some(&self.policies.incumbents())).await;
        *self.last_verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
        outcome.inspect_err(|refusal| {
            tracing::error!(source = %candidate.source, %refusal, "refused a policy; the serving one stays");
        })
    }

    /// Lets the previous policy serve again.
    ///
    /// # Errors
    /// [`NoPreviousPolicy`].
    pub async fn roll_back(&self) -> Result<Arc<Generation>, NoPreviousPolicy> {
        let _turn = self.update_lock.lock().await;
        self.policies.roll_back()
    }

    /// Submits the configured file, unless it serves already. Errors go to the log.
    pub async fn reload(&self) {
        let Some(file) = &self.file else {
            tracing::warn!("there is no policy to load again: policy.path is not set");
            return;
        };
        let _turn = self.update_lock.lock().await;
        match file.read(self.max_bytes()).await {
            Ok(candidate) if self.is_serving(&candidate) => tracing::debug!("the policy's file is what serves already"),
            Ok(candidate) => drop(self.admit(&candidate).await),
            Err(fault) => tracing::error!(%fault, "cannot load the policy again; the serving one stays"),
        }
    }

    fn is_serving(&self, candidate: &Candidate) -> bool {
        Digest::of(&candidate.component) == self.policies.serving().admitted.info.digest
    }
}

/// Why there is no policy to begin with.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file cannot be read.
    #[error("policy.path: {0}")]
    Unreadable(#[from] ReadError),
    /// The file holds no policy that may serve, and nothing else may in its place.
    #[error("policy.path: {}: the policy is refused ({step}): {reason}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
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
    /// [`StartError::Embedded`].
    pub fn embedded(sandbox: &Arc<Sandbox>) -> Result<Self, StartError> {
        let info = ComponentInfo::examine(EMBEDDED)?;
        let policy = Policy::embedded(sandbox)?;
        Ok(Self { policy: Arc::new(policy), info: Arc::new(info), signer: None, source: Source::Embedded })
    }
}

/// The configured policy, or the last known good one if that is refused; without a configuration the
/// embedded one. Also what became of the configured one.
///
/// # Errors
/// [`StartError`]: nothing may serve.
pub async fn initial_policy(
    sandbox: &Arc<Sandbox>,
    admission: &Admission,
    file: Option<&PolicyFile>,
    cache: Option<&Cache>,
) -> Result<(Admitted, Option<Verdict>), StartError> {
    let Some(file) = file else { return Ok((Admitted::embedded(sandbox)?, None)) };
    let (fault, verdict) = match configured(admission, file).await {
        Ok((candidate, admitted, verdict)) => {
            save(cache, &candidate);
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

async fn configured(admission: &Admission, file: &PolicyFile) -> Result<Configured, (StartError, Option<Verdict>)> {
    let candidate = file.read(admission.max_bytes()).await.map_err(|fault| (fault.into(), None))?;
    match admission.examine(&candidate, None).await {
        (verdict, Ok(admitted)) => Ok((candidate, admitted, verdict)),
        (verdict, Err(refusal)) => Err((refused(file, &refusal, &verdict), Some(verdict))),
    }
}

fn refused(file: &PolicyFile, refusal: &AdmissionError, verdict: &Verdict) -> StartError {
    let step = verdict.refusal().map_or(Step::Size, |(step, _)| step);
    StartError::Refused { path: file.path().to_owned(), step, reason: refusal.to_string() }
}

async fn last_known_good(admission: &Admission, cache: Option<&Cache>) -> Option<Admitted> {
    let loaded = cache?.load(admission.max_bytes()).await;
    let candidate =
        loaded.inspect_err(|fault| tracing::error!(%fault, "cannot read the last known good policy")).ok()??;
    let (_, outcome) = admission.examine(&candidate, None).await;
    outcome.inspect_err(|refusal| tracing::error!(%refusal, "the last known good policy is refused too")).ok()
}

/// A policy that cannot be kept serves all the same.
pub(super) fn save(cache: Option<&Cache>, candidate: &Candidate) {
    if let Some(Err(fault)) = cache.map(|cache| cache.save(candidate)) {
        tracing::error!(%fault, "cannot keep the policy as the last known good one (policy.cacheDir)");
    }
}

impl From<InvalidComponent> for StartError {
    fn from(defect: InvalidComponent) -> Self {
        Self::Embedded(defect.to_string())
    }
}

impl From<LoadError> for StartError {
    fn from(error: LoadError) -> Self {
        Self::Embedded(error.to_string())
    }
}
