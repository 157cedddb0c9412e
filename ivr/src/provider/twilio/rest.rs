//! Twilio's REST interface, through `twilio-rs`. Reads use its typed requests. What we create goes through its public
//! `client` with a form body: the typed creates of version 0.1.1 post an empty one. Every call ends within the time
//! limit.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use thiserror::Error;
use twilio::model::{ApiV2010AccountCall, ApiV2010AccountMessage};
use twilio::{TwilioAuthentication, TwilioClient};

use super::path_segment;
use crate::caller::Caller;
use crate::event::RecordingRef;

/// The address of the interface.
pub const API: &str = "https://api.twilio.com";

/// The largest recording that is fetched, in bytes: half an hour of telephone sound is under 30 MB.
pub const MAX_RECORDING_BYTES: u64 = 64 * 1024 * 1024;

/// A client for one account.
pub struct Rest {
    client: TwilioClient,
    account: String,
    authorization: String,
    limit: Duration,
}

/// Why a request did not succeed. Holds no text of Twilio's, which may quote numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RestError {
    /// The address of the interface is not one, or the machine has no root certificates to trust it by.
    #[error("the REST client cannot be set up: {0}")]
    SetUp(&'static str),
    /// No answer within the time limit.
    #[error("no answer in time")]
    Timeout,
    /// No connection, or it broke. Worth another try.
    #[error("the provider cannot be reached")]
    Unreachable,
    /// The provider says no. `code` is its error code, where it gave one.
    #[error("the provider answered {status} (code {code:?})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Twilio's error code.
        code: Option<u64>,
    },
    /// An answer that cannot be read.
    #[error("the provider's answer cannot be read")]
    Unreadable,
}

impl RestError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_passing(self) -> bool {
        match self {
            Self::Timeout | Self::Unreachable | Self::Unreadable => true,
            Self::Refused { status, .. } => status == 429 || status >= 500,
            Self::SetUp(_) => false,
        }
    }
}

/// A message as Twilio lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRecord {
    /// `SM…` or `MM…`.
    pub sid: String,
    /// `inbound`, `outbound-api`, ….
    pub direction: String,
    /// `received`, `delivered`, ….
    pub status: String,
    /// Sender.
    pub from: Caller,
    /// Receiver.
    pub to: Caller,
    /// Text.
    pub body: String,
}

/// A call as Twilio lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// `CA…`.
    pub sid: String,
    /// `inbound`, `outbound-api`, ….
    pub direction: String,
    /// `completed`, `no-answer`, ….
    pub status: String,
    /// Who rang.
    pub from: Caller,
    /// Who was rung.
    pub to: Caller,
    /// Length in seconds, once over.
    pub seconds: Option<u32>,
}

