//! The telephone of Champions Hub: what a caller hears, what a text message means, and how providers are spoken to.
//!
//! Nothing here knows a case, a database or a web server. Three pure parts decide, and the hub carries out:
//!
//! - [`flow`]: a call, as `step(session, input, now) → (session, effects)`;
//! - [`sms`]: a text message, as `dialogue(state, text, now) → (state, actions)`, and the replies' texts and lengths;
//! - [`provider`]: what a provider's request means, and our effects in its language (`sim`, `twilio`, `msdg`).
//!
//! Shared between them: [`Caller`], [`number`] (case numbers as people give them), [`Language`], [`Prompt`] and
//! [`PromptStore`] (what is said and the sound files), [`Effect`] and [`Input`]. A new prompt is a line in
//! `locales/*/prompts.ftl`, a [`Phrase`], and a run of `prompts/make`.
//!
//! The hub's round is always the same: [`provider::Provider::read`] → store the [`Event`] under its id, once →
//! [`flow::Turn`] (or [`sms::dialogue`]) with the stored session → answer what is asked → store session and answer
//! together → [`provider::Line::say`]. An event whose id is known already gets the stored answer again.
//!
//! Only `provider::twilio::rest` and [`PromptStore`] do I/O; nothing reads a clock.

mod caller;
mod effect;
mod event;
mod language;
mod prompt;
mod prompt_store;
mod text;
#[cfg(test)]
mod transcript;

pub mod flow;
pub mod number;
pub mod provider;
pub mod sms;

pub use caller::Caller;
pub use effect::{Ask, Effect, Gather, Record};
pub use event::{
    CallEvent, CallRef, DeliveryReport, DeliveryStatus, Event, EventId, Input, RecordingRef, SmsEvent, Stage,
};
pub use language::Language;
pub use prompt::{Phrase, Prompt, Sample, Sound, offer_series, samples, spell_number};
pub use prompt_store::PromptStore;
