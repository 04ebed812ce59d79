//! The engine's clock.

use std::time::Duration;

use backup_core::{ClockDifference, EngineClock, Request, Timestamp, milliseconds};

use super::{Capability, Response, TransportError};
use crate::clock;

#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    #[error(transparent)]
    Transport(#[from] TransportError),
    #[error("the search engine answers {status} to {request}: {body}")]
    NotTold { status: u16, request: Request, body: String },
}

impl Capability {
    /// How far this server's clock and the engine's are apart. What the request took is no difference.
    pub async fn clock_difference(&self, timeout: Duration) -> Result<ClockDifference, ClockError> {
        let request = Request::engine_clock();
        let now = || Timestamp(milliseconds(clock::since_epoch()));
        let before = now();
        let Response { status, body, .. } = self.read_once(request.clone(), timeout).await?;
        match EngineClock::read(&body).filter(|_| status == 200) {
            Some(engine) => Ok(ClockDifference::between(engine.clamp(before, now().max(before)), engine)),
            None => Err(ClockError::NotTold { status, request, body: body.chars().take(500).collect() }),
        }
    }
}
