//! WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): encoders that send into a room and players that receive from it, by HTTP alone.
//!
//! * `POST /whip/{room}`, `POST /whep/{room}` with the room's token as Bearer and an SDP offer: 201, the answer, and where the session is
//!   (`Location`). `?member=` of a player names whom it shows; else it shows who is on the podium, with the loudest voice.
//! * `PATCH` of the session: candidates (204; not needed, we are ICE-lite) and ICE restarts (200). `DELETE` ends it. `OPTIONS` tells what is taken.
//! * 403 with `Retry-After` while the officer has not let the device in: its name stands in the waiting room, and it may ask again.
//!
//! No cookie opens anything here, so pages of any origin may use it (CORS), and the guard against forged requests is off.

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Path, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use axum::routing::{patch, post};
use serde::Deserialize;
use signaling::message::{Direction, IceServer};
use signaling::{MemberId, OfferError, StandingOffer};
use tower_http::set_header::SetResponseHeaderLayer;

use super::App;
use super::extract::bearer;
use super::problem::ApiError;
use crate::service::feeds::{self, Changed, Feed, FeedError, Opened, Tags};

const SDP: &str = "application/sdp";
const FRAGMENT: &str = "application/trickle-ice-sdpfrag";
/// The largest offer, in octets. Browsers' have 5 to 10 thousand.
const LARGEST_OFFER: usize = 64 * 1024;
/// Whoever waits to be let in asks again after so many seconds.
const RETRY_AFTER: &str = "5";
const LONGEST_MEMBER: usize = 200;

/// Whether an address is of this module.
pub(super) fn is_ours(path: &str) -> bool {
    path.starts_with("/whip/") || path.starts_with("/whep/")
}

/// The routes of encoders and players.
pub(super) fn router() -> Router<App> {
    let always =
        |name, value: &'static str| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    Router::new()
        .route("/whip/{room}", post(publish).options(endpoint))
        .route("/whep/{room}", post(watch).options(endpoint))
        .route("/whip/{room}/{session}", patch(change_publish).delete(end_publish).options(session))
        .route("/whep/{room}/{session}", patch(change_watch).delete(end_watch).options(session))
        .layer(DefaultBodyLimit::max(LARGEST_OFFER))
        .layer(always(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .layer(always(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            "Location, Link, ETag, Retry-After, Accept-Post, Accept-Patch",
        ))
}

/// The Bearer token of a request, as it stands there.
struct Shown(String);

impl FromRequestParts<App> for Shown {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Response> {
        bearer(parts).map(|token| Self(token.to_owned())).ok_or_else(|| unauthorized("no-bearer"))
    }
}

/// A body of the one media type that is understood.
fn text(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
    wanted: &str,
    rule: &'static str,
) -> Result<String, ApiError> {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !said.split(';').next().is_some_and(|said| said.trim().eq_ignore_ascii_case(wanted)) {
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, rule));
    }
    let body = body.map_err(|_| ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large"))?;
    String::from_utf8(body.into()).map_err(|_| ApiError::new(StatusCode::BAD_REQUEST, "offer-malformed"))
}

async fn publish(
    State(app): State<App>,
    Path(room): Path<String>,
    Shown(token): Shown,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let offer = text(&headers, body, SDP, "not-sdp").map_err(ApiError::into_response)?;
    open(&app, &room, &token, offer, Direction::Publish, None).await
}

/// Whom a player shows.
#[derive(Debug, Deserialize)]
struct Whom {
    member: Option<String>,
}

async fn watch(
    State(app): State<App>,
    Path(room): Path<String>,
    Query(whom): Query<Whom>,
    Shown(token): Shown,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let offer = text(&headers, body, SDP, "not-sdp").map_err(ApiError::into_response)?;
    let only = whom.member.filter(|member| (1..=LONGEST_MEMBER).contains(&member.len())).map(MemberId::new);
    open(&app, &room, &token, offer, Direction::Subscribe, only).await
}

async fn open(
    app: &App,
    room: &str,
    shown: &str,
    offer: String,
    direction: Direction,
    only: Option<MemberId>,
) -> Result<Response, Response> {
    let hub = &app.hub;
    let Some(token) = hub.links.read_join_token(shown, room, hub.clock.machine_now()) else {
        metrics::counter!("hub_join_tokens_refused").increment(1);
        return Err(unauthorized("join-token"));
    };
    let offer = StandingOffer::read(offer, direction).map_err(|error| refused(error.into()))?;
    let Opened { id, answer, tag, ice_servers } =
        feeds::open(hub, &token, shown, offer, only).await.map_err(refused)?;
    metrics::counter!("hub_feeds_opened", "direction" => name(direction)).increment(1);
    let fixed = [
        (header::CONTENT_TYPE, SDP.to_owned()),
        (header::LOCATION, format!("/{}/{room}/{id}", name(direction))),
        (header::ETAG, tag),
        (ACCEPT_PATCH, FRAGMENT.to_owned()),
    ];
    let links = AppendHeaders(ice_servers.iter().flat_map(links).map(|link| (header::LINK, link)).collect::<Vec<_>>());
    Ok((StatusCode::CREATED, fixed, links, answer).into_response())
}

const fn name(direction: Direction) -> &'static str {
    match direction {
        Direction::Publish => "whip",
        Direction::Subscribe => "whep",
    }
}

