//! The telephone as the outside meets it: calls, texts and webhooks against the program itself, on both databases.
//!
//! `hub` starts the demo and speaks with it; `line` is a telephone, a handset and the two providers; the stories follow.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "what a test lacks fails it")]

#[path = "telephony/hub.rs"]
mod hub;
#[path = "telephony/line.rs"]
mod line;

#[path = "telephony/calls.rs"]
mod calls;
#[path = "telephony/inside.rs"]
mod inside;
#[path = "telephony/kills.rs"]
mod kills;
#[path = "telephony/refusals.rs"]
mod refusals;
#[path = "telephony/texts.rs"]
mod texts;
#[path = "telephony/twice.rs"]
mod twice;
