//! Whether the hub lives, and whether it can work: database, disk, clock, media port.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{App, figures};
use crate::service::Hub;
use crate::store::web as settings;

/// Where the last moment seen is kept: a clock that jumped back shows.
const CLOCK_SEEN: &str = "clock_seen";
/// How far a clock may step back, as time servers make it do.
const STEP_BACK_MILLIS: i64 = 60_000;

/// What can be wrong.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "four independent checks, each passed or not")]
pub struct Health {
    /// The database answers.
    pub database: bool,
    /// The data folder takes files and has room.
    pub disk: bool,
    /// The clock has not jumped back.
    pub clock: bool,
    /// The media port is served.
    pub media: bool,
}

impl Health {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_good(self) -> bool {
        self.database && self.disk && self.clock && self.media
    }
}

/// Looks at everything.
pub async fn look(hub: &Hub, min_free_octets: u64) -> Health {
    Health {
        database: hub.store.ping().await.is_ok(),
        disk: disk_has_room(hub, min_free_octets).await,
        clock: clock_runs_forward(hub).await,
        media: hub.rooms.is_healthy().await,
    }
}

async fn disk_has_room(hub: &Hub, min_free_octets: u64) -> bool {
    let root = hub.files.root().to_owned();
    let looked = tokio::task::spawn_blocking(move || {
        let probe = root.join(".probe");
        std::fs::write(&probe, b"probe").and_then(|()| std::fs::remove_file(&probe))?;
        let stat = rustix::fs::statvfs(&root)?;
        Ok::<_, std::io::Error>(stat.f_bavail.saturating_mul(stat.f_frsize) >= min_free_octets)
    });
    matches!(looked.await, Ok(Ok(true)))
}

async fn clock_runs_forward(hub: &Hub) -> bool {
    let now = hub.clock.machine_now();
    let seen = async {
        let mut tx = hub.store.read().await?;
        settings::setting(&mut tx, CLOCK_SEEN).await
    };
    match seen.await {
        Ok(seen) => seen.and_then(|s| s.parse::<i64>().ok()).is_none_or(|seen| now.millis() + STEP_BACK_MILLIS >= seen),
        Err(_) => false,
    }
}

/// Keeps the present moment for the next look.
///
/// # Errors
/// When the database does not answer.
pub async fn note_clock(hub: &Hub) -> Result<(), crate::store::StoreError> {
    let now = hub.clock.machine_now().millis().to_string();
    let mut tx = hub.store.write().await?;
    settings::put_setting(&mut tx, CLOCK_SEEN, &now).await?;
    tx.commit().await
}

/// `/livez`: the process answers.
pub(super) async fn livez() -> &'static str {
    "ok"
}

/// `/readyz`: it can work.
pub(super) async fn readyz(State(app): State<App>) -> Response {
    let health = look(&app.hub, app.min_free_octets).await;
    let status = if health.is_good() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health)).into_response()
}

/// `/metrics`: what was counted, for Prometheus.
pub(super) async fn metrics(State(app): State<App>) -> Response {
    match &app.metrics {
        Some(metrics) => {
            figures::collect(&app.hub).await;
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render()).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
