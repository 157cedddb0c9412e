//! What the page of the demo's telephone speaks with: calls as steps to play, texts, and the handset's thread. It exists
//! in the demo alone, so it needs no signature.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::header::RANGE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use ivr::provider::sim::{Heard, Report};
use ivr::{Caller, Event};
use serde::{Deserialize, Serialize};

use super::extract::Body;
use super::problem::ApiError;
use super::{App, ranged, telephony};
use crate::demo::TWILIO_NUMBER;
use crate::id::{AttachmentId, CallId, MessageId};
use crate::intake::door::{self, Arrival};
use crate::intake::{self, Carrier, SIM_RECORDINGS};
use crate::service::ServiceError;
use crate::service::sounds::{self, LARGEST_SOUND};
use crate::store::cases::Attachment;
use crate::store::{StoreError, cases, inbound, outbox};
use crate::time::Timestamp;

/// So many texts are looked through for the thread.
const THREAD: i64 = 500;

pub(super) fn router() -> Router<App> {
    let recording = post(recorded).layer(DefaultBodyLimit::max(LARGEST_SOUND));
    Router::new()
        .route("/demo/phone/calls", post(dial))
        .route("/demo/phone/calls/{call}/digits", post(digits))
        .route("/demo/phone/calls/{call}/silence", post(silence))
        .route("/demo/phone/calls/{call}/recording", recording)
        .route("/demo/phone/calls/{call}/recording-failed", post(recording_failed))
        .route("/demo/phone/calls/{call}/hangup", post(hang_up))
        .route(&format!("{SIM_RECORDINGS}{{recording}}"), get(play_back))
        .route("/demo/phone/sms", post(text))
        .route("/demo/phone/messages", get(messages))
}

#[derive(Debug, Deserialize)]
struct Dial {
    #[serde(default)]
    from: String,
}

