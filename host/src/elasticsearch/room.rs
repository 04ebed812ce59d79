//! Room for large answers: few of them are in this process at once, however many requests there are.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::TransportError;

/// The answers of one client that are larger than [`SMALL`].
#[derive(Clone)]
pub(super) struct Rooms(Arc<Semaphore>);

/// Kept by whoever sends requests one after the other, as long as it needs the text of the last answer.
#[derive(Default)]
pub struct Room(Mutex<Option<OwnedSemaphorePermit>>);

/// Two for lists, and one for whatever else is large.
const LARGE_ANSWERS: usize = 3;
/// An answer up to this size takes no room, in bytes.
pub(super) const SMALL: usize = 256 << 10;

impl Rooms {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(LARGE_ANSWERS)))
    }
}

impl Room {
    /// Waits until there is room for an answer that turns out to be large. It takes one at most.
    pub(super) async fn take(&self, rooms: &Rooms) -> Result<(), TransportError> {
        let is_taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        if !is_taken {
            let permit = Arc::clone(&rooms.0).acquire_owned().await;
            let permit = permit.map_err(|closed| TransportError::Interrupted(closed.to_string()))?;
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(permit);
        }
        Ok(())
    }

    /// The last answer is no longer needed.
    pub(crate) fn leave(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
