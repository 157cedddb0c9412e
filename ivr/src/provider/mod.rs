//! Telephone providers: what a provider's request means, and our effects in the provider's language.
//!
//! Each home is pure: it reads a request that the hub received and writes an answer that the hub sends. (Twilio's REST
//! client in `twilio::rest` is the one exception.) A new provider is a file here with the traits below.
//!
//! - [`sim`]: the demo's telephone and every test;
//! - [`twilio`]: voice and SMS webhooks, TwiML, REST;
//! - [`msdg`]: the government's Mobile Seva SMS gateway.

pub mod msdg;
pub mod sim;
#[cfg(feature = "twilio")]
pub mod twilio;

use thiserror::Error;

use crate::effect::Effect;
use crate::event::Event;

/// A request as the hub received it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The whole public URL that the provider called, query included (behind a proxy: the outer one).
    pub url: &'a str,
    /// Header names (any case) and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, unread.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// The first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The decoded pairs of the query.
    fn query(&self) -> Vec<(String, String)> {
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        pairs(query.split('#').next().unwrap_or_default().as_bytes())
    }
}

/// An answer to a provider's request. Its status is 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// For the header `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// Why a request is not an event. The hub answers 403 to the first and 400 to the second, and keeps nothing of either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// The signature is missing or wrong.
    #[error("the request is not signed by the provider")]
    Unauthentic,
    /// Signed, but not what this webhook understands.
    #[error("the request lacks {0}")]
    Lacks(&'static str),
}

/// Reads what a provider reports.
pub trait Provider {
    /// A short name: the prefix of its event ids and the label of its counters.
    fn name(&self) -> &'static str;

    /// Authenticates the request, then reads it.
    ///
    /// # Errors
    /// [`Refused`], before anything of an unsigned request was looked at.
    fn read(&self, request: &Request<'_>) -> Result<Event, Refused>;
}

/// Speaks to a call that the provider holds.
pub trait Line: Provider {
    /// Effects in the provider's language. `turn` is [`Session::turn`](crate::flow::Session::turn) after the step that
    /// made them: it comes back with the caller's next move and makes its event id. An `Ask` is the hub's business and
    /// is passed over.
    fn say(&self, turn: u32, effects: &[Effect]) -> Answer;
}

/// Decoded pairs of a form or a query.
fn pairs(form: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(form).into_owned().collect()
}

/// The first value of a name.
fn value<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
