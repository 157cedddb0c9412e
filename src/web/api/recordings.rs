//! Recordings: what there is, the files, and whether they are what was recorded.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::App;
use super::super::extract::SignedIn;
use super::super::problem::{ApiError, Problem};
use super::super::ranged;
use super::document::Page;
use super::hearings::identifier;
use crate::domain::policy::Actor;
use crate::id::RecordingId;
use crate::service::recordings::{self, Verdict};

/// A file of a recording.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FileDocument {
    name: String,
    media_type: String,
    size: u64,
}

/// A recording.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RecordingDocument {
    id: String,
    hearing: String,
    started_at: String,
    ended_at: Option<String>,
    /// Last hash of the chain, once finished.
    head: Option<String>,
    failure: Option<String>,
    files: Vec<FileDocument>,
}

/// Lists the recordings of a hearing.
#[utoipa::path(get, path = "/api/v1/hearings/{id}/recordings", params(("id" = String, Path)), responses(
    (status = 200, body = Page<RecordingDocument>), (status = 401, body = Problem), (status = 404, body = Problem),
))]
pub(super) async fn list(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<Page<RecordingDocument>>, ApiError> {
    let listed = recordings::of_hearing(&app.hub, &actor, &identifier(&id)?).await?;
    let items = listed
        .into_iter()
        .map(|(r, files)| RecordingDocument {
            id: r.id.into(),
            hearing: r.hearing.into(),
            started_at: r.started_at.rfc3339(),
            ended_at: r.ended_at.map(crate::time::Timestamp::rfc3339),
            head: r.head,
            failure: r.failure,
            files: files
                .into_iter()
                .map(|f| FileDocument { name: f.name, media_type: f.media_type.to_owned(), size: f.size })
                .collect(),
        })
        .collect();
    Ok(Json(Page { items, next: None }))
}

/// Reads a file of a recording, whole or in part.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/files/{name}", params(("id" = String, Path), ("name" = String, Path)), responses(
    (status = 200, description = "the file", content_type = "video/webm"),
    (status = 206, description = "a part of it", content_type = "video/webm"),
    (status = 401, body = Problem),
    (status = 404, body = Problem),
    (status = 416, description = "no such part"),
))]
pub(super) async fn file(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (path, media_type) = recordings::file(&app.hub, &actor, &recording(&id)?, &name).await?;
    ranged::file(&path, media_type, headers.get(header::RANGE).and_then(|r| r.to_str().ok())).await
}

/// Whether a recording is what was recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct VerdictDocument {
    /// Whether every segment fits its hash and every line its chain.
    whole: bool,
    /// Whether it was closed; else the process ended during it, and all that was written is whole.
    complete: bool,
    /// Last hash of the chain.
    head: Option<String>,
    segments: u64,
    /// The first broken link, when there is one.
    broken: Option<String>,
}

/// Checks a recording against its hashes.
#[utoipa::path(get, path = "/api/v1/recordings/{id}/verify", params(("id" = String, Path)), responses(
    (status = 200, body = VerdictDocument), (status = 401, body = Problem), (status = 404, body = Problem),
))]
pub(super) async fn verify(
    State(app): State<App>,
    SignedIn(actor): SignedIn,
    Path(id): Path<String>,
) -> Result<Json<VerdictDocument>, ApiError> {
    Ok(Json(verdict(&app, &actor, &id).await?))
}

async fn verdict(app: &App, actor: &Actor, id: &str) -> Result<VerdictDocument, ApiError> {
    let document = match recordings::verify(&app.hub, actor, &recording(id)?).await? {
        Verdict::Whole { head, segments, complete, .. } => {
            VerdictDocument { whole: true, complete, head: Some(head), segments, broken: None }
        }
        Verdict::Broken { link } => {
            VerdictDocument { whole: false, complete: false, head: None, segments: 0, broken: Some(link) }
        }
    };
    Ok(document)
}

fn recording(text: &str) -> Result<RecordingId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found())
}
