//! Cases.

#![expect(unused_qualifications, reason = "the macro that describes the list's parameters writes one")]

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::App;
use super::super::extract::{Body, OnceBody, SignedIn};
use super::super::problem::{ApiError, Problem};
use super::document::{self, CaseDocument, HistoryDocument, Names, Page};
use crate::domain::case::{Channel, Grounds, Outcome};
use crate::domain::number::{CaseNumber, InvalidNumber, Series};
use crate::domain::party::{Applicant, ApplicantKind};
use crate::domain::policy::{Act, Scope, scope};
use crate::service::casework::{self, CaseAction};
use crate::service::filing::{self, Filing};
use crate::service::{Hub, ServiceError, author};
use crate::store::cases as store;
use crate::time::Timestamp;

const DEFAULT_LIMIT: i64 = 50;
const MOST: i64 = 1_000;

/// Who files.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct ApplicantBody {
    /// `unit_with_udyam`, `unit`, `individual` or `association`.
    kind: Option<String>,
    name: Option<String>,
    mobile: Option<String>,
    email: Option<String>,
    unit: Option<String>,
    udyam: Option<String>,
    /// Two letters.
    state: Option<String>,
    district: Option<String>,
}

/// A filing.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct FilingBody {
    /// `GR`, `CP`, `CO`, `IN` or `VI`.
    series: String,
    text: String,
    /// BCP 47; guessed from the text when left out.
    #[serde(default)]
    language: Option<String>,
    applicant: ApplicantBody,
    /// Subject code; read from the text when left out.
    #[serde(default)]
    subject: Option<String>,
}

/// Files a case.
#[utoipa::path(post, path = "/api/v1/cases", request_body = FilingBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "makes a repetition one")),
    responses(
        (status = 201, body = CaseDocument),
        (status = 401, body = Problem),
        (status = 403, body = Problem),
        (status = 422, body = Problem),
    ))]
pub(super) async fn file(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    once: OnceBody<FilingBody>,
) -> Result<(StatusCode, Json<CaseDocument>), ApiError> {
    if !actor.may_ever(Act::File) {
        return Err(ServiceError::Forbidden.into());
    }
    let key = once.once(actor.account.as_str());
    let body = once.body;
    let a = body.applicant;
    let series: Series = body.series.parse().map_err(|_| ApiError::field("series", "error-series"))?;
    let kind = match a.kind.as_deref() {
        None => ApplicantKind::default(),
        Some(code) => ApplicantKind::from_code(code).ok_or_else(|| ApiError::field("applicant.kind", "error-kind"))?,
    };
    let filing = Filing {
        series,
        channel: Channel::Api,
        text: body.text,
        language: body.language.filter(|l| !l.trim().is_empty() && l.len() <= 35),
        applicant: Applicant {
            kind,
            name: a.name.unwrap_or_default(),
            mobile: a.mobile,
            email: a.email,
            unit: a.unit,
            udyam: a.udyam,
            state: a.state,
            district: a.district,
        },
        subject: body.subject.filter(|s| !s.is_empty()),
        attachments: Vec::new(),
        author: author(&actor),
    };
    let case = filing::file(&app.hub, filing, key.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(document::one_case(&app.hub, case).await?)))
}

/// Which cases to list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// How many, to 1,000.
    limit: Option<i64>,
    /// Where the page begins.
    after: Option<String>,
    status: Option<String>,
    series: Option<String>,
    subject: Option<String>,
    state: Option<String>,
    /// `me` for one's own.
    assignee: Option<String>,
    /// Words in number, names or text.
    q: Option<String>,
}

/// Lists cases that one may read, newest first.
#[utoipa::path(get, path = "/api/v1/cases", params(ListQuery), responses(
    (status = 200, body = Page<CaseDocument>),
    (status = 400, description = "a parameter is not of its type"),
    (status = 401, body = Problem),
    (status = 403, body = Problem),
    (status = 422, body = Problem),
))]
pub(super) async fn list(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<CaseDocument>>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::field("limit", "error-limit"));
    }
    let mut filter = store::Filter {
        status: query.status,
        series: query.series,
        subject: query.subject,
        state: query.state,
        search: query.q,
        ..store::Filter::default()
    };
    if query.assignee.as_deref() == Some("me") {
        filter.assignee = Some(actor.account.as_str().to_owned());
    }
    match scope(actor.role, Act::Read) {
        Scope::Never => return Err(ServiceError::Forbidden.into()),
        Scope::All => {}
        Scope::OwnDesk => {
            let desk = actor.desk.as_ref().map(String::from).unwrap_or_default();
            filter.desk_or_assignee = Some((desk, actor.account.as_str().to_owned()));
        }
        Scope::OwnState => filter.state = Some(actor.state.clone().unwrap_or_default()),
    }
    let page = page(&app.hub, &filter, query.after.as_deref(), limit).await.map_err(ServiceError::from)?;
    Ok(Json(page))
}

async fn page(
    hub: &Hub,
    filter: &store::Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Page<CaseDocument>, crate::store::StoreError> {
    let mut tx = hub.store.read().await?;
    let names = Names::load(&mut tx).await?;
    let mut found = store::newest_first(&mut tx, filter, after, limit + 1).await?;
    let wanted = usize::try_from(limit).unwrap_or(0);
    let more = found.len() > wanted;
    found.truncate(wanted);
    let next = if more { found.last().map(|c| c.id.as_str().to_owned()) } else { None };
    let now = hub.clock.now();
    let mut items = Vec::with_capacity(found.len());
    for case in found {
        items.push(document::case(&mut tx, case, &names, now).await?);
    }
    Ok(Page { items, next })
}

/// Reads a number from an address and says what is wrong with it.
pub(in crate::web) fn number(text: &str) -> Result<CaseNumber, ApiError> {
    text.parse().map_err(|wrong| match wrong {
        InvalidNumber::CheckDigit => ApiError::new(StatusCode::NOT_FOUND, "wrong-check-digit"),
        InvalidNumber::Shape => ApiError::not_found(),
    })
}

/// Reads a case.
#[utoipa::path(get, path = "/api/v1/cases/{number}", params(("number" = String, Path)), responses(
    (status = 200, body = CaseDocument), (status = 401, body = Problem), (status = 404, body = Problem),
))]
pub(super) async fn read(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Path(text): Path<String>,
) -> Result<Json<CaseDocument>, ApiError> {
    let case = casework::read(&app.hub, &actor, number(&text)?).await?;
    Ok(Json(document::one_case(&app.hub, case).await?))
}

