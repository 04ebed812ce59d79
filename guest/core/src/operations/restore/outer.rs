use crate::{Context, Engine, Error, IndexPrefix, Installation, Request};

/// The installations that would find the indices of `other` with their own: their prefix is the beginning of it, up to a dash.
///
/// # Errors
/// Why it is not known.
pub fn outer_installations(
    engine: &impl Engine,
    context: &Context,
    other: &IndexPrefix,
) -> Result<Vec<IndexPrefix>, Error> {
    let mut found = Vec::new();
    for outer in other.outer().filter(|outer| *outer != context.settings.index_prefix) {
        let response = engine.send(&Request::resolve(&outer));
        if Installation::read(&outer, response.as_ref().map_err(Clone::clone))?.is_whole() {
            found.push(outer);
        }
    }
    Ok(found)
}
