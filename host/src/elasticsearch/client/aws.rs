//! Signs requests for OpenSearch on AWS (SigV4), with the credentials that AWS's tools find in the environment.
//!
//! The search, with all its places and their order, is AWS's own: `aws-config`. It is done at the first request, and again
//! when the credentials are about to expire.

mod connector;
mod signature;

use std::time::{Duration, Instant, SystemTime};

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use reqwest::Body;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use tokio::sync::Mutex;

use self::connector::Connector;
use super::{ClientError, cause};

pub(super) struct Signer {
    connector: Connector,
    found: Mutex<Found>,
}

/// What the searches so far have found.
#[derive(Default)]
struct Found {
    environment: Option<Environment>,
    credentials: Option<Credentials>,
    /// The failure of the last search, if it failed.
    failure: Option<(Instant, SignError)>,
}

/// Where this server runs, and what can tell who it is.
#[derive(Clone)]
struct Environment {
    region: Region,
    provider: SharedCredentialsProvider,
}

/// Why a request is not signed, and so not sent. No text holds a credential.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum SignError {
    #[error(
        "`opensearch.connection.awsEnabled` needs AWS's region: set AWS_REGION. It was looked for in AWS_REGION, \
         AWS_DEFAULT_REGION, the profile in ~/.aws/config and the metadata of the EC2 instance"
    )]
    NoRegion,
    #[error(
        "`opensearch.connection.awsEnabled` needs AWS credentials, and none were found in the variables AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY, the profile in ~/.aws, the web identity of AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, the \
         container's AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI, and the metadata of the EC2 instance: {0}"
    )]
    NoCredentials(String),
    #[error("the request cannot be signed for AWS: {0}")]
    Unsignable(String),
}

impl Signer {
    /// Less than a readiness probe waits, so that the probe can tell of it.
    const SEARCH_TIMEOUT: Duration = Duration::from_secs(4);
    /// For so long the failure of a search is told without another one.
    const FAILURE_STAYS: Duration = Duration::from_secs(10);
    /// For so long before they expire credentials are renewed. If that fails, they are used to the end.
    const RENEWAL: Duration = Duration::from_secs(300);

    pub(super) fn of_the_environment() -> Result<Self, ClientError> {
        Ok(Self { connector: Connector::new()?, found: Mutex::default() })
    }

    /// Adds the headers that prove who has sent the request.
    pub(super) async fn sign(&self, request: &mut reqwest::Request) -> Result<(), SignError> {
        let (region, credentials) = self.identity().await?;
        let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let unsigned = signature::Unsigned {
            method: request.method().as_str(),
            url: request.url().as_str(),
            headers: content_type.map(|value| (CONTENT_TYPE.as_str(), value)).into_iter().collect(),
            body: request.body().and_then(Body::as_bytes).unwrap_or_default(),
        };
        let scope = signature::Scope { region: region.as_ref(), service: "es", time: SystemTime::now() };
        for (name, value) in signature::of(&unsigned, &scope, &credentials.into(), signature::BODY_HASH)? {
            let mut value = HeaderValue::try_from(value).map_err(|error| SignError::Unsignable(error.to_string()))?;
            value.set_sensitive(true);
            let name = HeaderName::try_from(name).map_err(|error| SignError::Unsignable(error.to_string()))?;
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }

    /// The region, and credentials that have not expired. Callers who come during a search get its outcome.
    async fn identity(&self) -> Result<(Region, Credentials), SignError> {
        let mut found = self.found.lock().await;
        if let Some(identity) = found.valid_for(Self::RENEWAL) {
            return Ok(identity);
        }
        let failed_lately = found.failure.as_ref().is_some_and(|(at, _)| at.elapsed() < Self::FAILURE_STAYS);
        if !failed_lately {
            let outcome = tokio::time::timeout(Self::SEARCH_TIMEOUT, found.search(&self.connector)).await;
            let failure = outcome.unwrap_or_else(|_elapsed| Err(found.unanswered())).err();
            found.failure = failure.map(|failure| {
                tracing::warn!(%failure, "the search for AWS credentials failed");
                (Instant::now(), failure)
            });
        }
        match (found.valid_for(Duration::ZERO), &found.failure) {
            (Some(identity), _) => Ok(identity),
            (None, Some((_, failure))) => Err(failure.clone()),
            (None, None) => Err(SignError::NoCredentials("they have expired already".to_owned())),
        }
    }
}

impl Found {
    fn valid_for(&self, time: Duration) -> Option<(Region, Credentials)> {
        let at = SystemTime::now() + time;
        let credentials = self.credentials.as_ref().filter(|found| found.expiry().is_none_or(|expiry| expiry > at))?;
        Some((self.environment.as_ref()?.region.clone(), credentials.clone()))
    }

    async fn search(&mut self, connector: &Connector) -> Result<(), SignError> {
        let environment = match &self.environment {
            Some(environment) => environment.clone(),
            None => self.environment.insert(Environment::explore(connector).await?).clone(),
        };
        let found = environment.provider.provide_credentials().await;
        self.credentials = Some(found.map_err(|error| SignError::NoCredentials(cause::root(&error)))?);
        Ok(())
    }

    fn unanswered(&self) -> SignError {
        match self.environment {
            None => SignError::NoRegion,
            Some(_) => SignError::NoCredentials(format!("no answer within {:?}", Signer::SEARCH_TIMEOUT)),
        }
    }
}

impl Environment {
    async fn explore(connector: &Connector) -> Result<Self, SignError> {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(connector.clone()).load().await;
        let region = config.region().cloned().ok_or(SignError::NoRegion)?;
        let nowhere = || SignError::NoCredentials("there is nowhere to look".to_owned());
        Ok(Self { region, provider: config.credentials_provider().ok_or_else(nowhere)? })
    }
}
