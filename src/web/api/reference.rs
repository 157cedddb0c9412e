//! The list of control rooms, and the review's figures.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::super::App;
use super::super::extract::SignedIn;
use super::super::problem::{ApiError, Problem};
use super::document::Page;
use crate::service::{ServiceError, review};
use crate::store::desks;

/// A control room.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ControlRoomDocument {
    code: String,
    city: String,
    state: String,
}

/// Lists the control rooms.
#[utoipa::path(get, path = "/api/v1/control-rooms", responses(
    (status = 200, body = Page<ControlRoomDocument>), (status = 401, body = Problem),
))]
pub(super) async fn control_rooms(State(app): State<App>, _: SignedIn) -> Result<Json<Page<ControlRoomDocument>>, ApiError> {
    let rooms = async {
        let mut tx = app.hub.store.read().await?;
        desks::rooms(&mut tx).await
    };
    let items = rooms
        .await
        .map_err(ServiceError::from)?
        .into_iter()
        .map(|r| ControlRoomDocument { code: r.code, city: r.city, state: r.state })
        .collect();
    Ok(Json(Page { items, next: None }))
}

/// Counts of a day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DayDocument {
    filed: i64,
    concluded: i64,
}

/// The review's figures.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReviewDocument {
    as_of: String,
    today: DayDocument,
    yesterday: DayDocument,
    same_day_last_week: DayDocument,
    open: i64,
    attend_overdue: i64,
    conclude_overdue: i64,
    hearings_today: i64,
    open_by_state: BTreeMap<String, i64>,
}

/// Reads the review's figures.
#[utoipa::path(get, path = "/api/v1/review", responses(
    (status = 200, body = ReviewDocument), (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(super) async fn review(State(app): State<App>, SignedIn(actor): SignedIn) -> Result<Json<ReviewDocument>, ApiError> {
    let r = review::review(&app.hub, &actor).await?;
    let day = |f: crate::store::cases::Figures| DayDocument { filed: f.filed, concluded: f.concluded };
    Ok(Json(ReviewDocument {
        as_of: r.as_of.rfc3339(),
        today: day(r.today),
        yesterday: day(r.yesterday),
        same_day_last_week: day(r.last_week),
        open: r.open,
        attend_overdue: r.attend_overdue,
        conclude_overdue: r.conclude_overdue,
        hearings_today: r.hearings_today,
        open_by_state: r.open_by_state.into_iter().collect(),
    }))
}
