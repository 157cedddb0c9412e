//! `/api/v1`: the interface for programs. `GET /api/openapi.json` describes it from the same declarations.

mod cases;
mod document;
mod hearings;
mod recordings;
mod reference;
mod rooms;
mod session;

use axum::Router;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Champions Hub",
        description = "Cases, hearings and figures of the CHAMPIONS control rooms. Times are RFC 3339 with offset; lists are \
            paged with `limit` and `after`; an `Idempotency-Key` header makes a repeated filing or fixing one; errors are \
            problem documents (RFC 9457) whose `type` ends in the name of the rule that refused."
    ),
    modifiers(&BearerToken),
    security(("token" = []))
)]
struct Described;

struct BearerToken;

impl utoipa::Modify for BearerToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        document.components.get_or_insert_with(Default::default).add_security_scheme("token", scheme);
    }
}

/// The routes below `/api`.
pub fn router() -> Router<App> {
    let (router, document) = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(session::open))
        .routes(routes!(session::close))
        .routes(routes!(session::me))
        .routes(routes!(cases::file, cases::list))
        .routes(routes!(cases::read))
        .routes(routes!(cases::history))
        .routes(routes!(cases::act))
        .routes(routes!(cases::attachment))
        .routes(routes!(hearings::fix))
        .routes(routes!(hearings::read))
        .routes(routes!(hearings::act))
        .routes(routes!(hearings::log))
        .routes(routes!(recordings::list))
        .routes(routes!(recordings::file))
        .routes(routes!(recordings::verify))
        .routes(routes!(rooms::token))
        .routes(routes!(reference::control_rooms))
        .routes(routes!(reference::review))
        .split_for_parts();
    let document = serde_json::to_value(&document).unwrap_or_default();
    router.route("/api/openapi.json", get(move || std::future::ready(axum::Json(document.clone()))))
}
