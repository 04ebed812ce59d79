use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use backup_actuator::{CreateRequest, MAX_BODY_BYTES, RequestError, expect_json};

use super::ApiError;
use super::layers::Subject;

/// The body of `POST /actuator/backups`.
pub(super) struct CreateBody(pub(super) CreateRequest);

/// A body that is JSON by its content type.
pub(super) struct JsonBody(pub(super) Bytes);

/// How long a body may take to arrive as a whole.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

impl<S: Sync> FromRequest<S> for CreateBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let subject = request.extensions().get::<Subject>().cloned();
        let JsonBody(body) = JsonBody::from_request(request, state).await?;
        let request = CreateRequest::parse(&body)?;
        subject.inspect(|subject| subject.set(&request.backup_id));
        Ok(Self(request))
    }
}

impl<S: Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        expect_json(content_type)?;
        Ok(Self(read(request.into_body(), MAX_BODY_BYTES).await.ok_or(RequestError::BodyTooLarge)?))
    }
}

/// `None`: it has more than `max_bytes`, or does not arrive.
pub(super) async fn read(body: Body, max_bytes: usize) -> Option<Bytes> {
    tokio::time::timeout(BODY_TIMEOUT, to_bytes(body, max_bytes)).await.ok()?.ok()
}
