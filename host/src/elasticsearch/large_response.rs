//! Limits how many large responses of the search engine are held at once, however many requests there are.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::TransportError;

/// How many responses of one client may be larger than [`MAX_UNLIMITED_BYTES`] at once.
#[derive(Clone)]
pub(super) struct LargeResponseLimit(Arc<Semaphore>);

/// Held by a call from its first large response until its next request or its end.
#[derive(Default)]
pub struct LargeResponsePermit(Mutex<Option<OwnedSemaphorePermit>>);

/// Two for lists, and one for whatever else is large.
const LARGE_RESPONSES: usize = 3;
/// A response up to this size needs no permit.
pub(super) const MAX_UNLIMITED_BYTES: usize = 256 << 10;

impl LargeResponseLimit {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(LARGE_RESPONSES)))
    }
}

impl LargeResponsePermit {
    /// Waits for a permit, unless this call has it already.
    pub(super) async fn acquire(&self, limit: &LargeResponseLimit) -> Result<(), TransportError> {
        let is_held = self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if !is_held {
            let permit = Arc::clone(&limit.0).acquire_owned().await;
            let permit = permit.map_err(|closed| TransportError::Interrupted(closed.to_string()))?;
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(permit);
        }
        Ok(())
    }

    /// The last response is no longer needed.
    pub(crate) fn release(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
