//! Pages: a handler reads the request, asks a use case, and fills a view. Nothing is decided here.

mod admin;
mod case_view;
mod demo;
mod desk;
mod filing;
mod front;
mod hearing;
mod history;
mod reader;
mod review;
mod room;
mod rules;
mod track;

pub(super) use reader::remember_language;

use axum::Router;
use axum::routing::{get, post};

use super::App;

/// The routes of the pages.
pub(super) fn router(demo: bool) -> Router<App> {
    let routes = Router::new()
        .route("/", get(front::home))
        .route("/signin", get(front::ask).post(front::sign_in))
        .route("/signout", post(front::sign_out))
        .route("/file", get(filing::begin))
        .route("/file/done", get(filing::done))
        .route("/file/{step}", get(filing::question).post(filing::answer))
        .route("/track", get(track::ask).post(track::send))
        .route("/track/{number}", get(track::show))
        .route("/track/{number}/add", post(track::add))
        .route("/desk", get(desk::list))
        .route("/desk/rules", get(rules::show))
        .route("/desk/cases/{number}", get(desk::case))
        .route("/desk/cases/{number}/{action}", post(desk::act))
        .route("/hearings/{id}", get(hearing::show))
        .route("/hearings/{id}/recording", get(hearing::recording))
        .route("/hearings/{id}/{action}", post(hearing::act))
        .route("/rooms/{code}", get(room::show))
        .route("/review", get(review::show))
        .route("/admin", get(admin::show))
        .route("/assets/{*path}", get(front::asset))
        .fallback(front::nothing_here);
    if demo { routes.route("/demo/phone", get(demo::phone)).route("/demo/mails", get(demo::mails)) } else { routes }
}
