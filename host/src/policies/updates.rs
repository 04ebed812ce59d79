use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::admission::{Admission, Candidate, Refusal, Verdict};
use super::shadow::Findings;
use super::start::keep;
use super::{Admitted, Cache, Digest, Generation, NothingBefore, Policies, PolicyFile};

/// The way from a candidate to the policy that serves, whatever source it has.
pub struct Updates {
    policies: Arc<Policies>,
    admission: Admission,
    file: Option<PolicyFile>,
    cache: Option<Cache>,
    last: Mutex<Option<Verdict>>,
    /// One candidate at a time: two at once would cost twice the memory and be judged against a policy
    /// that is about to go.
    gate: tokio::sync::Mutex<()>,
}

/// Why a file did not become a candidate.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// The operating system says no.
    #[error("{}: cannot be read: {fault}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        fault: io::Error,
    },
    /// It is being written at this moment.
    #[error("{}: changed while it was read; it is read again when it has settled", path.display())]
    Changing {
        /// The file.
        path: PathBuf,
    },
}

impl Updates {
    /// Brings candidates into these policies.
    #[must_use]
    pub fn new(
        policies: Arc<Policies>,
        admission: Admission,
        file: Option<PolicyFile>,
        cache: Option<Cache>,
        first: Option<Verdict>,
    ) -> Arc<Self> {
        Arc::new(Self {
            policies,
            admission,
            file,
            cache,
            last: Mutex::new(first),
            gate: tokio::sync::Mutex::default(),
        })
    }

    /// The policies that candidates get into.
    #[must_use]
    pub fn policies(&self) -> &Arc<Policies> {
        &self.policies
    }

    /// The largest candidate, in bytes.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.admission.largest()
    }

    /// What became of the last candidate.
    #[must_use]
    pub fn last(&self) -> Option<Verdict> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Examines a candidate, and lets it serve if it may.
    ///
    /// # Errors
    /// [`Refusal`]: nothing has changed.
    pub async fn offer(&self, candidate: Candidate) -> Result<Arc<Generation>, Refusal> {
        let _turn = self.gate.lock().await;
        self.admit(&candidate).await
    }

    /// Examines a candidate, and has it tried beside the serving policy if it may serve. It never does so
    /// by itself.
    ///
    /// # Errors
    /// [`Refusal`]: nothing has changed.
    pub async fn shadow(&self, candidate: Candidate, span: Duration) -> Result<Arc<Findings>, Refusal> {
        let _turn = self.gate.lock().await;
        Ok(self.policies.shadows().begin(self.examine(&candidate).await?, span))
    }

    async fn admit(&self, candidate: &Candidate) -> Result<Arc<Generation>, Refusal> {
        let generation = self.policies.exchange(self.examine(candidate).await?);
        keep(self.cache.as_ref(), candidate);
        Ok(generation)
    }

    async fn examine(&self, candidate: &Candidate) -> Result<Admitted, Refusal> {
        let (verdict, outcome) = self.admission.examine(candidate, Some(&self.policies)).await;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
        outcome.inspect_err(|refusal| {
            tracing::error!(source = %candidate.source, %refusal, "refused a policy; the serving one stays");
        })
    }

    /// Lets the previous policy serve again.
    ///
    /// # Errors
    /// [`NothingBefore`].
    pub async fn roll_back(&self) -> Result<Arc<Generation>, NothingBefore> {
        let _turn = self.gate.lock().await;
        self.policies.roll_back()
    }

    /// Offers the configured file, unless it is what serves already. Faults and refusals go to the log.
    pub async fn reload(&self) {
        let Some(file) = &self.file else {
            tracing::warn!("there is no policy to load again: policy.path is not set");
            return;
        };
        let _turn = self.gate.lock().await;
        match file.read(self.largest()).await {
            Ok(candidate) if self.is_serving(&candidate) => tracing::debug!("the policy's file is what serves already"),
            Ok(candidate) => drop(self.admit(&candidate).await),
            Err(fault) => tracing::error!(%fault, "cannot load the policy again; the serving one stays"),
        }
    }

    fn is_serving(&self, candidate: &Candidate) -> bool {
        Digest::of(&candidate.component) == self.policies.serving().admitted.anatomy.digest
    }
}
