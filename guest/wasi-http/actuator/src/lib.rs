//! The API of backups over `wasi:http`, as a component: it calls the policy that it is composed with.
//!
//! Between two requests, an instance remembers only which runs it has deleted.

mod api;
mod background;
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
        let (reply, background) = api::respond(&request);
        reply.send(response);
        drop(request);
        background.run();
    }
}
