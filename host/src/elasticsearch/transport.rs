use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use backup_core::Engine;
use tokio_util::task::AbortOnDropHandle;

use super::{
    Client, Cluster, Granted, LargeResponsePermit, Method, Outstanding, Recording, Response, TransportError, retry,
};

/// The future of [`Transport`]'s methods.
pub type ResponseFuture<'a> = Pin<Box<dyn Future<Output = Result<Response, TransportError>> + Send + 'a>>;

/// Sends granted requests to an engine over a network: the [`Client`], or a test's replacement of it.
pub trait Transport: Send + Sync {
    /// Sends a request once and waits for the answer, for at most `timeout`.
    fn send<'a>(&'a self, request: &'a Granted, timeout: Duration) -> ResponseFuture<'a>;

    /// The same. After a large answer `permit` is held until its owner releases it.
    fn read<'a>(
        &'a self,
        request: &'a Granted,
        timeout: Duration,
        permit: &'a LargeResponsePermit,
    ) -> ResponseFuture<'a> {
        let _ = permit;
        self.send(request, timeout)
    }

    /// Sends a request that can take minutes: `timeout` takes the place of the usual limit.
    fn submit<'a>(&'a self, request: &'a Granted, timeout: Duration) -> ResponseFuture<'a>;
}

impl Transport for Client {
    fn send<'a>(&'a self, request: &'a Granted, timeout: Duration) -> ResponseFuture<'a> {
        Box::pin(Self::send(self, request, timeout))
    }

    fn read<'a>(
        &'a self,
        request: &'a Granted,
        timeout: Duration,
        permit: &'a LargeResponsePermit,
    ) -> ResponseFuture<'a> {
        Box::pin(Self::read(self, request, timeout, permit))
    }

    fn submit<'a>(&'a self, request: &'a Granted, timeout: Duration) -> ResponseFuture<'a> {
        Box::pin(Self::submit(self, request, timeout))
    }
}

/// Where granted requests go.
#[derive(Clone)]
pub enum Destination {
    /// The cluster that the operator configured.
    Cluster(Arc<Cluster>),
    /// An engine in this process, for the self-test and for tests.
    InProcess(Arc<dyn Engine + Send + Sync>),
    /// Another destination; a call's requests and their answers are recorded.
    Recorded(Arc<Self>, Arc<Recording>),
    /// Answers from a record; what is not in it is read from the other destination.
    Replayed(Arc<Self>, Arc<Recording>),
}

/// The outcome of a request that can take minutes.
pub(crate) enum Submitted {
    Answered(Result<Response, TransportError>),
    Outstanding(Outstanding),
}

impl Destination {
    /// Sends to a cluster over a network.
    pub fn cluster(transport: Arc<dyn Transport>) -> Self {
        Self::Cluster(Arc::new(Cluster::new(transport)))
    }

    /// Sends a request, a read again for a while if its failure may pass. After a large answer `permit` is held.
    pub(crate) async fn send(
        &self,
        request: &Granted,
        timeout: Duration,
        permit: &LargeResponsePermit,
    ) -> Result<Response, TransportError> {
        match self {
            Self::Cluster(cluster) => cluster.send(request, timeout, permit).await,
            Self::InProcess(engine) => engine.send(request.request()),
            Self::Recorded(engine, recording) => {
                let answer = Box::pin(engine.send(request, timeout, permit)).await;
                recording.record(request, &answer);
                answer
            }
            Self::Replayed(engine, recording) => match recording.replay(request) {
                Some(answer) => answer,
                None => Box::pin(engine.send(request, timeout, permit)).await,
            },
        }
    }

    /// Sends a request without retries.
    pub(crate) async fn send_once(&self, request: &Granted, timeout: Duration) -> Result<Response, TransportError> {
        match self {
            Self::Cluster(cluster) => cluster.transport.send(request, timeout).await,
            Self::InProcess(_) if request.request().method == Method::Post => {
                Err(TransportError::Denied("an engine in this process verifies no repository".to_owned()))
            }
            Self::InProcess(engine) => engine.send(request.request()),
            Self::Recorded(engine, _) | Self::Replayed(engine, _) => Box::pin(engine.send_once(request, timeout)).await,
        }
    }

    /// Sends a request that may take up to `timeout`. An answer within `early` is returned; otherwise the request
    /// goes on in the background.
    pub(crate) async fn submit(&self, granted: Granted, early: Duration, timeout: Duration) -> Submitted {
        match self {
            Self::Cluster(cluster) => retry::submit(Arc::clone(&cluster.transport), granted, early, timeout).await,
            Self::InProcess(engine) => submit_in_process(engine.as_ref(), &granted),
            Self::Recorded(engine, _) | Self::Replayed(engine, _) => {
                Box::pin(engine.submit(granted, early, timeout)).await
            }
        }
    }
}

fn submit_in_process(engine: &dyn Engine, granted: &Granted) -> Submitted {
    match engine.submit(granted.request()) {
        Ok(Some(response)) => Submitted::Answered(Ok(response)),
        // Such an engine has done it before anybody can ask again.
        Ok(None) => Submitted::Outstanding(AbortOnDropHandle::new(tokio::spawn(async {
            Ok(Response { status: 200, retry_after: None, body: "{}".to_owned() })
        }))),
        Err(error) => Submitted::Answered(Err(error)),
    }
}