/// Which turn of the call is answered: as the steps named it. Without it, the one that the call stands at.
#[derive(Debug, Default, Deserialize)]
struct Turn {
    turn: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct Digits {
    digits: String,
    turn: Option<u32>,
}

#[derive(Deserialize)]
struct Text {
    #[serde(default)]
    from: String,
    text: String,
    /// A name of the sender's own makes the same message sent twice one.
    id: Option<String>,
}

async fn dial(State(app): State<App>, Body(dial): Body<Dial>) -> Result<Response, ApiError> {
    let call = CallId::generate(app.hub.clock.now().millis()).to_string();
    let report = Report::Call { call: call.clone(), turn: 0, from: dial.from, heard: Heard::Start { language: None } };
    let answer = bring(&app, report, None).await?;
    // The page learns the call's name together with the first steps.
    let mut body: serde_json::Value = serde_json::from_str(&answer.body).unwrap_or_default();
    if let Some(fields) = body.as_object_mut() {
        fields.insert("call".to_owned(), call.into());
    }
    Ok(telephony::respond(ivr::provider::Answer { body: body.to_string(), ..answer }))
}

async fn digits(
    State(app): State<App>,
    Path(call): Path<String>,
    Body(said): Body<Digits>,
) -> Result<Response, ApiError> {
    hear(&app, call, said.turn, Heard::Digits(said.digits), None).await
}

async fn silence(State(app): State<App>, Path(call): Path<String>, Body(at): Body<Turn>) -> Result<Response, ApiError> {
    hear(&app, call, at.turn, Heard::Silence, None).await
}

async fn recording_failed(
    State(app): State<App>,
    Path(call): Path<String>,
    Body(at): Body<Turn>,
) -> Result<Response, ApiError> {
    hear(&app, call, at.turn, Heard::RecordingFailed, None).await
}

async fn hang_up(State(app): State<App>, Path(call): Path<String>, Body(at): Body<Turn>) -> Result<Response, ApiError> {
    hear(&app, call, at.turn, Heard::HangUp, None).await
}

/// Takes a sound: its bytes say what it is, and it lies on the disk before the call hears of it.
async fn recorded(
    State(app): State<App>,
    Path(call): Path<String>,
    Query(at): Query<Turn>,
    content: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let content = content.map_err(|_| ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large"))?;
    let kind = sounds::kind_of(&content).ok_or(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-a-sound"))?;
    // A length that cannot be read must not make a recording count as a slip of the finger.
    let seconds = sounds::seconds_of_wav(&content).unwrap_or(1);
    let (hub, now) = (&app.hub, app.hub.clock.now());
    standing(&app, &call).await?;
    let name = format!("call.{}", kind.ending);
    let sound = match hub.files.keep(&name, kind.media_type, &content, None, now).await {
        Ok(sound) => sound,
        // A full disk, for instance: the caller is told so, and may try again or hang up.
        Err(error) => {
            tracing::error!(%error, "the sound of a call could not be kept");
            return hear(&app, call, at.turn, Heard::RecordingFailed, None).await;
        }
    };
    let heard = Heard::Recorded { recording: sound.id.to_string(), seconds };
    hear(&app, call, at.turn, heard, Some(sound)).await
}

/// What the caller said, for the caller to hear.
async fn play_back(State(app): State<App>, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, ApiError> {
    let id: AttachmentId = id.parse().map_err(|_| ApiError::not_found())?;
    let found = async { cases::attachment(&mut app.hub.store.read().await?, &id).await };
    let sound = found.await.map_err(ServiceError::from)?.ok_or_else(ApiError::not_found)?;
    let range = headers.get(RANGE).and_then(|range| range.to_str().ok());
    ranged::file(&app.hub.files.attachment(&sound), &sound.media_type, range).await
}

async fn text(State(app): State<App>, Body(text): Body<Text>) -> Result<Response, ApiError> {
    let id = text.id.unwrap_or_else(|| MessageId::generate(app.hub.clock.now().millis()).to_string());
    let answer = bring(&app, Report::Sms { id, from: text.from, text: text.text }, None).await?;
    Ok(telephony::respond(answer))
}

/// The handset's thread.
#[derive(Debug, Serialize)]
struct Thread {
    items: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    at: String,
    from: String,
    to: String,
    text: String,
}

#[derive(Debug, Deserialize)]
struct Whose {
    #[serde(default)]
    number: String,
}

async fn messages(State(app): State<App>, Query(whose): Query<Whose>) -> Result<Json<Thread>, ApiError> {
    let caller = Caller::parse(&whose.number);
    let Some(number) = caller.number() else { return Ok(Json(Thread { items: Vec::new() })) };
    Ok(Json(Thread { items: thread(&app, &caller, number).await.map_err(ServiceError::from)? }))
}

/// What was written to a number and what it wrote, oldest first.
async fn thread(app: &App, caller: &Caller, number: &str) -> Result<Vec<Line>, StoreError> {
    let mut tx = app.hub.store.read().await?;
    let line = |at: Timestamp, from: &str, to: &str, text: String| {
        (at, Line { at: at.rfc3339(), from: from.to_owned(), to: to.to_owned(), text })
    };
    let mut lines = Vec::new();
    for stored in inbound::newest_of_kind(&mut tx, door::SMS, THREAD).await?.into_iter().rev() {
        if let Event::Sms(sms) = door::event_of(&stored)?
            && sms.from == *caller
        {
            lines.push(line(stored.received_at, number, TWILIO_NUMBER, sms.text));
        }
    }
    for message in outbox::to_recipient(&mut tx, number, "sms").await? {
        lines.push(line(message.created_at, TWILIO_NUMBER, number, message.text));
    }
    // A text and its answer may bear the same moment; the text came first.
    lines.sort_by_key(|(at, _)| *at);
    Ok(lines.into_iter().map(|(_, line)| line).collect())
}

/// The turn that a call stands at, and who rings.
async fn standing(app: &App, call: &str) -> Result<(u32, String), ApiError> {
    intake::turn_of_call(&app.hub, Carrier::Sim, call).await?.ok_or_else(ApiError::not_found)
}

async fn hear(
    app: &App,
    call: String,
    turn: Option<u32>,
    heard: Heard,
    sound: Option<Attachment>,
) -> Result<Response, ApiError> {
    let (stands_at, from) = standing(app, &call).await?;
    let report = Report::Call { call, turn: turn.unwrap_or(stands_at), from, heard };
    Ok(telephony::respond(bring(app, report, sound).await?))
}

async fn bring(app: &App, report: Report, sound: Option<Attachment>) -> Result<ivr::provider::Answer, ApiError> {
    let Some(sim) = &app.telephony.sim else { return Err(ApiError::not_found()) };
    let arrival = Arrival { carrier: Carrier::Sim, event: sim.event(report), sound };
    Ok(door::receive(&app.hub, &app.telephony, arrival).await?)
}
