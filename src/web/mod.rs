//! Everything that speaks HTTP: pages for people, the interface for programs, the media rooms' sockets, providers'
//! webhooks. Handlers authenticate and parse; the use cases in `service` do the rest.

mod api;
pub mod assets;
pub mod demo;
mod extract;
mod figures;
pub mod health;
mod pages;
mod phone;
mod problem;
mod ranged;
mod signal;
mod telephony;
pub mod views;
mod whip;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::intake::Telephony;
use crate::service::Hub;

/// The largest request; uploads of sound set their own.
const LARGEST_BODY: usize = 512 * 1024;
/// A request takes no longer than this; sockets are exempt once they are open.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    media-src 'self' blob:; connect-src 'self' wss: ws:; font-src 'self'; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// What handlers share.
#[derive(Debug, Clone)]
pub struct App {
    /// The use cases.
    pub hub: Arc<Hub>,
    /// The telephone lines.
    pub telephony: Arc<Telephony>,
    /// What was counted.
    pub metrics: Option<PrometheusHandle>,
    /// Below so much free space the hub is not ready.
    pub min_free_octets: u64,
    /// The numbers that the front page names.
    pub numbers: Numbers,
    /// Whether this is the demo, with its clock, telephone and mailbox.
    pub demo: bool,
    /// Whether this listener speaks TLS; cookies are named and marked by it.
    pub secure: bool,
}

/// The numbers that people call and text, written for reading.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    /// To call.
    pub call: String,
    /// To text.
    pub text: String,
}

/// The public listener's routes.
pub fn router(app: App) -> Router {
    let in_production = !app.demo;
    let mut routes = Router::new()
        .merge(api::router())
        .merge(pages::router(app.demo))
        .merge(telephony::router(&app.telephony))
        .merge(whip::router())
        .route("/rooms/{room}/signal", get(signal::open))
        .route("/rooms/{room}/probe", post(signal::probe))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz));
    if app.demo {
        routes = routes.route("/demo/clock", post(demo::advance)).route("/metrics", get(health::metrics));
    }
    let mut routes = dressed(routes);
    if in_production {
        // Never from the demo: it would bind every other server on this machine's localhost to HTTPS for a year.
        let value = HeaderValue::from_static("max-age=31536000");
        routes = routes.layer(SetResponseHeaderLayer::if_not_present(header::STRICT_TRANSPORT_SECURITY, value));
    }
    routes.with_state(app)
}

/// The private listener's routes: health and metrics, without TLS.
pub fn private_router(app: App) -> Router {
    Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .with_state(app)
}

/// What holds for every answer: limits, protection against forged requests, headers that keep a browser safe.
fn dressed(routes: Router<App>) -> Router<App> {
    let always =
        |name, value: &'static str| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    routes
        .layer(axum::middleware::from_fn(pages::remember_language))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LONGEST_REQUEST))
        .layer(CsrfLayer::new().with_insecure_bypass(|_, uri| whip::is_ours(uri.path())))
        .layer(CatchPanicLayer::custom(|_| {
            tracing::error!("a handler panicked");
            problem::ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal").into_response()
        }))
        .layer(always(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(always(header::REFERRER_POLICY, "no-referrer"))
        .layer(always(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(always(header::HeaderName::from_static("permissions-policy"), "camera=(self), microphone=(self)"))
}
