//! The ways in which a policy comes to serve: at the start, from its file, over HTTP, by rollback.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::admission::{Admission, AdmissionError, Candidate, Step, Verdict};
use super::shadow::Report;
use super::{
    Admitted, Cache, ComponentInfo, Digest, Generation, Incumbents, InvalidComponent, Policies, PolicyFile, ReadError,
    RollbackError, Source, Withdrawal,
};
use crate::sandbox::{EMBEDDED, LoadError, Policy, Sandbox};

/// Examines candidates from every source, and exchanges the serving policy.
pub struct Updates {
    policies: Arc<Policies>,
    admission: Admission,
    file: Option<PolicyFile>,
    last_verdict: Mutex<Option<Verdict>>,
    /// One candidate at a time: two at once would take twice the memory, and one would be compared with a policy that is
    /// about to be replaced.
    update_lock: tokio::sync::Mutex<()>,
}

impl Updates {
    pub fn new(
        policies: Arc<Policies>,
        admission: Admission,
        file: Option<PolicyFile>,
        cache: Option<Cache>,
        verdict: Option<Verdict>,
    ) -> Arc<Self> {
        if let Some(cache) = cache {
            tokio::spawn(keep(cache, Arc::clone(&policies)));
        }
        Arc::new(Self {
            policies,
            admission,
            file,
            last_verdict: Mutex::new(verdict),
            update_lock: tokio::sync::Mutex::default(),
        })
    }

    pub fn policies(&self) -> &Arc<Policies> {
        &self.policies
    }

    /// The most bytes of a candidate.
    pub fn max_bytes(&self) -> usize {
        self.admission.max_bytes()
    }

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
        Ok(self.policies.exchange(self.examine(candidate).await?))
    }

    async fn examine(&self, candidate: &Candidate) -> Result<Admitted, AdmissionError> {
        let (verdict, outcome) = self.admission.examine(candidate, &self.policies.incumbents()).await;
        *self.last_verdict.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
        outcome.inspect_err(|refusal| {
            tracing::error!(source = %candidate.source, %refusal, "refused a policy; the serving one stays");
        })
    }

    /// See [`Policies::roll_back`].
    pub async fn roll_back(&self, unwanted: Option<u64>) -> Result<Arc<Generation>, RollbackError> {
        let _turn = self.update_lock.lock().await;
        self.policies.roll_back(unwanted)
    }

    /// Submits the configured file, unless it serves already. Errors go to the log; returns whether it is worth another try
    /// although the file is the same.
    pub async fn reload(&self) -> bool {
        let Some(file) = &self.file else {
            tracing::warn!("there is no policy to load again: policy.path is not set");
            return false;
        };
        let _turn = self.update_lock.lock().await;
        match file.read(self.max_bytes()).await {
            Ok(candidate) if self.is_serving(&candidate) => false,
            Ok(candidate) => self.admit(&candidate).await.is_err_and(|error| error.may_pass()),
            Err(error) => {
                tracing::error!(%error, "cannot load the policy again; the serving one stays");
                true
            }
        }
    }

    fn is_serving(&self, candidate: &Candidate) -> bool {
        Digest::of(&candidate.component) == self.policies.serving().admitted.info.digest
    }
}

/// Why there is no policy to begin with.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("policy.path: {0}")]
    Unreadable(#[from] ReadError),
    #[error("policy.path: {}: the policy is refused ({step}): {reason}", path.display())]
    Refused { path: PathBuf, step: Step, reason: String },
    #[error("the policy inside this program does not work: {0}")]
    Embedded(String),
}

impl Admitted {
    /// The policy inside this program. It came with the host, and is trusted as much as that is.
    pub fn embedded(sandbox: &Arc<Sandbox>) -> Result<Self, StartError> {
        let info = ComponentInfo::examine(EMBEDDED)?;
        let policy = Policy::embedded(sandbox)?;
        Ok(Self {
            policy: Arc::new(policy),
            info: Arc::new(info),
            signer: None,
            source: Source::Embedded,
            candidate: None,
        })
    }
}

/// What serves first.
pub struct InitialPolicy {
    pub admitted: Admitted,
    /// Of the configured policy. `None`: none is configured, or it cannot be read.
    pub verdict: Option<Verdict>,
    pub withdrawals: Vec<Withdrawal>,
}

/// The configured policy, or the last known good one if that is refused; without a configuration the embedded one.
///
/// # Errors
/// [`StartError`]: nothing may serve.
pub async fn initial_policy(
    sandbox: &Arc<Sandbox>,
    admission: &Admission,
    file: Option<&PolicyFile>,
    cache: Option<&Cache>,
) -> Result<InitialPolicy, StartError> {
    let withdrawals = cache.map_or(Ok(Vec::new()), Cache::withdrawals).unwrap_or_else(|error| {
        tracing::error!(%error, "cannot read which policies were withdrawn (policy.cacheDir)");
        Vec::new()
    });
    let Some(file) = file else {
        return Ok(InitialPolicy { admitted: Admitted::embedded(sandbox)?, verdict: None, withdrawals });
    };
    let incumbents = Incumbents { serving: None, withdrawals };
    let (admitted, verdict) = match configured(admission, file, &incumbents).await {
        Ok((admitted, verdict)) => (admitted, Some(verdict)),
        Err((error, verdict)) => {
            let Some(admitted) = last_known_good(admission, cache, &incumbents).await else { return Err(error) };
            tracing::error!(%error, source = %admitted.source, "the last known good policy serves instead");
            (admitted, verdict)
        }
    };
    Ok(InitialPolicy { admitted, verdict, withdrawals: incumbents.withdrawals })
}

async fn configured(
    admission: &Admission,
    file: &PolicyFile,
    incumbents: &Incumbents,
) -> Result<(Admitted, Verdict), (StartError, Option<Verdict>)> {
    let candidate = file.read(admission.max_bytes()).await.map_err(|error| (error.into(), None))?;
    match admission.examine(&candidate, incumbents).await {
        (verdict, Ok(admitted)) => Ok((admitted, verdict)),
        (verdict, Err(error)) => Err((refused(file, &error, &verdict), Some(verdict))),
    }
}

fn refused(file: &PolicyFile, error: &AdmissionError, verdict: &Verdict) -> StartError {
    let step = verdict.refusal().map_or(Step::Size, |(step, _)| step);
    StartError::Refused { path: file.path().to_owned(), step, reason: error.to_string() }
}

async fn last_known_good(admission: &Admission, cache: Option<&Cache>, incumbents: &Incumbents) -> Option<Admitted> {
    let loaded = cache?.load(admission.max_bytes()).await;
    let candidate =
        loaded.inspect_err(|error| tracing::error!(%error, "cannot read the last known good policy")).ok()??;
    let (_, outcome) = admission.examine(&candidate, incumbents).await;
    outcome.inspect_err(|error| tracing::error!(%error, "the last known good policy is refused too")).ok()
}

/// Saves the last known good policy and the withdrawals whenever they have changed.
async fn keep(cache: Cache, policies: Arc<Policies>) {
    loop {
        policies.changed.notified().await;
        let (good, withdrawals) = (policies.last_known_good(), policies.incumbents().withdrawals);
        let cache = cache.clone();
        let save =
            move || cache.save_withdrawals(&withdrawals).and_then(|()| good.map_or(Ok(()), |good| cache.save(&good)));
        let saved = tokio::task::spawn_blocking(save).await.unwrap_or_else(|aborted| Err(aborted.into()));
        if let Err(error) = saved {
            tracing::error!(%error, "cannot save the last known good policy (policy.cacheDir)");
        }
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
