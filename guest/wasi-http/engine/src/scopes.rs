use std::cell::RefCell;

use backup_elasticsearch::Scope;

use crate::Adapter;
use crate::bindings::exports::optimize::wasi_http::scopes as wit;

thread_local! {
    static CURRENT: RefCell<Scope> = const { RefCell::new(Scope::Read) };
}

/// The scope of the policy's current call: an instance makes one at a time.
pub(crate) fn current() -> Scope {
    CURRENT.with_borrow(Clone::clone)
}

impl wit::Guest for Adapter {
    fn enter(scope: wit::Scope) {
        CURRENT.set(match scope {
            wit::Scope::Read => Scope::Read,
            wit::Scope::Create(id) => Scope::of_create(&id),
            wit::Scope::Advance(id) => Scope::of_advance(id),
            wit::Scope::Delete(id) => Scope::of_delete(&id),
        });
    }
}