/// A relay as RFC 9725 section 4.6 writes it, a header for each address.
fn links(server: &IceServer) -> Vec<HeaderValue> {
    let quoted = |name: &str, value: &Option<String>| {
        let value = value.as_ref()?.replace('\\', "\\\\").replace('"', "\\\"");
        Some(format!("; {name}=\"{value}\""))
    };
    let username = quoted("username", &server.username).unwrap_or_default();
    let credential = quoted("credential", &server.credential).unwrap_or_default();
    let kind = if credential.is_empty() { "" } else { "; credential-type=\"password\"" };
    let link =
        |url: &String| HeaderValue::from_str(&format!("<{url}>; rel=\"ice-server\"{username}{credential}{kind}"));
    server.urls.iter().filter_map(|url| link(url).ok()).collect()
}

type Session = Path<(String, String)>;

async fn change_publish(
    State(app): State<App>,
    Path((room, id)): Session,
    Shown(token): Shown,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    change(&app, Feed { room: &room, direction: Direction::Publish, id: &id, token: &token }, &headers, body).await
}

async fn change_watch(
    State(app): State<App>,
    Path((room, id)): Session,
    Shown(token): Shown,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    change(&app, Feed { room: &room, direction: Direction::Subscribe, id: &id, token: &token }, &headers, body).await
}

async fn change(
    app: &App,
    feed: Feed<'_>,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let fragment = text(headers, body, FRAGMENT, "not-a-fragment").map_err(ApiError::into_response)?;
    match feeds::change(&app.hub, feed, fragment, tags(headers)).await.map_err(refused)? {
        Changed::Same => Ok(StatusCode::NO_CONTENT.into_response()),
        Changed::Restarted { fragment, tag } => {
            Ok(([(header::CONTENT_TYPE, FRAGMENT.to_owned()), (header::ETAG, tag)], fragment).into_response())
        }
    }
}

/// The entity-tags of If-Match. Without the header any session is meant: clients that know no tags send candidates, which harm nothing.
fn tags(headers: &HeaderMap) -> Tags {
    let said: Vec<&str> = headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
    let tags: Vec<String> = said.iter().flat_map(|value| value.split(',')).map(|tag| tag.trim().to_owned()).collect();
    if tags.is_empty() || tags.iter().any(|tag| tag == "*") { Tags::Any } else { Tags::These(tags) }
}

async fn end_publish(
    State(app): State<App>,
    Path((room, id)): Session,
    Shown(token): Shown,
) -> Result<StatusCode, Response> {
    end(&app, Feed { room: &room, direction: Direction::Publish, id: &id, token: &token }).await
}

