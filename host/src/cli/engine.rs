//! The search engine, as the settings of `serve` lead to it: for commands that need no server.

use std::sync::Arc;
use std::time::Duration;

use backup_actuator::policy_settings;
use backup_core::{
    self as core, Context, Engine, EngineClock, Request, Response, Timestamp, TransportError, milliseconds,
};
use backup_elasticsearch::{OperatorRequest, OwnRequest};
use tokio::runtime::Handle;

use crate::clock;
use crate::elasticsearch::{Capability, Client, ClientError, Destination, Grants};
use crate::settings::Settings;

/// Sends each request once, and gives it the time of a whole call.
#[derive(Clone)]
pub(super) struct EngineAccess {
    pub(super) capability: Capability,
    pub(super) timeout: Duration,
    settings: core::Settings,
}

impl EngineAccess {
    /// Reads the certificates; does not connect.
    pub(super) fn new(settings: &Settings) -> Result<Self, ClientError> {
        let client = Client::new(settings.connection.clone(), settings.limits)?;
        let grants = Grants::new(settings.repository.clone(), settings.index_prefix.clone());
        Ok(Self {
            capability: Capability::new(Destination::cluster(Arc::new(client)), grants),
            timeout: settings.limits.request_timeout,
            settings: policy_settings(settings),
        })
    }

    pub(super) async fn read(&self, request: Request) -> Result<Response, TransportError> {
        self.capability.read_once(request, self.timeout).await
    }

    pub(super) async fn own(&self, request: OwnRequest) -> Result<Response, TransportError> {
        self.capability.own(request, self.timeout).await
    }

    pub(super) async fn operate(&self, request: OperatorRequest) -> Result<Response, TransportError> {
        self.capability.operate(request, self.timeout).await
    }

    /// Runs an operation of the rules that only reads.
    pub(super) async fn operation<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Blocking, &Context) -> Result<T, core::Error> + Send + 'static,
    ) -> Result<T, core::Error> {
        let engine = Blocking { access: self.clone(), runtime: Handle::current() };
        let context = Context {
            settings: self.settings.clone(),
            now: Timestamp(milliseconds(clock::since_epoch())),
            engine_clock: EngineClock::NotAsked,
            run_id: String::new(),
            host: String::new(),
            notes: Vec::new(),
        };
        let outcome = tokio::task::spawn_blocking(move || operation(&engine, &context)).await;
        outcome.unwrap_or_else(|aborted| Err(core::Error::EngineUnreachable(aborted.to_string())))
    }
}

/// For the rules, which wait for each answer.
pub(super) struct Blocking {
    access: EngineAccess,
    runtime: Handle,
}

impl Engine for Blocking {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        self.runtime.block_on(self.access.read(request.clone()))
    }

    fn submit(&self, request: &Request) -> Result<Option<Response>, TransportError> {
        self.send(request).map(Some)
    }
}
