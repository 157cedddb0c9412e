//! A bare room in a browser: `cargo run -p signaling --example room -- 127.0.0.1:8088 127.0.0.1:0 FOLDER`, then
//! `http://127.0.0.1:8088/?room=a&member=officer&role=presiding_officer&admitted=1`.
//! It serves loopback, trusts everybody, and exists for trying and testing the media; `/do` carries out commands.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "an example may stop with a message, and talks to its user"
)]

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use signaling::{
    ClientMessage, Clock, Connection, Join, MediaConfig, MediaServer, MemberId, Role, RoomCommand, RoomConfig,
    RoomHandle, RoomId, SessionState,
};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

const PAGE: &str = r#"<!doctype html><meta charset=utf-8><title>room</title><body><pre id=log></pre><div id=media></div>
<script type=module>
import { RoomClient, selfTest } from '/media.js';
const query = new URLSearchParams(location.search);
const log = (...words) => { document.querySelector('#log').textContent += words.map((w) => JSON.stringify(w)).join(' ') + '\n'; };
const client = new RoomClient({ url: `ws://${location.host}/rooms/${query.get('room')}/signal?${query}` });
window.client = client; window.selfTest = selfTest; window.seen = []; window.last = {};
for (const name of ['state', 'members', 'track', 'trackgone', 'session', 'chat', 'quality', 'speaking', 'speakers', 'podium', 'sharing', 'blocked', 'refusal', 'muted']) {
  client.addEventListener(name, ({ detail }) => { window.seen.push([name, { ...detail, stream: undefined, track: undefined }]); window.last[name] = detail; if (name !== 'quality') log(name, detail); });
}
client.addEventListener('state', ({ detail }) => { if (detail.state === 'notice') client.acknowledge(detail.noticeVersion); });
client.addEventListener('trackgone', ({ detail }) => {
  for (const element of document.querySelectorAll('#media > *')) if (element.srcObject === detail.stream) element.remove();
});
client.addEventListener('track', ({ detail }) => {
  const element = document.createElement(detail.kind === 'audio' ? 'audio' : 'video'); element.autoplay = true; element.muted = detail.kind !== 'audio';
  element.srcObject = detail.stream; element.dataset.member = detail.member; document.querySelector('#media').append(element);
});
await client.connect();
if (!query.has('silent')) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: query.has('hd') ? { width: 1280, height: 720, frameRate: 25 } : { width: 640, height: 360, frameRate: 25 } });
  let audio = stream.getAudioTracks()[0];
  if (query.has('tone')) {
    // The fake microphone is filtered to silence at times; a tone is heard for certain.
    const context = new AudioContext(), tone = context.createOscillator(), out = context.createMediaStreamDestination();
    tone.connect(out); tone.start(); audio = out.stream.getAudioTracks()[0];
  }
  await client.publish({ audio, video: stream.getVideoTracks()[0] });
}
</script>"#;

struct Hub {
    server: MediaServer,
    folder: PathBuf,
}

#[tokio::main]
async fn main() {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |n: usize, default: &str| arguments.get(n).cloned().unwrap_or_else(|| default.to_owned());
    let server = MediaServer::bind(MediaConfig {
        listen: argument(1, "127.0.0.1:0").parse().unwrap(),
        public_addresses: Vec::new(),
        workers: None,
        clock: Clock::default(),
    })
    .unwrap();
    let hub = Arc::new(Hub { server, folder: PathBuf::from(argument(2, "./data/room")) });
    let router = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/{script}", get(script))
        .route("/rooms/{room}/signal", get(signal))
        .route(
            "/probe",
            post(|State(hub): State<Arc<Hub>>, sdp: String| async move {
                hub.server.probe(sdp).await.ok_or(StatusCode::BAD_REQUEST)
            }),
        )
        .route("/do", get(command))
        .route("/counters", get(|State(hub): State<Arc<Hub>>| async move { format!("{:?}", hub.server.counters()) }))
        .with_state(Arc::clone(&hub));
    let listener = tokio::net::TcpListener::bind(argument(0, "127.0.0.1:8088")).await.unwrap();
    println!("http://{} media {}", listener.local_addr().unwrap(), hub.server.local_addr());
    axum::serve(listener, router).await.unwrap();
}

