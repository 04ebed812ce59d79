use crate::bindings::optimize::wasi_http::scopes::{Scope, enter};

/// Makes a call of the policy in the scope that is its own, and grants only reading when the call has ended.
pub(crate) fn within<T>(scope: Scope, call: impl FnOnce() -> T) -> T {
    enter(&scope);
    let answer = call();
    enter(&Scope::Read);
    answer
}
