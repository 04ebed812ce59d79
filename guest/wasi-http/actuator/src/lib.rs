//! The API of backups over `wasi:http`, as a component: it asks the policy that it is composed with.
//!
//! An instance keeps nothing between two requests but which runs it has deleted. What goes on after an answer is
//! in `afterwards`.

mod afterwards;
mod api;
mod bindings;
mod clock;
mod error;
mod log;
mod policy;
mod reply;
mod request;
mod routes;
mod scope;
mod settings;

use bindings::exports::wasi::http::incoming_handler::{Guest, IncomingRequest, ResponseOutparam};

struct Actuator;

impl Guest for Actuator {
    fn handle(request: IncomingRequest, response: ResponseOutparam) {
        let (reply, afterwards) = api::answer(&request);
        reply.send(response);
        drop(request);
        afterwards.go_on();
    }
}
