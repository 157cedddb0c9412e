//! Hearings.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::App;
use super::super::extract::{Body, OnceBody, SignedIn};
use super::super::problem::{ApiError, Problem};
use super::cases::number;
use super::document::{self, HearingDocument, HistoryDocument, Page};
use crate::domain::hearing::{Finding, HearingCommand, Medium};
use crate::id::HearingId;
use crate::service::hearings::{self, Fixing, HearingAction};
use crate::time::Timestamp;

/// A hearing to be fixed.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct FixingBody {
    /// `video`, `control_room`, `telephone`, `in_person` or `mixed`.
    medium: String,
    /// RFC 3339 with offset.
    starts_at: String,
    /// Code of a control room.
    #[serde(default)]
    control_room: Option<String>,
}

/// Fixes a hearing and tells everybody concerned.
#[utoipa::path(post, path = "/api/v1/cases/{number}/hearings", request_body = FixingBody,
    params(("number" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "makes a repetition one")),
    responses(
        (status = 201, body = HearingDocument),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 404, body = Problem),
        (status = 409, body = Problem),
        (status = 422, body = Problem),
    ))]
pub(super) async fn fix(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Path(text): Path<String>,
    once: OnceBody<FixingBody>,
) -> Result<(StatusCode, Json<HearingDocument>), ApiError> {
    let key = once.once(actor.account.as_str());
    let body = once.body;
    let fixing = Fixing {
        medium: Medium::from_code(&body.medium).ok_or_else(|| ApiError::field("medium", "error-medium"))?,
        starts_at: Timestamp::parse_rfc3339(&body.starts_at)
            .ok_or_else(|| ApiError::field("starts_at", "error-date"))?,
        control_room: body.control_room,
    };
    let hearing = hearings::fix(&app.hub, &actor, number(&text)?, fixing, key.as_ref()).await?;
    let file = hearings::read(&app.hub, &actor, &hearing.id).await?;
    Ok((StatusCode::CREATED, Json(document::hearing(file))))
}

/// Reads a hearing.
#[utoipa::path(get, path = "/api/v1/hearings/{id}", params(("id" = String, Path)), responses(
    (status = 200, body = HearingDocument), (status = 401, body = Problem), (status = 404, body = Problem),
))]
pub(super) async fn read(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<HearingDocument>, ApiError> {
    let file = hearings::read(&app.hub, &actor, &identifier(&id)?).await?;
    Ok(Json(document::hearing(file)))
}

/// Reads a hearing's log.
#[utoipa::path(get, path = "/api/v1/hearings/{id}/log", params(("id" = String, Path)), responses(
    (status = 200, body = Page<HistoryDocument>), (status = 401, body = Problem), (status = 404, body = Problem),
))]
pub(super) async fn log(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Page<HistoryDocument>>, ApiError> {
    let file = hearings::read(&app.hub, &actor, &identifier(&id)?).await?;
    let items = file
        .log
        .into_iter()
        .map(|line| HistoryDocument {
            seq: line.seq,
            at: line.at.rfc3339(),
            kind: line.event.kind(),
            by: line.author.into(),
            detail: serde_json::to_value(&line.event).unwrap_or_default(),
        })
        .collect();
    Ok(Json(Page { items, next: None }))
}

/// An issue and what was found on it.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(super) struct FindingBody {
    issue: String,
    finding: String,
}

/// What goes with a step; which fields are needed depends on the step.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct ActionBody {
    member: String,
    reason: String,
    channel: String,
    result: String,
    text: String,
    findings: Vec<FindingBody>,
    /// Of the order as a whole.
    reasons: String,
}

/// Takes a step in a hearing: `serve`, `start`, `admit`, `send_back`, `mute`, `pause`, `resume`, `end`, `attempt`, `ex_parte`, `record`, `order`.
#[utoipa::path(post, path = "/api/v1/hearings/{id}/actions/{action}", request_body = ActionBody,
    params(("id" = String, Path), ("action" = String, Path)), responses(
    (status = 200, body = HearingDocument),
    (status = 401, body = Problem),
    (status = 403, body = Problem),
    (status = 404, body = Problem),
    (status = 409, body = Problem, description = "a rule refuses; `type` ends in its name"),
    (status = 422, body = Problem),
    (status = 503, body = Problem, description = "the hearing cannot be recorded now"),
))]
pub(super) async fn act(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Path((id, action)): Path<(String, String)>,
    Body(body): Body<ActionBody>,
) -> Result<Json<HearingDocument>, ApiError> {
    let id = identifier(&id)?;
    hearings::act(&app.hub, &actor, &id, read_action(&action, body)?).await?;
    let file = hearings::read(&app.hub, &actor, &id).await?;
    Ok(Json(document::hearing(file)))
}

fn read_action(name: &str, body: ActionBody) -> Result<HearingAction, ApiError> {
    let step = match name {
        "admit" => return Ok(HearingAction::Admit { member: body.member }),
        "send_back" => return Ok(HearingAction::SendBack { member: body.member }),
        "mute" => return Ok(HearingAction::Mute { member: body.member }),
        "serve" => {
            HearingCommand::Serve { channel: if body.channel.is_empty() { "officer".to_owned() } else { body.channel } }
        }
        "start" => HearingCommand::Start,
        "pause" => HearingCommand::Pause { reason: body.reason },
        "resume" => HearingCommand::Resume,
        "end" => HearingCommand::End,
        "attempt" => HearingCommand::Attempt { channel: body.channel, result: body.result },
        "ex_parte" => HearingCommand::ExParte { reason: body.reason },
        "record" => HearingCommand::Record { text: body.text },
        "order" => HearingCommand::Order {
            findings: body.findings.into_iter().map(|f| Finding { issue: f.issue, finding: f.finding }).collect(),
            reasons: body.reasons,
        },
        _ => return Err(ApiError::not_found()),
    };
    Ok(HearingAction::Step(step))
}

pub(super) fn identifier(text: &str) -> Result<HearingId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found())
}