impl Rest {
    /// A client for `base_url` (usually [`API`]) whose requests end within `limit`.
    ///
    /// # Errors
    /// [`RestError::SetUp`].
    pub fn new(base_url: &str, account_sid: &str, auth_token: &str, limit: Duration) -> Result<Self, RestError> {
        let base = base_url.trim_end_matches('/').to_owned();
        let parsed = url::Url::parse(&base).map_err(|_| RestError::SetUp("the address is no URL"))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
            return Err(RestError::SetUp("the address is no web address"));
        }
        let authorization = STANDARD.encode(format!("{account_sid}:{auth_token}"));
        let authentication = TwilioAuthentication::BasicAuth { basic_auth: authorization.clone() };
        // The client's TLS panics on a machine without root certificates; that must not take the hub down.
        let client = std::panic::catch_unwind(|| TwilioClient::new(&base, authentication))
            .map_err(|_| RestError::SetUp("no root certificates (Debian: package ca-certificates)"))?;
        Ok(Self { client, account: path_segment(account_sid), authorization, limit })
    }

    /// Sends an SMS and returns its name (`SM…`). `status_url` is told what becomes of it.
    ///
    /// # Errors
    /// [`RestError`]; after `Timeout` the message may have gone out: look with [`Self::messages_to`] before another
    /// try.
    pub async fn send_sms(
        &self,
        from: &str,
        to: &str,
        text: &str,
        status_url: Option<&str>,
    ) -> Result<String, RestError> {
        let mut form = vec![("To", to), ("From", from), ("Body", text)];
        form.extend(status_url.map(|url| ("StatusCallback", url)));
        self.create("Messages.json", &form).await
    }

    /// Places a call and returns its name (`CA…`). Twilio asks `voice_url` what to say once it is answered.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn place_call(
        &self,
        from: &str,
        to: &str,
        voice_url: &str,
        status_url: &str,
    ) -> Result<String, RestError> {
        self.create("Calls.json", &[("To", to), ("From", from), ("Url", voice_url), ("StatusCallback", status_url)])
            .await
    }

    /// Ends a call.
    ///
    /// # Errors
    /// [`RestError`]; a call that is over already is no error to Twilio.
    pub async fn hang_up(&self, call_sid: &str) -> Result<(), RestError> {
        self.create(&format!("Calls/{}.json", path_segment(call_sid)), &[("Status", "completed")]).await.map(drop)
    }

    /// The sound of a recording (WAV).
    ///
    /// # Errors
    /// [`RestError`]; `Refused` with 404 while Twilio is still putting it away.
    pub async fn recording(&self, recording: &RecordingRef) -> Result<Bytes, RestError> {
        let path = format!("{}/Recordings/{}.wav", self.base_path(), path_segment(&recording.0));
        self.in_time(async {
            let sent = self.client.client.get(&path).basic_auth(&self.authorization).send().await;
            let response = sent.map_err(|_| RestError::Unreachable)?;
            let length = response.headers().get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
            if length.is_some_and(|length: u64| length > MAX_RECORDING_BYTES) {
                return Err(RestError::Unreadable);
            }
            let status = response.status().as_u16();
            let body = response.bytes().await.map_err(|_| RestError::Unreachable)?;
            if status == 200 { Ok(body) } else { Err(refusal(status, &body)) }
        })
        .await
    }

    /// The latest messages to a number, newest first (at most `limit`, 1000 the most).
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn messages_to(&self, to: &str, limit: u16) -> Result<Vec<MessageRecord>, RestError> {
        let listed = self.client.list_message(&self.account).to(to).page_size(i64::from(limit)).send();
        let page = self.in_time(async { listed.await.map_err(|error| read_error(&error.to_string())) }).await?;
        let messages: Vec<ApiV2010AccountMessage> = records(page, "messages")?;
        Ok(messages
            .into_iter()
            .map(|message| MessageRecord {
                sid: message.sid.unwrap_or_default(),
                direction: message.direction.unwrap_or_default(),
                status: message.status.unwrap_or_default(),
                from: Caller::parse(&message.from.unwrap_or_default()),
                to: Caller::parse(&message.to.unwrap_or_default()),
                body: message.body.unwrap_or_default(),
            })
            .collect())
    }

    /// The latest calls to a number of ours, newest first (at most `limit`, 1000 the most): finds calls whose webhooks
    /// never arrived.
    ///
    /// # Errors
    /// [`RestError`].
    pub async fn calls_to(&self, to: &str, limit: u16) -> Result<Vec<CallRecord>, RestError> {
        let listed = self.client.list_call(&self.account).to(to).page_size(i64::from(limit)).send();
        let page = self.in_time(async { listed.await.map_err(|error| read_error(&error.to_string())) }).await?;
        let calls: Vec<ApiV2010AccountCall> = records(page, "calls")?;
        Ok(calls
            .into_iter()
            .map(|call| CallRecord {
                sid: call.sid.unwrap_or_default(),
                direction: call.direction.unwrap_or_default(),
                status: call.status.unwrap_or_default(),
                from: Caller::parse(&call.from.unwrap_or_default()),
                to: Caller::parse(&call.to.unwrap_or_default()),
                seconds: call.duration.and_then(|seconds| seconds.parse().ok()),
            })
            .collect())
    }

    /// Posts a form and returns the `sid` of what it made.
    async fn create(&self, resource: &str, form: &[(&str, &str)]) -> Result<String, RestError> {
        let path = format!("{}/{resource}", self.base_path());
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.in_time(async {
            let request = self.client.client.post(&path).basic_auth(&self.authorization);
            // The type is set first: `text` would make it text/plain.
            let sent = request.content_type("application/x-www-form-urlencoded").text(body).send().await;
            let response = sent.map_err(|_| RestError::Unreachable)?;
            let status = response.status().as_u16();
            let answer = response.bytes().await.map_err(|_| RestError::Unreachable)?;
            if !(200..300).contains(&status) {
                return Err(refusal(status, &answer));
            }
            let made: serde_json::Value = serde_json::from_slice(&answer).map_err(|_| RestError::Unreadable)?;
            made.get("sid").and_then(|sid| sid.as_str()).map(str::to_owned).ok_or(RestError::Unreadable)
        })
        .await
    }

    fn base_path(&self) -> String {
        format!("/2010-04-01/Accounts/{}", self.account)
    }

    async fn in_time<T>(&self, request: impl Future<Output = Result<T, RestError>>) -> Result<T, RestError> {
        tokio::time::timeout(self.limit, request).await.unwrap_or(Err(RestError::Timeout))
    }
}

impl std::fmt::Debug for Rest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rest").field("account", &self.account).field("limit", &self.limit).finish_non_exhaustive()
    }
}

fn refusal(status: u16, answer: &[u8]) -> RestError {
    let answer: Option<serde_json::Value> = serde_json::from_slice(answer).ok();
    RestError::Refused { status, code: answer.and_then(|answer| answer.get("code")?.as_u64()) }
}

/// The typed requests give an error of a crate that is not ours to name; its text begins with the status, when there
/// was one.
fn read_error(text: &str) -> RestError {
    let status = text.strip_prefix("HttpError { status: ").and_then(|rest| rest.get(..3)?.parse().ok());
    match status {
        Some(status) => RestError::Refused { status, code: None },
        None if text.starts_with("JsonEncodingError") => RestError::Unreadable,
        None => RestError::Unreachable,
    }
}

fn records<T: serde::de::DeserializeOwned>(mut page: serde_json::Value, name: &str) -> Result<Vec<T>, RestError> {
    let found = page.get_mut(name).map(serde_json::Value::take).ok_or(RestError::Unreadable)?;
    serde_json::from_value(found).map_err(|_| RestError::Unreadable)
}
