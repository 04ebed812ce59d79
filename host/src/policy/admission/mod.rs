//! Whether a component may serve: steps, each of which can refuse it.
//!
//! No code of a candidate runs before the last step, the self-test. Long steps run off the threads that answer requests; the
//! compiler runs in a process of its own.

mod compiler;
mod interface;
mod lineage;
mod refusal;
mod verdict;

use std::sync::Arc;

use super::signature::{KeyError, TrustedKeys};
use super::{Admitted, ComponentInfo, Source, Withdrawal, self_test};
use crate::sandbox::{Policy, Sandbox};
use crate::settings::PolicySettings;

pub use compiler::{CompileError, CompileLimits, Compiler, compile_for_parent};
pub use interface::InterfaceError;
pub use lineage::LineageError;
pub use refusal::AdmissionError;
pub use verdict::{Step, StepReport, Verdict};

/// A component that wants to serve.
#[derive(Clone)]
pub struct Candidate {
    pub component: Arc<[u8]>,
    pub signature: Option<String>,
    pub source: Source,
    /// It may be older than the one that serves, and one that failed before.
    pub forced: bool,
}

/// What a candidate is compared with.
#[derive(Default)]
pub struct Incumbents {
    /// `None`: at the start.
    pub serving: Option<Arc<ComponentInfo>>,
    pub withdrawals: Vec<Withdrawal>,
}

pub struct Admission {
    sandbox: Arc<Sandbox>,
    max_bytes: usize,
    keys: TrustedKeys,
    compiler: Compiler,
}

impl Admission {
    /// Admits components of at most `max_bytes` bytes, signed by one of `keys` if there are any.
    pub fn new(sandbox: Arc<Sandbox>, max_bytes: usize, keys: TrustedKeys, compiler: Compiler) -> Self {
        Self { sandbox, max_bytes, keys, compiler }
    }

    /// Admits what the operator's settings allow, and compiles with this program.
    ///
    /// # Errors
    /// [`KeyError`] if a key cannot be used.
    pub fn from_settings(sandbox: Arc<Sandbox>, settings: &PolicySettings) -> Result<Self, KeyError> {
        let limits = CompileLimits::within(settings.compile_time);
        let keys = TrustedKeys::read(&settings.keys)?;
        Ok(Self::new(sandbox, settings.max_bytes, keys, Compiler::new(limits)))
    }

    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Takes a candidate through all steps, or up to the one that refuses it.
    ///
    pub async fn examine(
        &self,
        candidate: &Candidate,
        incumbents: &Incumbents,
    ) -> (Verdict, Result<Admitted, AdmissionError>) {
        let mut verdict = Verdict::new(candidate);
        let outcome = self.take_steps(candidate, incumbents, &mut verdict).await;
        (verdict, outcome)
    }

    async fn take_steps(
        &self,
        candidate: &Candidate,
        incumbents: &Incumbents,
        verdict: &mut Verdict,
    ) -> Result<Admitted, AdmissionError> {
        verdict.step(Step::Size, async { self.check_size(candidate) }).await?;
        let info = Arc::new(verdict.step(Step::Format, examine(candidate)).await?);
        let signer = verdict.step(Step::Signature, self.check_signature(candidate)).await?;
        verdict.step(Step::Interface, async { Ok(interface::check(&info)?) }).await?;
        verdict.step(Step::Lineage, async { Ok(lineage::check(&info, candidate.forced, incumbents)?) }).await?;
        let policy = Arc::new(verdict.step(Step::Compilation, self.compile(candidate)).await?);
        let admitted =
            Admitted { policy, info, signer, source: candidate.source.clone(), candidate: Some(candidate.clone()) };
        verdict.step(Step::SelfTest, async { Ok(self_test::run(&admitted).await?) }).await?;
        Ok(admitted)
    }

    fn check_size(&self, candidate: &Candidate) -> Result<(), AdmissionError> {
        let (found, allowed) = (candidate.component.len(), self.max_bytes);
        if found <= allowed { Ok(()) } else { Err(AdmissionError::TooLarge { found, allowed }) }
    }

    /// The name of the key; `None` if nobody's signature is asked for.
    async fn check_signature(&self, candidate: &Candidate) -> Result<Option<String>, AdmissionError> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let (keys, signature) = (self.keys.clone(), candidate.signature.clone());
        let signer = with_component(candidate, move |component| keys.check(component, signature.as_deref())).await??;
        Ok(Some(signer.name))
    }

    async fn compile(&self, candidate: &Candidate) -> Result<Policy, AdmissionError> {
        let compiled = self.compiler.compile(&candidate.component).await?;
        Ok(Policy::load_compiled(&self.sandbox, &compiled)?)
    }
}

async fn examine(candidate: &Candidate) -> Result<ComponentInfo, AdmissionError> {
    Ok(with_component(candidate, ComponentInfo::examine).await??)
}

/// What reads every byte is work for another thread.
async fn with_component<T: Send + 'static>(
    candidate: &Candidate,
    read: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<T, AdmissionError> {
    let component = Arc::clone(&candidate.component);
    let outcome = tokio::task::spawn_blocking(move || read(&component)).await;
    outcome.map_err(|aborted| AdmissionError::Interrupted(aborted.to_string()))
}
