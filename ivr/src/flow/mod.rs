//! The call flow, pure: [`step`] takes a session, what was heard and the time, and returns the session and what to do.
//!
//! ```text
//! welcome, language ─► notice, menu ─1─► record ─► hear it back ─1─► file ─► number, twice ─► again / add / goodbye
//!                                   ├─2─► ten digits ─► look up ─► where it stands ─► again / add / goodbye
//!                                   └─0─► voice box (from anywhere) ─► file, with a wish to be rung back
//! ```
//!
//! **The contract with the hub.** A step's effects end in one of four: `Gather`, `Record` (the line answers), `Ask`
//! (the hub answers), `HangUp`. After an `Ask` the hub calls `step` again with the answer before it hears anything else
//! from the line; [`Turn`] does that bookkeeping. An empty list means that nothing is to be done: the input came twice,
//! or the call is over. Whatever was recorded is carried by an `Ask` at the latest when the call ends, so no recording
//! is ever without a case.

mod judge;
mod keep;
mod session;
mod speak;
mod turn;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod transcripts;

pub use session::Session;
pub use turn::Turn;

use crate::effect::Effect;
use crate::event::Input;
use speak::Flow;

/// Silences and wrong keys at one question before the call goes kindly on.
pub const TRIES: u8 = 3;
/// Inputs after which a call is brought to its end.
pub const MAX_TURNS: u32 = 60;
/// Age at which a call is brought to its end: 30 minutes, in milliseconds.
pub const MAX_CALL_MS: i64 = 30 * 60 * 1000;

/// What the call does next. Pure: no clock, no I/O. `now_ms` is epoch milliseconds.
#[must_use]
pub fn step(session: Session, input: Input, now_ms: i64) -> (Session, Vec<Effect>) {
    let mut flow = Flow::of(session);
    judge::hear(&mut flow, input, now_ms);
    flow.into_parts()
}
