//! Providers' webhooks and the sounds that they play. A request proves where it comes from before anything in it is
//! read; what does not leaves a counter and one line in the log.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use ivr::Event;
use ivr::provider::{Answer, Provider as _, Refused, Request};
use std::net::SocketAddr;

use super::problem::ApiError;
use super::{App, phone};
use crate::intake::door::{self, Arrival};
use crate::intake::{Carrier, Telephony};

/// The routes of the lines that are connected.
pub(super) fn router(telephony: &Telephony) -> Router<App> {
    let mut routes = Router::new().route("/prompts/{language}/{file}", get(prompt));
    if telephony.twilio.is_some() {
        routes = routes.route("/telephony/twilio/{webhook}", post(twilio));
    }
    if let Some(pull) = &telephony.msdg {
        routes = routes.route(&pull.path, get(msdg).post(msdg));
    }
    if telephony.sim.is_some() {
        routes = routes.merge(phone::router());
    }
    routes
}

/// Twilio's webhooks: signed over the address that Twilio called.
async fn twilio(State(app): State<App>, uri: Uri, headers: HeaderMap, body: Bytes) -> Result<Response, ApiError> {
    let Some(line) = &app.telephony.twilio else { return Err(ApiError::not_found()) };
    let named: Vec<(&str, &str)> =
        headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
    let mut read = Err(Refused::Unauthentic);
    for url in addresses(&app, &uri, &headers) {
        read = line.read(&Request { url: &url, headers: &named, body: &body });
        if read != Err(Refused::Unauthentic) {
            break;
        }
    }
    take(&app, Carrier::Twilio, read).await
}

/// Mobile Seva's messages: from a known address, to a secret path.
async fn msdg(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    uri: Uri,
    body: Bytes,
) -> Result<Response, ApiError> {
    let Some(pull) = &app.telephony.msdg else { return Err(ApiError::not_found()) };
    let read = if pull.addresses.contains(&peer.ip().to_canonical()) {
        pull.gateway.read(&Request { url: &uri.to_string(), headers: &[], body: &body })
    } else {
        Err(Refused::Unauthentic)
    };
    take(&app, Carrier::Msdg, read).await
}

/// A shipped or replaced sound of the telephone.
async fn prompt(State(app): State<App>, Path((language, file)): Path<(String, String)>) -> Result<Response, ApiError> {
    let prompts = app.telephony.prompts.clone();
    let sound = tokio::task::spawn_blocking(move || prompts.sound(&format!("{language}/{file}"))).await;
    let sound = sound.ok().flatten().ok_or_else(ApiError::not_found)?;
    let headers = [(header::CONTENT_TYPE, "audio/wav"), (header::CACHE_CONTROL, "public, max-age=3600")];
    Ok((headers, Bytes::from(sound.into_owned())).into_response())
}

/// An answer as a response.
pub(super) fn respond(answer: Answer) -> Response {
    ([(header::CONTENT_TYPE, answer.content_type), (header::CACHE_CONTROL, "no-store")], answer.body).into_response()
}

async fn take(app: &App, carrier: Carrier, read: Result<Event, Refused>) -> Result<Response, ApiError> {
    let event = read.map_err(|refused| refuse(carrier, refused))?;
    let arrival = Arrival { carrier, event, sound: None };
    Ok(respond(door::receive(&app.hub, &app.telephony, arrival).await?))
}

fn refuse(carrier: Carrier, refused: Refused) -> ApiError {
    let (status, name, reason) = match refused {
        Refused::Unauthentic => (StatusCode::FORBIDDEN, "not-signed", "unauthentic"),
        Refused::Lacks(_) => (StatusCode::BAD_REQUEST, "not-understood", "meaningless"),
    };
    metrics::counter!("hub_webhooks_refused", "provider" => carrier.code(), "reason" => reason).increment(1);
    tracing::warn!(provider = carrier.code(), "a webhook was refused: {refused}");
    ApiError::new(status, name)
}

/// The addresses that a request may have been signed for: the public one, and in the demo, which is called by several
/// names, also the one that it came by.
fn addresses(app: &App, uri: &Uri, headers: &HeaderMap) -> Vec<String> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let mut addresses = vec![format!("{}{path}", app.telephony.public_url)];
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).or(uri.authority().map(Authority::as_str));
    if let (true, Some(host)) = (app.demo, host) {
        let scheme = if app.secure { "https" } else { "http" };
        addresses.push(format!("{scheme}://{host}{path}"));
    }
    addresses
}