async fn end_watch(
    State(app): State<App>,
    Path((room, id)): Session,
    Shown(token): Shown,
) -> Result<StatusCode, Response> {
    end(&app, Feed { room: &room, direction: Direction::Subscribe, id: &id, token: &token }).await
}

async fn end(app: &App, feed: Feed<'_>) -> Result<StatusCode, Response> {
    feeds::end(&app.hub, feed).await.map_err(refused)?;
    Ok(StatusCode::OK)
}

const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// What an endpoint takes; also the answer to a browser's preflight.
async fn endpoint() -> Response {
    ([(ACCEPT_POST, SDP)], allowed("POST, OPTIONS")).into_response()
}

/// What a session takes.
async fn session() -> Response {
    ([(ACCEPT_PATCH, FRAGMENT)], allowed("PATCH, DELETE, OPTIONS")).into_response()
}

fn allowed(methods: &'static str) -> [(HeaderName, &'static str); 4] {
    [
        (header::ALLOW, methods),
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, If-Match"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ]
}

fn unauthorized(rule: &'static str) -> Response {
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (challenge, ApiError::new(StatusCode::UNAUTHORIZED, rule)).into_response()
}

fn refused(error: FeedError) -> Response {
    let (status, rule) = match &error {
        FeedError::Offer(OfferError::Malformed(_)) => (StatusCode::BAD_REQUEST, "offer-malformed"),
        FeedError::Offer(OfferError::Unusable(_)) | FeedError::Refused => {
            (StatusCode::UNPROCESSABLE_ENTITY, "offer-unusable")
        }
        FeedError::Offer(OfferError::NotTaken(_)) => (StatusCode::NOT_ACCEPTABLE, "media-not-taken"),
        FeedError::Waiting => {
            let again = [(header::RETRY_AFTER, RETRY_AFTER)];
            return (again, ApiError::new(StatusCode::FORBIDDEN, "waiting-room")).into_response();
        }
        FeedError::OnlyWatches => (StatusCode::FORBIDDEN, "only-watches"),
        FeedError::Gone => (StatusCode::NOT_FOUND, "not-found"),
        FeedError::NotYours => return unauthorized("join-token"),
        FeedError::Stale => (StatusCode::PRECONDITION_FAILED, "session-stale"),
        FeedError::Service(_) => {
            let FeedError::Service(error) = error else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
            return ApiError::from(error).into_response();
        }
    };
    let problem = ApiError::new(status, rule);
    match error {
        FeedError::Offer(why) => problem.detail(why.to_string()).into_response(),
        _ => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_told_by_a_link_for_each_address() {
        let server = IceServer {
            urls: vec!["turn:t.example?transport=udp".to_owned(), "turns:t.example:443".to_owned()],
            username: Some("1790000000:a\"b".to_owned()),
            credential: Some("secret".to_owned()),
        };
        let expected =
            r#"; rel="ice-server"; username="1790000000:a\"b"; credential="secret"; credential-type="password""#;
        assert_eq!(
            links(&server),
            [format!("<turn:t.example?transport=udp>{expected}"), format!("<turns:t.example:443>{expected}")]
        );
        let stun = IceServer { urls: vec!["stun:s.example".to_owned()], username: None, credential: None };
        assert_eq!(links(&stun), [r#"<stun:s.example>; rel="ice-server""#]);
    }

    #[test]
    fn the_tags_of_a_change_are_read() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::IF_MATCH, HeaderValue::from_static(value));
            }
            tags(&headers)
        };
        assert_eq!(of(&[]), Tags::Any);
        assert_eq!(of(&["*"]), Tags::Any);
        assert_eq!(
            of(&["\"a\", \"b\"", "\"c\""]),
            Tags::These(["\"a\"", "\"b\"", "\"c\""].map(str::to_owned).to_vec())
        );
    }
}
