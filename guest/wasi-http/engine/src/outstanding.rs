use std::cell::RefCell;

use crate::bindings::wasi::http::outgoing_handler::FutureIncomingResponse;

thread_local! {
    static OUTSTANDING: RefCell<Vec<FutureIncomingResponse>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a request that is not waited for: a host may cancel it when its future is dropped.
pub(crate) fn keep(response: FutureIncomingResponse) {
    OUTSTANDING.with_borrow_mut(|outstanding| {
        outstanding.retain(|response| !response.subscribe().ready());
        outstanding.push(response);
    });
}
