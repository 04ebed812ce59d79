use std::sync::Arc;
use std::time::Duration;

use backup_core::Engine;
use tokio_util::task::AbortOnDropHandle;

use super::{Granted, Recording, Response, Transport, TransportError, retry};

/// Where granted requests go.
#[derive(Clone)]
pub enum Destination {
    /// The cluster that the operator configured.
    Cluster(Arc<dyn Transport>),
    /// An engine within this process that answers at once, to try policies on.
    InProcess(Arc<dyn Engine + Send + Sync>),
    /// Another destination, with a record of what is read from it by a call that only reads.
    Recorded(Arc<Self>, Arc<Recording>),
    /// Such a record, for another such call; what is not in it is read from the other destination.
    Replayed(Arc<Self>, Arc<Recording>),
}

/// What became of a request that can take minutes.
pub(crate) enum Submitted {
    /// It is answered.
    Answered(Result<Response, TransportError>),
    /// The engine is still at it.
    Outstanding(AbortOnDropHandle<Result<Response, TransportError>>),
}

impl Destination {
    /// Sends a request, a read again for a while if its failure may pass.
    ///
    /// # Errors
    /// The last attempt's.
    pub(crate) async fn send(&self, request: &Granted, budget: Duration) -> Result<Response, TransportError> {
        match self {
            Self::Cluster(client) => retry::send(client.as_ref(), request, budget).await,
            Self::InProcess(engine) => engine.send(request.request()),
            Self::Recorded(engine, recording) => {
                let answer = Box::pin(engine.send(request, budget)).await;
                recording.note(request, &answer);
                answer
            }
            Self::Replayed(engine, recording) => match recording.replay(request) {
                Some(answer) => answer,
                None => Box::pin(engine.send(request, budget)).await,
            },
        }
    }

    /// Sends a request once.
    ///
    /// # Errors
    /// If there is no answer.
    pub(crate) async fn ask(&self, request: &Granted, budget: Duration) -> Result<Response, TransportError> {
        match self {
            Self::Cluster(client) => client.send(request, budget).await,
            Self::InProcess(_) | Self::Recorded(..) | Self::Replayed(..) => self.send(request, budget).await,
        }
    }

    /// Sends a request, and stops waiting after `patience` without giving it up: it may take up to
    /// `longest`.
    pub(crate) async fn submit(&self, granted: Granted, patience: Duration, longest: Duration) -> Submitted {
        let client = match self {
            Self::Cluster(client) => Arc::clone(client),
            Self::InProcess(engine) => return submit_in_process(engine.as_ref(), &granted),
            Self::Recorded(engine, _) | Self::Replayed(engine, _) => {
                return Box::pin(engine.submit(granted, patience, longest)).await;
            }
        };
        let submitted = async move { retry::submit(client.as_ref(), &granted, longest).await };
        let mut request = AbortOnDropHandle::new(tokio::spawn(submitted));
        match tokio::time::timeout(patience, &mut request).await {
            Ok(Ok(outcome)) => Submitted::Answered(outcome),
            Ok(Err(aborted)) => Submitted::Answered(Err(TransportError::Interrupted(aborted.to_string()))),
            Err(_elapsed) => Submitted::Outstanding(request),
        }
    }
}

fn submit_in_process(engine: &dyn Engine, granted: &Granted) -> Submitted {
    match engine.submit(granted.request()) {
        Ok(Some(response)) => Submitted::Answered(Ok(response)),
        // Such an engine has done it by the time that anybody asks again.
        Ok(None) => Submitted::Outstanding(AbortOnDropHandle::new(tokio::spawn(async {
            Ok(Response { status: 200, retry_after: None, body: "{}".to_owned() })
        }))),
        Err(error) => Submitted::Answered(Err(error)),
    }
}
