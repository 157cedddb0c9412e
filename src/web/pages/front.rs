//! The front door, signing in and out, assets, and the page for an address where nothing is.

use axum::extract::{Form as Posted, FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::super::App;
use super::super::assets;
use super::super::extract::session_token;
use super::super::problem::ApiError;
use super::super::views::Form;
use super::super::views::home::{Home, SignIn};
use super::reader::{Answer, Reader, own_path, see_other, with_cookie};
use crate::domain::policy::Role;
use crate::service::{ServiceError, sign_in as service};

/// As long as the session itself.
const SESSION_SECONDS: i64 = 12 * 3_600;

pub(super) async fn home(State(app): State<App>, reader: Reader) -> Answer {
    reader.show(&Home {
        page: reader.page(),
        call_number: app.numbers.call.clone(),
        text_number: app.numbers.text.clone(),
    })
}

#[derive(Debug, Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
}

pub(super) async fn ask(reader: Reader, Query(query): Query<Next>) -> Answer {
    reader.show(&SignIn { page: reader.page(), form: Form::empty(), next: query.next })
}

#[derive(Debug, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Credentials {
    username: String,
    password: String,
    next: String,
}

pub(super) async fn sign_in(State(app): State<App>, reader: Reader, Posted(posted): Posted<Credentials>) -> Answer {
    let (token, _) = match service::sign_in(&app.hub, &posted.username, &posted.password).await {
        Ok(session) => session,
        Err(error) => {
            let (status, key) = match error {
                ServiceError::Forbidden => (StatusCode::UNPROCESSABLE_ENTITY, "error-sign-in"),
                ServiceError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "error-sign-in-wait"),
                other => return Err(reader.fail(other)),
            };
            let mut form = Form::from_pairs([("username", posted.username)]);
            form.refuse("username", reader.text().say(key));
            return reader.show_as(status, &SignIn { page: reader.page(), form, next: posted.next });
        }
    };
    let actor = service::who(&app.hub, &token).await.map_err(|e| reader.fail(e))?;
    let home = match actor.map(|a| (a.role, a.control_room)) {
        Some((Role::Room, Some(code))) => format!("/rooms/{code}"),
        Some((Role::Secretary, _)) => "/review".to_owned(),
        Some((Role::Admin, _)) => "/admin".to_owned(),
        _ => "/desk".to_owned(),
    };
    let to = if posted.next.is_empty() || posted.next == "/" { home } else { own_path(&posted.next, "/desk") };
    let cookie = reader.cookie(reader.session_cookie(), &token, "/", SESSION_SECONDS);
    Ok(with_cookie(see_other(&to), cookie))
}

/// The token of the session that is to end.
pub(super) struct Ending(Option<String>);

impl FromRequestParts<App> for Ending {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(session_token(parts).map(str::to_owned)))
    }
}

pub(super) async fn sign_out(State(app): State<App>, reader: Reader, ending: Ending) -> Answer {
    if let Some(token) = ending.0 {
        service::sign_out(&app.hub, &token).await.map_err(|e| reader.fail(e))?;
    }
    Ok(with_cookie(see_other("/"), reader.cookie(reader.session_cookie(), "", "/", 0)))
}

pub(super) async fn asset(Path(path): Path<String>) -> Response {
    match assets::lookup(&path) {
        Some(asset) => {
            let headers = [(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, asset.cache_control)];
            (headers, asset.bytes).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Nothing is at this address: a problem document for programs, a page for people.
pub(super) async fn nothing_here(reader: Reader, uri: axum::http::Uri) -> Response {
    if uri.path().starts_with("/api/") {
        return ApiError::not_found().into_response();
    }
    reader.problem(StatusCode::NOT_FOUND, None).into_response()
}