/// Reads a case's history.
#[utoipa::path(get, path = "/api/v1/cases/{number}/history", params(("number" = String, Path)), responses(
    (status = 200, body = Page<HistoryDocument>), (status = 401, body = Problem), (status = 404, body = Problem),
))]
pub(super) async fn history(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Path(text): Path<String>,
) -> Result<Json<Page<HistoryDocument>>, ApiError> {
    let case = casework::read(&app.hub, &actor, number(&text)?).await?;
    let lines = async {
        let mut tx = app.hub.store.read().await?;
        store::history(&mut tx, &case.id).await
    };
    let items = lines
        .await
        .map_err(ServiceError::from)?
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

/// What goes with a step; which fields are needed depends on the step.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
pub(super) struct ActionBody {
    note: String,
    text: String,
    to: String,
    reason: String,
    /// Of a transfer: puts the subject right.
    subject: Option<String>,
    /// RFC 3339 with offset.
    expected_at: Option<String>,
    /// `favourable`, `partly` or `adverse`.
    outcome: Option<String>,
    reasons: String,
    grounds: Option<GroundsBody>,
}

/// The four grounds, as answered.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the operating procedure names four grounds, each yes or no")]
pub(super) struct GroundsBody {
    humanitarian: bool,
    injustice: bool,
    harassment: bool,
    undue_delay: bool,
}

/// Takes a step with a case: `attend`, `reply`, `transfer`, `interim_reply`, `decide`, `close`, `reopen`, `appeal`.
#[utoipa::path(post, path = "/api/v1/cases/{number}/actions/{action}", request_body = ActionBody,
    params(("number" = String, Path), ("action" = String, Path)), responses(
    (status = 200, body = CaseDocument),
    (status = 401, body = Problem),
    (status = 403, body = Problem),
    (status = 404, body = Problem),
    (status = 409, body = Problem, description = "a rule refuses; `type` ends in its name"),
    (status = 422, body = Problem),
))]
pub(super) async fn act(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Path((text, action)): Path<(String, String)>,
    Body(body): Body<ActionBody>,
) -> Result<Json<CaseDocument>, ApiError> {
    let action = read_action(&action, body)?;
    let case = casework::act(&app.hub, &actor, number(&text)?, action).await?;
    Ok(Json(document::one_case(&app.hub, case).await?))
}

fn read_action(name: &str, body: ActionBody) -> Result<CaseAction, ApiError> {
    Ok(match name {
        "attend" => CaseAction::Attend { note: body.note },
        "reply" => CaseAction::Reply { text: body.text },
        "transfer" => {
            CaseAction::Transfer { to: body.to, reason: body.reason, subject: body.subject.filter(|s| !s.is_empty()) }
        }
        "interim_reply" => CaseAction::InterimReply {
            text: body.text,
            expected_at: body
                .expected_at
                .as_deref()
                .and_then(Timestamp::parse_rfc3339)
                .ok_or_else(|| ApiError::field("expected_at", "error-date"))?,
        },
        "decide" => CaseAction::Decide {
            outcome: body
                .outcome
                .as_deref()
                .and_then(Outcome::from_code)
                .ok_or_else(|| ApiError::field("outcome", "error-outcome"))?,
            reasons: body.reasons,
            grounds: body.grounds.map(|g| Grounds {
                humanitarian: g.humanitarian,
                injustice: g.injustice,
                harassment: g.harassment,
                undue_delay: g.undue_delay,
            }),
        },
        "close" => CaseAction::Close { text: body.text },
        "reopen" => CaseAction::Reopen { reason: body.reason },
        "appeal" => CaseAction::Appeal { reason: body.reason },
        _ => return Err(ApiError::not_found()),
    })
}

/// Reads the content of something kept beside a case.
#[utoipa::path(get, path = "/api/v1/cases/{number}/attachments/{id}",
    params(("number" = String, Path), ("id" = String, Path)), responses(
    (status = 200, description = "the content", content_type = "application/octet-stream"),
    (status = 206, description = "a part of it", content_type = "application/octet-stream"),
    (status = 401, body = Problem),
    (status = 404, body = Problem),
    (status = 416, description = "no such part"),
))]
pub(super) async fn attachment(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Path((text, id)): Path<(String, String)>,
    headers: axum::http::HeaderMap,
) -> Result<Response, ApiError> {
    let case = casework::read(&app.hub, &actor, number(&text)?).await?;
    let id = id.parse().map_err(|_| ApiError::not_found())?;
    let found = async {
        let mut tx = app.hub.store.read().await?;
        store::attachment(&mut tx, &id).await
    };
    let attachment = found
        .await
        .map_err(ServiceError::from)?
        .filter(|a| a.case.as_ref() == Some(&case.id))
        .ok_or_else(ApiError::not_found)?;
    let range = headers.get(header::RANGE).and_then(|r| r.to_str().ok());
    let path = app.hub.files.attachment(&attachment);
    Ok(super::super::ranged::file(&path, &attachment.media_type, range).await?.into_response())
}