/// The room client and the modules under it.
async fn script(Path(name): Path<String>) -> impl IntoResponse {
    let text = match name.as_str() {
        "media.js" => include_str!("../../src/web/assets/js/media.js"),
        "line.js" => include_str!("../../src/web/assets/js/line.js"),
        "probe.js" => include_str!("../../src/web/assets/js/probe.js"),
        "subscribe.js" => include_str!("../../src/web/assets/js/subscribe.js"),
        "publish.js" => include_str!("../../src/web/assets/js/publish.js"),
        _ => return Err(StatusCode::NOT_FOUND),
    };
    Ok(([("content-type", "text/javascript")], text))
}

fn open(hub: &Hub, room: &str) -> RoomHandle {
    let (events, mut happened) = mpsc::channel(256);
    tokio::spawn(async move {
        while let Some(event) = happened.recv().await {
            println!("{}", serde_json::to_string(&event).unwrap());
        }
    });
    hub.server.open_room(RoomConfig {
        id: RoomId::from(room),
        waiting_room: true,
        notice_version: Some("2026-11".to_owned()),
        events,
    })
}

async fn signal(
    State(hub): State<Arc<Hub>>,
    Path(room): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> impl IntoResponse {
    let get = |name: &str| query.get(name).cloned().unwrap_or_default();
    let role: Role = serde_json::from_value(get("role").into()).unwrap_or(Role::Party);
    let member = MemberId::new(get("member"));
    let join = Join {
        name: format!("{member}"),
        member,
        role,
        admitted: query.contains_key("admitted"),
        ice_servers: Vec::new(),
    };
    let joined = open(&hub, &room).join(join).await;
    upgrade.on_upgrade(async move |socket| {
        if let Ok(connection) = joined {
            pump(socket, connection).await;
        }
    })
}

async fn pump(mut socket: WebSocket, mut connection: Connection) {
    loop {
        tokio::select! {
            out = connection.outbox.recv() => {
                let Some(message) = out else { return };
                if socket.send(Message::text(message.to_json())).await.is_err() {
                    return;
                }
            }
            heard = socket.recv() => match heard {
                Some(Ok(Message::Text(text))) => match ClientMessage::parse(&text) {
                    Ok(message) => {
                        if connection.inbox.send(message).await.is_err() {
                            return;
                        }
                    }
                    Err(error) => {
                        let _ = socket.send(Message::text(error.to_json())).await;
                    }
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
        }
    }
}

async fn command(State(hub): State<Arc<Hub>>, Query(query): Query<HashMap<String, String>>) -> String {
    let get = |name: &str| query.get(name).cloned().unwrap_or_default();
    let member = MemberId::new(get("member"));
    let dir = hub.folder.join(get("name"));
    let command = match get("command").as_str() {
        "admit" => RoomCommand::Admit(member),
        "send_back" => RoomCommand::SendBack(member),
        "remove" => RoomCommand::Remove(member, get("reason")),
        "mute" => RoomCommand::Mute(member),
        "session" => match serde_json::from_value::<SessionState>(get("state").into()) {
            Ok(state) => RoomCommand::SetSession(state),
            Err(error) => return error.to_string(),
        },
        "record" => RoomCommand::StartRecording { dir, meta: serde_json::json!({"case": "GR26-0000001-9"}) },
        "stop" => RoomCommand::StopRecording,
        "close" => RoomCommand::Close,
        "verify" => {
            return match signaling::recording::verify(&dir) {
                Ok(report) => serde_json::to_string(&report).unwrap(),
                Err(error) => format!("broken: {error}"),
            };
        }
        other => return format!("no such command: {other}"),
    };
    format!("{:?}", open(&hub, &get("room")).command(command).await)
}
