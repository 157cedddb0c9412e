//! A seat in a hearing room: the WebSocket of a browser, without its camera.

use super::{Hub, PATIENCE, client::Client};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Somebody connected to a room.
pub struct Seat {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    heard: Vec<Value>,
}

/// A token to join a room, and the name of the member that it makes.
pub async fn ticket(by: &Client, room: &str, name: &str, role: &str) -> (String, String) {
    let given = by.post(&format!("/api/v1/rooms/{room}/tokens"), json!({ "name": name, "role": role })).await.ok();
    (given["token"].as_str().unwrap().to_owned(), given["member"].as_str().unwrap().to_owned())
}

impl Seat {
    /// Knocks with a token; the status that refuses, when it is refused.
    pub async fn open(hub: &Hub, room: &str, token: &str) -> Result<Self, u16> {
        let url = format!("{}/rooms/{room}/signal?token={token}", hub.url().replace("http://", "ws://"));
        match connect_async(url).await {
            Ok((socket, _)) => Ok(Self { socket, heard: Vec::new() }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    /// Comes in as far as the recording notice lets one.
    pub async fn enter(hub: &Hub, room: &str, token: &str) -> Self {
        let mut seat = Self::open(hub, room, token).await.unwrap();
        seat.say(json!({ "type": "hello" })).await;
        let welcome = seat.hear("welcome").await;
        assert!(welcome["notice_version"].is_string(), "nobody comes in without the notice: {welcome}");
        seat.say(json!({ "type": "acknowledge", "version": welcome["notice_version"] })).await;
        seat
    }

    pub async fn say(&mut self, message: Value) {
        self.socket.send(Message::Text(message.to_string().into())).await.unwrap();
    }

    /// Listens until a message of this type comes.
    pub async fn hear(&mut self, kind: &str) -> Value {
        let listening = async {
            while let Some(frame) = self.socket.next().await {
                if let Message::Text(text) = frame.unwrap() {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    self.heard.push(message.clone());
                    if message["type"] == kind {
                        return Some(message);
                    }
                }
            }
            None
        };
        let message = tokio::time::timeout(PATIENCE, listening).await.ok().flatten();
        message.unwrap_or_else(|| panic!("no {kind} came, but {:?}", self.heard))
    }

    /// Whether a message of this type came so far.
    pub fn has_heard(&self, kind: &str) -> bool {
        self.heard.iter().any(|message| message["type"] == kind)
    }
}
