//! Whether two policies answered the same, and how to show it if they did not.

use std::mem::discriminant;

use crate::sandbox::CallError;

/// Whether two outcomes are the same to whoever acts on them.
///
/// An answer is compared whole. Of an error only the class and the code count: scripts go by these, the
/// words are for people, and to improve them is no difference.
pub(super) fn is_same<A: PartialEq>(served: &Result<A, CallError>, shadowed: &Result<A, CallError>) -> bool {
    match (served, shadowed) {
        (Ok(served), Ok(shadowed)) => served == shadowed,
        (Err(CallError::Refused(served)), Err(CallError::Refused(shadowed))) => {
            discriminant(served) == discriminant(shadowed) && served.problem().code == shadowed.problem().code
        }
        (Err(CallError::LimitByData { .. }), Err(CallError::LimitByData { .. })) => true,
        _ => false,
    }
}

/// Both texts from shortly before they part, and not at any length.
pub(super) fn excerpts(texts: [&str; 2]) -> [String; 2] {
    const MAX_CHARS_BEFORE: usize = 250;
    const MAX_CHARS: usize = 500;
    let [served, shadowed] = texts;
    let common = served.chars().zip(shadowed.chars()).take_while(|(served, shadowed)| served == shadowed).count();
    let left_out = common.saturating_sub(MAX_CHARS_BEFORE);
    texts.map(|text| {
        let excerpt = text.chars().skip(left_out).take(MAX_CHARS);
        let before = (left_out > 0).then_some('…');
        let after = text.chars().nth(left_out + MAX_CHARS).map(|_| '…');
        before.into_iter().chain(excerpt).chain(after).collect()
    })
}

#[cfg(test)]
mod tests;
