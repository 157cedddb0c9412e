//! Carries one input from the line through all the hub's answers that it calls for.

use super::session::Session;
use super::step;
use crate::effect::{Ask, Effect};
use crate::event::Input;

/// One turn of a call: the line said something, the hub may be asked, the line hears the rest.
///
/// ```
/// # use ivr::{Caller, Input, flow::{Session, Turn}};
/// # let (session, input, now) = (Session::new(), Input::Started { from: Caller::Anonymous, language_hint: None }, 0);
/// let mut turn = Turn::begin(session, input, now);
/// while let Some(ask) = turn.ask() {
///     let answer = match ask { _ => Input::FilingFailed /* the hub does what is asked */ };
///     turn = turn.answer(answer, now);
/// }
/// let (session, effects) = turn.finish();
/// # assert!(!effects.is_empty() && !session.is_over());
/// ```
#[derive(Debug, Clone)]
pub struct Turn {
    session: Session,
    effects: Vec<Effect>,
    ask: Option<Ask>,
}

impl Turn {
    /// Hears `input` from the line.
    #[must_use]
    pub fn begin(session: Session, input: Input, now_ms: i64) -> Self {
        let turn = Self { session, effects: Vec::new(), ask: None };
        turn.answer(input, now_ms)
    }

    /// Takes up a session whose question was never answered because the hub stopped meanwhile.
    #[must_use]
    pub fn resume(session: Session) -> Self {
        let ask = session.outstanding().cloned();
        Self { session, effects: Vec::new(), ask }
    }

    /// What the hub is asked, if anything. Ends after a few questions, whatever the answers are.
    #[must_use]
    pub fn ask(&self) -> Option<&Ask> {
        self.ask.as_ref()
    }

    /// The session as it stands, to be stored before an `Ask` is carried out.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Goes on with the hub's answer.
    #[must_use]
    pub fn answer(self, answer: Input, now_ms: i64) -> Self {
        let Self { session, mut effects, .. } = self;
        let (session, next) = step(session, answer, now_ms);
        effects.extend(next);
        let ask = match effects.pop() {
            Some(Effect::Ask(ask)) => Some(ask),
            Some(other) => {
                effects.push(other);
                None
            }
            None => None,
        };
        Self { session, effects, ask }
    }

    /// The session to store and what the line is to do: no `Ask` among it.
    #[must_use]
    pub fn finish(self) -> (Session, Vec<Effect>) {
        (self.session, self.effects)
    }
}
