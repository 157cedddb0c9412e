//! Tokens to join the media rooms.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::App;
use super::super::extract::{Body, SignedIn};
use super::super::problem::{ApiError, Problem};
use crate::domain::presence::Part;
use crate::service::rooms;

/// For whom.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct TokenBody {
    /// Name as shown in the room; one's own when left out.
    #[serde(default)]
    name: String,
    /// `presiding_officer`, `party`, `representative`, `witness`, `other_side`, `interpreter`, `scribe`, `observer` or `coordinator`.
    role: String,
}

/// Permission to join.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TokenDocument {
    token: String,
    /// Identifier of this member inside the room, as `admit` takes it.
    member: String,
    expires_at: String,
}

/// Gives a token to join a room.
#[utoipa::path(post, path = "/api/v1/rooms/{room}/tokens", request_body = TokenBody, params(("room" = String, Path)), responses(
    (status = 200, body = TokenDocument),
    (status = 401, body = Problem),
    (status = 403, body = Problem),
    (status = 404, body = Problem),
    (status = 422, body = Problem),
))]
pub(super) async fn token(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Path(room): Path<String>,
    Body(body): Body<TokenBody>,
) -> Result<Json<TokenDocument>, ApiError> {
    let part = Part::from_code(&body.role).ok_or_else(|| ApiError::field("role", "error-role"))?;
    let seat = rooms::give_token(&app.hub, &actor, &room, &body.name, part).await?;
    Ok(Json(TokenDocument { token: seat.token, member: seat.join.member, expires_at: seat.join.until.rfc3339() }))
}
