//! Twilio: signed webhooks in, TwiML out, REST for what we begin ourselves. The only place that knows `twilio-rs`.
//!
//! Twilio cannot receive Indian citizens' SMS and takes Indian inbound calls on toll-free numbers only; this home is
//! for those, and for deployments elsewhere.

pub mod rest;
pub mod signature;
mod twiml;
mod webhook;

pub use twiml::Speech;

use super::{Answer, Line, Provider, Refused, Request, pairs};
use crate::effect::Effect;
use crate::event::Event;
use signature::{Algorithm, Content};

/// An account and the addresses under which it reaches the hub.
#[derive(Clone)]
pub struct Twilio {
    /// The secret that webhooks are signed with.
    pub auth_token: String,
    /// The public address of the voice webhook, without a query (`https://hub.example/telephony/twilio/voice`).
    pub voice_url: String,
    /// The public address of the recording webhook.
    pub recording_url: String,
    /// Put before a recording's name to play it back.
    pub recordings: String,
    /// Sound files or synthesis.
    pub speech: Speech,
}

impl Twilio {
    /// The usual arrangement below one public address (`https://hub.example`): webhooks at `/telephony/twilio/…`,
    /// prompts at `/prompts/…`, and recordings played back from where Twilio keeps them.
    #[must_use]
    pub fn new(public_url: &str, account_sid: &str, auth_token: &str) -> Self {
        let base = public_url.trim_end_matches('/');
        Self {
            auth_token: auth_token.to_owned(),
            voice_url: format!("{base}/telephony/twilio/voice"),
            recording_url: format!("{base}/telephony/twilio/recording"),
            recordings: format!("https://api.twilio.com/2010-04-01/Accounts/{}/Recordings/", path_segment(account_sid)),
            speech: Speech::Files(format!("{base}/prompts/")),
        }
    }

    /// The answer to a webhook that nobody listens to (SMS, status, recording), and to an event that came twice beside
    /// the line.
    #[must_use]
    pub fn silent() -> Answer {
        Answer { content_type: XML, body: twiml::EMPTY.to_owned() }
    }

    /// Where the outcome of a verb comes back to.
    fn action(&self, turn: u32, on: &str) -> String {
        format!("{}?step={turn}&on={on}", self.voice_url)
    }
}

impl std::fmt::Debug for Twilio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Twilio")
            .field("voice_url", &self.voice_url)
            .field("speech", &self.speech)
            .finish_non_exhaustive()
    }
}

const XML: &str = "application/xml; charset=utf-8";

impl Provider for Twilio {
    fn name(&self) -> &'static str {
        "twilio"
    }

    /// Understands the webhooks `voice`, `recording`, `status` and `sms`, told apart by the last segment of the path.
    fn read(&self, request: &Request<'_>) -> Result<Event, Refused> {
        let is_form = request
            .header("content-type")
            .is_none_or(|kind| kind.trim_start().to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"));
        let form = if is_form { pairs(request.body) } else { Vec::new() };
        let content = if is_form { Content::Form(&form) } else { Content::Body(request.body) };
        let algorithm = Algorithm::of_header(request.header(signature::SETTINGS_HEADER)).ok_or(Refused::Unauthentic)?;
        let signed = request.header(signature::SIGNATURE_HEADER).ok_or(Refused::Unauthentic)?;
        if !signature::accepts(&self.auth_token, algorithm, request.url, content, signed) {
            return Err(Refused::Unauthentic);
        }
        let query = request.query();
        // A webhook set to GET has its fields in the query, which the URL's signature covers.
        let fields = if form.is_empty() { &query } else { &form };
        match last_segment(request.url) {
            "voice" => webhook::voice(&query, fields),
            "recording" => webhook::recording(fields),
            "status" => webhook::status(fields),
            "sms" => webhook::sms(fields),
            _ => Err(Refused::Lacks("a known webhook")),
        }
    }
}

impl Line for Twilio {
    fn say(&self, turn: u32, effects: &[Effect]) -> Answer {
        Answer { content_type: XML, body: twiml::document(self, turn, effects) }
    }
}

/// The last segment of an address's path: which webhook this is.
fn last_segment(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// A name as one segment of a path: whatever it holds, it leads nowhere else.
fn path_segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => segment.push(char::from(byte)),
            other => segment.push_str(&format!("%{other:02X}")),
        }
    }
    segment
}
