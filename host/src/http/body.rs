use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use backup_actuator::{CreateRequest, MAX_BODY_BYTES, RequestError, expect_json};

use super::ApiError;

/// The body of `POST /actuator/backups`.
pub(super) struct Body(pub(super) CreateRequest);

impl<S: Sync> FromRequest<S> for Body {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let content_type = request.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
        expect_json(content_type)?;
        let body = to_bytes(request.into_body(), MAX_BODY_BYTES).await.map_err(|_| RequestError::BodyTooLarge)?;
        Ok(Self(CreateRequest::parse(&body)?))
    }
}
