use super::{CompileError, InterfaceError, LineageError};
use crate::policy::InvalidComponent;
use crate::policy::self_test::SelfTestError;
use crate::policy::signature::SignatureError;
use crate::sandbox::LoadError;

/// Why a candidate does not serve: what was found, and what is allowed.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    /// It is too large.
    #[error("it has {found} bytes or more; allowed are up to {allowed} (policy.maxBytes)")]
    TooLarge {
        /// Its size, as far as it was read.
        found: usize,
        /// The most.
        allowed: usize,
    },
    /// It is not a component.
    #[error(transparent)]
    Format(#[from] InvalidComponent),
    /// Nobody who is trusted has signed it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It needs or offers something else than a policy.
    #[error(transparent)]
    Interface(#[from] InterfaceError),
    /// It is older than the serving one, or failed before.
    #[error(transparent)]
    Lineage(#[from] LineageError),
    /// It cannot be compiled within the limits.
    #[error(transparent)]
    Compilation(#[from] CompileError),
    /// It has the right names, but with other types.
    #[error(transparent)]
    Linking(#[from] LoadError),
    /// It does something else than a policy must.
    #[error("the self-test found that {0}")]
    SelfTest(#[from] SelfTestError),
    /// The host is going down.
    #[error("the examination was interrupted: {0}")]
    Interrupted(String),
}
