use super::scratch::{Scratch, some_of};
use crate::operations::send;
use crate::refusal::success;
use crate::verification::scratch::LOCK;
use crate::verification::{VerificationHolder, VerificationTraces};
use crate::{Context, Engine, Error, Request};

/// Far more requests than there can be copies for: somebody else goes on making them.
const MAX_ROUNDS: usize = 1_000;

/// Tells what verifications have left.
///
/// # Errors
/// Why it could not be read.
pub fn traces(engine: &impl Engine, context: &Context) -> Result<VerificationTraces, Error> {
    let scratch = Scratch::names(engine, context)?;
    let nameless = (scratch.is_locked && scratch.holder.is_none()).then(|| LOCK.to_owned());
    let indices = scratch.indices.into_keys().chain(nameless).collect();
    Ok(VerificationTraces { holder: scratch.holder, indices })
}

/// Deletes the copies and the lock, if that is still this holder's; without a holder, what there is without a lock that tells
/// one. Whether it has.
///
/// # Errors
/// Why something could not be deleted. Call it again.
pub fn clear(engine: &impl Engine, context: &Context, holder: Option<&VerificationHolder>) -> Result<bool, Error> {
    for _ in 0..MAX_ROUNDS {
        let scratch = Scratch::names(engine, context)?;
        if scratch.holder.as_ref() != holder {
            return Ok(false);
        }
        let request = match some_of(scratch.indices.keys()) {
            Some(copies) => Request::delete_indices(&copies),
            None if scratch.is_locked => Request::release_lock(),
            None => return Ok(true),
        };
        let is_last = scratch.indices.is_empty();
        match success(&send(engine, &request)?) {
            Ok(_) if is_last => return Ok(true),
            // Somebody else deletes them, too.
            Err(refusal) if !refusal.is_index_missing() => {
                return Err(Error::refused(&request, refusal, context.repository()?));
            }
            _ => {}
        }
    }
    Ok(false)
}
