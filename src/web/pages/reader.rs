//! Who reads a page, in which language; and how a page says that something went wrong.

use askama::Template;
use axum::extract::{FromRequestParts, Request};
use axum::http::header::{ACCEPT_LANGUAGE, LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use super::super::App;
use super::super::extract::{cookie, session_token};
use super::super::problem::{log, status_and_name};
use super::super::views::home::Problem;
use super::super::views::{Flash, Form, Page, Role, User};
use crate::domain::policy::Actor;
use crate::service::{ServiceError, sign_in};
use crate::text::Text;

const LANGUAGE_COOKIE: &str = "language";
const YEAR_SECONDS: u32 = 31_536_000;

/// The reader of a page.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    /// Whoever is signed in.
    pub actor: Option<Actor>,
    page: Page,
    secure: bool,
}

/// An answer, or the page that says why there is none.
pub(super) type Answer = Result<Response, Failure>;

/// A page that says what went wrong.
#[derive(Debug)]
pub(super) struct Failure(Box<Response>);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        *self.0
    }
}

impl FromRequestParts<App> for Reader {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let text = language(parts);
        let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
        let mut page = Page::new(text, path_without_language(path).as_str(), app.hub.clock.now().millis());
        page.demo = app.demo;
        let mut reader = Self { actor: None, page, secure: app.secure };
        if let Some(token) = session_token(parts) {
            reader.actor = sign_in::who(&app.hub, token).await.map_err(|error| reader.fail(error))?;
        }
        reader.page.user = reader.actor.as_ref().and_then(|actor| {
            let role = Role::from_code(actor.role.code())?;
            Some(User { name: actor.name.clone(), role, room: actor.control_room.clone() })
        });
        Ok(reader)
    }
}

impl Reader {
    /// The frame of the page.
    pub(super) fn page(&self) -> Page {
        self.page.clone()
    }

    /// The frame with a word on top of what was just done.
    pub(super) fn page_saying(&self, flash: Option<Flash>) -> Page {
        Page { flash, ..self.page.clone() }
    }

    /// The language of the page.
    pub(super) const fn text(&self) -> Text {
        self.page.text
    }

    /// Who is signed in, or the way to the door.
    pub(super) fn signed_in(&self) -> Result<&Actor, Failure> {
        self.actor.as_ref().ok_or_else(|| {
            let next: String = url::form_urlencoded::byte_serialize(self.page.path.as_bytes()).collect();
            Failure(Box::new(see_other(&format!("/signin?next={next}"))))
        })
    }

    /// The page for an error.
    pub(super) fn fail(&self, error: ServiceError) -> Failure {
        let (status, name) = status_and_name(&error);
        log(&error);
        let reason = (status == StatusCode::CONFLICT || status == StatusCode::SERVICE_UNAVAILABLE)
            .then(|| self.text().say(&format!("problem-{name}")));
        self.problem(status, reason)
    }

    /// The page for a status.
    pub(super) fn problem(&self, status: StatusCode, reason: Option<String>) -> Failure {
        let view = Problem { page: self.page(), status: status.as_u16(), reason, reference: None };
        let body = Html(view.render().unwrap_or_default());
        Failure(Box::new((status, body).into_response()))
    }

    /// Renders a view.
    pub(super) fn show(&self, view: &impl Template) -> Answer {
        self.show_as(StatusCode::OK, view)
    }

    /// Renders a view under another status, such as a form that came back.
    pub(super) fn show_as(&self, status: StatusCode, view: &impl Template) -> Answer {
        match view.render() {
            Ok(html) => Ok((status, Html(html)).into_response()),
            Err(error) => {
                tracing::error!(%error, "a page could not be rendered");
                Err(self.problem(StatusCode::INTERNAL_SERVER_ERROR, None))
            }
        }
    }

    /// What is wrong with a form, put beside its fields. `None` for errors that are not about the form.
    pub(super) fn refuse(&self, form: &mut Form, error: &ServiceError) -> Option<()> {
        let ServiceError::Invalid(problems) = error else { return None };
        for problem in problems {
            form.refuse(problem.field, self.text().say(problem.key));
        }
        Some(())
    }

    /// A cookie for the browser, marked secure where the page came by TLS.
    pub(super) fn cookie(&self, name: &str, value: &str, path: &str, seconds: i64) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("invalid="))
    }

    /// Name of the session's cookie on this listener.
    pub(super) const fn session_cookie(&self) -> &'static str {
        if self.secure { super::super::extract::SESSION_COOKIE } else { super::super::extract::PLAIN_SESSION_COOKIE }
    }
}

/// Sends the browser on with GET.
pub(super) fn see_other(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response()
}

/// Adds a cookie to an answer.
pub(super) fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().append(SET_COOKIE, cookie);
    response
}

/// A path of ours to go on to; anything else leads home, never to a stranger's site.
pub(super) fn own_path(next: &str, otherwise: &'static str) -> String {
    let ours = next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\r', '\n']);
    if ours { next.to_owned() } else { otherwise.to_owned() }
}

/// Remembers the language that a link chose.
pub(in crate::web) async fn remember_language(request: Request, next: Next) -> Response {
    let chosen = query_language(request.uri().query());
    let mut response = next.run(request).await;
    if let Some(text) = chosen {
        let value = format!("{LANGUAGE_COOKIE}={}; Path=/; Max-Age={YEAR_SECONDS}; HttpOnly; SameSite=Lax", text.tag());
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(SET_COOKIE, value);
        }
    }
    response
}

fn language(parts: &Parts) -> Text {
    query_language(parts.uri.query()).or_else(|| cookie(parts, LANGUAGE_COOKIE).and_then(Text::shipped)).unwrap_or_else(
        || {
            let accepted = parts.headers.get(ACCEPT_LANGUAGE).and_then(|a| a.to_str().ok());
            Text::negotiate(accepted.unwrap_or_default())
        },
    )
}

fn query_language(query: Option<&str>) -> Option<Text> {
    url::form_urlencoded::parse(query?.as_bytes())
        .find(|(name, _)| name == "lang")
        .and_then(|(_, tag)| Text::shipped(&tag))
}

/// The address of the page without the choice of a language, so that the switch does not pile choices up.
fn path_without_language(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else { return path.to_owned() };
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("lang=") && !pair.is_empty()).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_of_languages_keeps_the_rest_of_the_address() {
        assert_eq!(path_without_language("/track/GR1?k=a&lang=hi"), "/track/GR1?k=a");
        assert_eq!(path_without_language("/?lang=hi"), "/");
    }

    #[test]
    fn one_is_sent_on_to_pages_of_ours_alone() {
        assert_eq!(own_path("/desk?whose=all", "/"), "/desk?whose=all");
        for stranger in ["https://example.org", "//example.org", "/\\example.org", "", "desk"] {
            assert_eq!(own_path(stranger, "/desk"), "/desk", "{stranger}");
        }
    }
}
