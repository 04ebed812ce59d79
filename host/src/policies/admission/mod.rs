//! Whether a component may serve: a row of steps, each of which can refuse it.
//!
//! Nothing of a candidate runs before the last step, and that one runs it inside the limits of production
//! against an engine that is not there. Everything that takes long happens elsewhere than on the threads
//! that answer requests, and what compiles it in a process that can be killed.

mod compiler;
mod interface;
mod lineage;
mod refusal;
mod verdict;

use std::sync::Arc;

use super::{Admitted, Anatomy, Policies, Source};
use crate::policies::rehearsal::rehearse;
use crate::policies::signature::{KeyFault, TrustedKeys};
use crate::policy::{Policy, Sandbox};
use crate::settings::PolicySettings;

pub use compiler::{CompileFault, CompileLimits, Compiler, compile_for_parent};
pub use interface::InterfaceFault;
pub use lineage::LineageFault;
pub use refusal::Refusal;
pub use verdict::{Step, StepReport, Verdict};

/// A component that wants to serve.
#[derive(Clone)]
pub struct Candidate {
    /// Its bytes, as they came.
    pub component: Arc<[u8]>,
    /// What came with it as its signature.
    pub signature: Option<String>,
    /// Where it came from.
    pub source: Source,
    /// It may be older than the one that serves, and one that failed before.
    pub forced: bool,
}

/// The steps, and what they need.
pub struct Admission {
    sandbox: Arc<Sandbox>,
    largest: usize,
    keys: TrustedKeys,
    compiler: Compiler,
}

impl Admission {
    /// Admits components of at most `largest` bytes, signed by one of `keys` if there are any.
    #[must_use]
    pub fn new(sandbox: Arc<Sandbox>, largest: usize, keys: TrustedKeys, compiler: Compiler) -> Self {
        Self { sandbox, largest, keys, compiler }
    }

    /// Admits what the operator's settings allow, and compiles with this program.
    ///
    /// # Errors
    /// [`KeyFault`] if a key cannot be used.
    pub fn from_settings(sandbox: Arc<Sandbox>, settings: &PolicySettings) -> Result<Self, KeyFault> {
        let limits = CompileLimits { time: settings.compile_time, memory: settings.compile_memory_bytes };
        let keys = TrustedKeys::read(&settings.keys)?;
        Ok(Self::new(sandbox, settings.max_bytes, keys, Compiler::new(limits)))
    }

    /// The largest component that is admitted, in bytes.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.largest
    }

    /// Takes a candidate through all steps, or up to the one that refuses it.
    ///
    /// Without `incumbents` any version will do: nothing serves yet.
    pub async fn examine(
        &self,
        candidate: &Candidate,
        incumbents: Option<&Policies>,
    ) -> (Verdict, Result<Admitted, Refusal>) {
        let mut verdict = Verdict::new(candidate);
        let outcome = self.take_steps(candidate, incumbents, &mut verdict).await;
        (verdict, outcome)
    }

    async fn take_steps(
        &self,
        candidate: &Candidate,
        incumbents: Option<&Policies>,
        verdict: &mut Verdict,
    ) -> Result<Admitted, Refusal> {
        verdict.step(Step::Size, async { self.check_size(candidate) }).await?;
        let anatomy = Arc::new(verdict.step(Step::Format, examine(candidate)).await?);
        let signer = verdict.step(Step::Signature, async { self.check_signature(candidate, &anatomy) }).await?;
        verdict.step(Step::Interface, async { Ok(interface::check(&anatomy)?) }).await?;
        verdict.step(Step::Lineage, async { Ok(lineage::check(&anatomy, candidate.forced, incumbents)?) }).await?;
        let policy = Arc::new(verdict.step(Step::Compilation, self.compile(candidate)).await?);
        let admitted = Admitted { policy, anatomy, signer, source: candidate.source.clone() };
        verdict.step(Step::SelfTest, async { Ok(rehearse(&admitted).await?) }).await?;
        Ok(admitted)
    }

    fn check_size(&self, candidate: &Candidate) -> Result<(), Refusal> {
        let (found, allowed) = (candidate.component.len(), self.largest);
        if found <= allowed { Ok(()) } else { Err(Refusal::TooLarge { found, allowed }) }
    }

    fn check_signature(&self, candidate: &Candidate, anatomy: &Anatomy) -> Result<Option<String>, Refusal> {
        Ok(self.keys.check(&anatomy.digest, candidate.signature.as_deref())?)
    }

    async fn compile(&self, candidate: &Candidate) -> Result<Policy, Refusal> {
        let compiled = self.compiler.compile(&candidate.component).await?;
        Ok(Policy::load_compiled(&self.sandbox, &compiled)?)
    }
}

/// Validation reads every instruction: that is work for another thread.
async fn examine(candidate: &Candidate) -> Result<Anatomy, Refusal> {
    let component = Arc::clone(&candidate.component);
    let examined = tokio::task::spawn_blocking(move || Anatomy::examine(&component)).await;
    Ok(examined.map_err(|aborted| Refusal::Interrupted(aborted.to_string()))??)
}
