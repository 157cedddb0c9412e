//! The WebSocket of a media room: text frames between a browser and its seat, by the protocol of `signaling::message`; and the
//! trial connection of the self-test.

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use signaling::{ClientMessage, Connection};
use std::time::Duration;

use super::App;
use super::problem::ApiError;
use crate::service::rooms;

/// A frame larger than any session description of a full room.
const LARGEST_FRAME: usize = 256 * 1024;
/// Nothing heard for so long, not even the answer to a ping: the tab is gone.
const SILENCE: Duration = Duration::from_secs(30);
const PING: Duration = Duration::from_secs(10);

/// The token in the address.
#[derive(Debug, Deserialize)]
pub(super) struct Ticket {
    #[serde(default)]
    token: String,
}

/// Opens the socket for the holder of a token.
pub(super) async fn open(
    State(app): State<App>,
    Path(room): Path<String>,
    Query(ticket): Query<Ticket>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let hub = &app.hub;
    let Some(token) = hub.links.read_join_token(&ticket.token, &room, hub.clock.machine_now()) else {
        metrics::counter!("hub_join_tokens_refused").increment(1);
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "join-token"));
    };
    let seat = rooms::join(hub, &token).await?;
    Ok(upgrade
        .max_message_size(LARGEST_FRAME)
        .max_frame_size(LARGEST_FRAME)
        .on_upgrade(move |socket| carry(socket, seat)))
}

/// Answers a trial connection before a hearing: an SDP offer, for the holder of a token. Nothing that is sent on it reaches anybody.
pub(super) async fn probe(
    State(app): State<App>,
    Path(room): Path<String>,
    Query(ticket): Query<Ticket>,
    offer: String,
) -> Result<Response, ApiError> {
    let hub = &app.hub;
    if hub.links.read_join_token(&ticket.token, &room, hub.clock.machine_now()).is_none() {
        metrics::counter!("hub_join_tokens_refused").increment(1);
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "join-token"));
    }
    let answer = hub.rooms.probe(offer).await.ok_or_else(|| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "sdp"))?;
    Ok(([(header::CONTENT_TYPE, "application/sdp")], answer).into_response())
}

/// Carries frames both ways until one side ends.
async fn carry(socket: WebSocket, seat: Connection) {
    let Connection { inbox, mut outbox } = seat;
    let (mut to_client, mut from_client) = socket.split();
    let mut ping = tokio::time::interval(PING);
    let mut silence = Box::pin(tokio::time::sleep(SILENCE));
    loop {
        tokio::select! {
            out = outbox.recv() => {
                let Some(message) = out else { break };
                if to_client.send(Message::Text(message.to_json().into())).await.is_err() {
                    return;
                }
            }
            frame = from_client.next() => {
                silence.as_mut().reset(tokio::time::Instant::now() + SILENCE);
                let text = match &frame {
                    Some(Ok(Message::Text(text))) => text.as_str(),
                    // No message of the protocol is binary: it is answered like any other that does not parse.
                    Some(Ok(Message::Binary(_))) => "",
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                };
                match ClientMessage::parse(text) {
                    Ok(message) => if inbox.send(message).await.is_err() { break },
                    // What does not parse is told so; the seat stays.
                    Err(answer) => if to_client.send(Message::Text(answer.to_json().into())).await.is_err() { return },
                }
            }
            _ = ping.tick() => {
                if to_client.send(Message::Ping(Vec::new().into())).await.is_err() {
                    return;
                }
            }
            () = &mut silence => return,
        }
    }
    let farewell = CloseFrame { code: axum::extract::ws::close_code::NORMAL, reason: "".into() };
    let _ = to_client.send(Message::Close(Some(farewell))).await;
}
