//! The HTTP client of `aws-config`, made of the one that is here already.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

use crate::elasticsearch::client::{Client, ClientError, cause};

/// Asks the services that give credentials: STS, the container's and the instance's. Through no proxy.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    client: reqwest::Client,
    timeout: Duration,
}

impl Connector {
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
    /// Where AWS's library names none.
    const TIMEOUT: Duration = Duration::from_secs(4);

    pub(super) fn new() -> Result<Self, ClientError> {
        let builder = reqwest::Client::builder()
            .user_agent(Client::USER_AGENT)
            .connect_timeout(Self::CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy();
        let client = builder.build().map_err(|error| ClientError::Tls { reason: cause::root(&error) })?;
        Ok(Self { client, timeout: Self::TIMEOUT })
    }

    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let request = request.map(|body| body.bytes().unwrap_or_default().to_vec());
        let mut request = reqwest::Request::try_from(request).map_err(|error| ConnectorError::user(error.into()))?;
        *request.timeout_mut() = Some(self.timeout);
        let response = self.client.execute(request).await.map_err(failed)?;
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        let body = response.bytes().await.map_err(failed)?;
        let answer = answer.body(SdkBody::from(body)).map_err(|error| ConnectorError::other(error.into(), None))?;
        answer
            .try_into()
            .map_err(|error: aws_smithy_runtime_api::http::HttpError| ConnectorError::other(error.into(), None))
    }
}

fn failed(error: reqwest::Error) -> ConnectorError {
    if error.is_timeout() { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().send(request))
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let timeout = settings.read_timeout().unwrap_or(Self::TIMEOUT);
        SharedHttpConnector::new(Self { timeout, ..self.clone() })
    }
}
