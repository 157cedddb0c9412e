//! What handlers take out of a request: who is signed in, JSON, the key of a repeatable request.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::App;
use super::problem::ApiError;
use crate::domain::policy::Actor;
use crate::service::once::Once;
use crate::service::sign_in;

/// Name of the session's cookie. The prefix makes browsers insist on HTTPS, this host and the whole site.
pub const SESSION_COOKIE: &str = "__Host-session";
/// Name of the same cookie where the demo is opened without HTTPS.
pub const PLAIN_SESSION_COOKIE: &str = "session";
const LONGEST_KEY: usize = 200;

/// Somebody signed in, by cookie or by bearer token.
#[derive(Debug, Clone)]
pub struct SignedIn(pub Actor);

/// A value of a cookie.
#[must_use]
pub fn cookie<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get_all(COOKIE).iter().filter_map(|h| h.to_str().ok()).flat_map(|h| h.split(';')).find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

/// The session's token, from the header or a cookie.
#[must_use]
pub fn session_token(parts: &Parts) -> Option<&str> {
    bearer(parts).or_else(|| cookie(parts, SESSION_COOKIE)).or_else(|| cookie(parts, PLAIN_SESSION_COOKIE))
}

/// The bearer token of the Authorization header.
#[must_use]
pub fn bearer(parts: &Parts) -> Option<&str> {
    let (scheme, token) = parts.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Some(token) = session_token(parts) else { return Err(ApiError::unauthorized()) };
        let actor = sign_in::who(&app.hub, token).await?;
        actor.map(Self).ok_or_else(ApiError::unauthorized)
    }
}

/// A JSON body that says kindly what is wrong with it.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let bytes = json_bytes(request, app).await?;
        // No body is an empty object: `serve`, `start`, `end` need none.
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        read_json(bytes).map(Self)
    }
}

/// A JSON body together with the key that makes a repetition one.
#[derive(Debug)]
pub struct OnceBody<T> {
    /// The body.
    pub body: T,
    /// The key and the fingerprint of the request, where a key was sent.
    pub key: Option<(String, String)>,
}

impl<T> OnceBody<T> {
    /// The key as belonging to somebody.
    #[must_use]
    pub fn once(&self, account: &str) -> Option<Once> {
        self.key.clone().map(|(key, request)| Once { account: account.to_owned(), key, request })
    }
}

impl<T: DeserializeOwned> FromRequest<App> for OnceBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let path = request.uri().path().to_owned();
        let key = request
            .headers()
            .get("idempotency-key")
            .and_then(|k| k.to_str().ok())
            .filter(|k| !k.is_empty() && k.len() <= LONGEST_KEY)
            .map(str::to_owned);
        let bytes = json_bytes(request, app).await?;
        let body = read_json(&bytes)?;
        let key = key.map(|key| {
            let mut hash = Sha256::new();
            hash.update(path.as_bytes());
            hash.update([0]);
            hash.update(&bytes);
            (key, hex::encode(hash.finalize()))
        });
        Ok(Self { body, key })
    }
}

async fn json_bytes(request: Request, app: &App) -> Result<Bytes, ApiError> {
    let said = request.headers().get(CONTENT_TYPE).and_then(|t| t.to_str().ok()).unwrap_or_default();
    let is_json =
        said.is_empty() || said.split(';').next().is_some_and(|t| t.trim().eq_ignore_ascii_case("application/json"));
    if !is_json {
        return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-json"));
    }
    Bytes::from_request(request, app).await.map_err(|_| ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large"))
}

fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(bytes)
        .map_err(|error| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "not-understood").detail(error.to_string()))
}
