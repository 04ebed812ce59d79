use super::{CompileError, InterfaceError, LineageError};
use crate::policy::InvalidComponent;
use crate::policy::self_test::SelfTestError;
use crate::policy::signature::SignatureError;
use crate::sandbox::LoadError;

/// Why a candidate does not serve: what was found, and what is allowed.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    #[error("it has {found} bytes or more; allowed are up to {allowed} (policy.maxBytes)")]
    TooLarge { found: usize, allowed: usize },
    #[error(transparent)]
    Format(#[from] InvalidComponent),
    #[error(transparent)]
    Signature(#[from] SignatureError),
    #[error(transparent)]
    Interface(#[from] InterfaceError),
    #[error(transparent)]
    Lineage(#[from] LineageError),
    #[error(transparent)]
    Compilation(#[from] CompileError),
    #[error(transparent)]
    Linking(#[from] LoadError),
    #[error("the self-test found that {0}")]
    SelfTest(#[from] SelfTestError),
    #[error("the examination was interrupted: {0}")]
    Interrupted(String),
}

impl AdmissionError {
    /// Whether the same component may be admitted later: the machine was the reason, not the component.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Interrupted(_) | Self::Compilation(CompileError::NoProcess(_) | CompileError::OutOfTime(_))
        )
    }
}
