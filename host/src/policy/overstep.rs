use std::sync::{Arc, OnceLock};

use crate::elasticsearch::Denial;

/// Keeps the first request that a policy made in a call which is not for that.
///
/// Such a request is denied and logged wherever it is made; the self-test also asks for it here.
#[derive(Clone, Debug, Default)]
pub struct Oversteps(Arc<OnceLock<Denial>>);

impl Oversteps {
    pub(super) fn note(&self, denial: &Denial) {
        if matches!(denial, Denial::Scope { .. }) {
            self.0.get_or_init(|| denial.clone());
        }
    }

    /// The denial of that request, if there was one.
    #[must_use]
    pub fn first(&self) -> Option<&Denial> {
        self.0.get()
    }
}
