//! Signing in as a program.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::App;
use super::super::extract::{Body, SignedIn, session_token};
use super::super::problem::{ApiError, Problem};
use crate::service::sign_in;

/// Name and password.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Credentials {
    username: String,
    password: String,
}

/// A session.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Session {
    /// To be sent as `Authorization: Bearer`.
    token: String,
    expires_at: String,
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    name: String,
    role: &'static str,
    control_room: Option<String>,
}

/// Opens a session.
#[utoipa::path(post, path = "/api/v1/session", request_body = Credentials, security(()), responses(
    (status = 200, body = Session),
    (status = 401, body = Problem, description = "wrong name or password"),
    (status = 422, body = Problem),
    (status = 429, body = Problem),
))]
pub(super) async fn open(State(app): State<App>, Body(body): Body<Credentials>) -> Result<Json<Session>, ApiError> {
    let (token, until) =
        sign_in::sign_in(&app.hub, &body.username, &body.password).await.map_err(|error| match error {
            crate::service::ServiceError::Forbidden => ApiError::new(StatusCode::UNAUTHORIZED, "wrong-password"),
            other => other.into(),
        })?;
    Ok(Json(Session { token, expires_at: until.rfc3339() }))
}

/// The token a request carries.
pub(super) struct Token(String);

impl FromRequestParts<App> for Token {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        session_token(parts).map(|t| Self(t.to_owned())).ok_or_else(ApiError::unauthorized)
    }
}

/// Ends the session.
#[utoipa::path(delete, path = "/api/v1/session", responses((status = 204), (status = 401, body = Problem)))]
pub(super) async fn close(State(app): State<App>, SignedIn(_): SignedIn, token: Token) -> Result<StatusCode, ApiError> {
    sign_in::sign_out(&app.hub, &token.0).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says who is signed in.
#[utoipa::path(get, path = "/api/v1/me", responses((status = 200, body = Me), (status = 401, body = Problem)))]
pub(super) async fn me(SignedIn(actor): SignedIn) -> Json<Me> {
    Json(Me { name: actor.name, role: actor.role.code(), control_room: actor.control_room })
}
