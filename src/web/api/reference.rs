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
pub(super) async fn control_rooms(
    State(app): State<App>,
    _: SignedIn,
) -> Result<Json<Page<ControlRoomDocument>>, ApiError> {
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

/// A figure now, a day ago and a week ago.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FigureDocument {
    now: i64,
    day_ago: i64,
    week_ago: i64,
}

/// The review's figures.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReviewDocument {
    as_of: String,
    /// `received`, `unattended`, `open`, `overdue`, `to-hear`, `heard`, `closed`.
    figures: BTreeMap<String, FigureDocument>,
    open_by_state: BTreeMap<String, i64>,
    /// Numbers of the cases past their day, longest first, fifty at most.
    overdue: Vec<String>,
}

/// Reads the review's figures.
#[utoipa::path(get, path = "/api/v1/review", responses(
    (status = 200, body = ReviewDocument), (status = 401, body = Problem), (status = 403, body = Problem),
))]
pub(super) async fn review(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
) -> Result<Json<ReviewDocument>, ApiError> {
    let r = review::review(&app.hub, &actor, review::Map::Open).await?;
    let figures = r
        .figures()
        .map(|(name, [now, day_ago, week_ago])| (name.to_owned(), FigureDocument { now, day_ago, week_ago }));
    Ok(Json(ReviewDocument {
        as_of: r.as_of.rfc3339(),
        figures: figures.into_iter().collect(),
        overdue: r.overdue.iter().map(|c| c.number.to_string()).collect(),
        open_by_state: r.by_state.into_iter().collect(),
    }))
}
