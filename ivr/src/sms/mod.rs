//! The SMS dialogue, pure: [`dialogue`] takes what is remembered of a sender, a text and the time, and returns what to
//! remember and to do.
//!
//! A text is a grievance unless it is plainly something else: nothing that somebody wrote is ever lost. Keywords count
//! only where the rest of the text agrees ("Stop the harassment by my bank" is a grievance), and words with a number
//! that cannot be right are filed as they are.
//!
//! The hub carries the actions out in order and answers `File`, `LookUp` and `AddTo` itself with a [`Reply`].

mod keywords;
mod number_in_text;
mod reply;
mod segments;

#[cfg(test)]
mod transcripts;

use serde::{Deserialize, Serialize};

use crate::language::Language;
use crate::number::{Given, NumberError, Series, TenDigits};
use keywords::{Keyword, is_courtesy, is_greeting, language_name};
use number_in_text::leading_number;

pub use reply::Reply;
pub use segments::{Encoding, Segments, segments};

/// The longest text taken, in bytes of UTF-8. A longer one is refused with a kind word: no telephone sends it.
pub const MAX_TEXT_BYTES: usize = 100 * 1024;

/// How long an open question waits for its answer: one hour, in milliseconds.
pub const QUESTION_MS: i64 = 60 * 60 * 1000;

/// What is remembered of a sender between two texts. Plain data, stored as JSON by the hub.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsState {
    /// Chosen by LANGUAGE, or remembered from a call.
    pub language: Option<Language>,
    /// The script of the last text that had one.
    guess: Option<Language>,
    /// STOP was sent: nothing is written to this number until START.
    pub opted_out: bool,
    question: Option<(Question, i64)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    AddWhat { number: Option<Given> },
    WhichSeries { ten: TenDigits },
    WhichLanguage,
}

/// What the hub does about a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsAction {
    /// Make a case of the text. Answer with `Reply::Filed` (or `FilingFailed`).
    File {
        /// The whole text.
        text: String,
        /// The language it is written in, by its script.
        language: Language,
    },
    /// Tell where a case stands: this one, or without a number the sender's latest. Answer with `Standing`, `NotFound`,
    /// `NoCase`, `LookUpFailed`, or [`ask_series`] when the digits fit several series and none of the cases is the
    /// sender's own.
    LookUp {
        /// Which case.
        number: Option<Given>,
    },
    /// Add words to a case: this one, or without a number the sender's only open case. Where that is not possible (no
    /// such case, not clear which) the hub files the words as a case of their own and answers `Filed` or
    /// `FiledInstead`; else it answers `Added`.
    AddTo {
        /// Which case.
        number: Option<Given>,
        /// The words.
        text: String,
        /// The language they are written in, by their script.
        language: Language,
    },
    /// Write back.
    Reply(Reply),
    /// Remember the language for this number, on the telephone too.
    SetLanguage(Language),
    /// Send nothing more to this number. (The one reply that follows confirms it.)
    OptOut,
    /// Send again.
    OptIn,
}

impl SmsState {
    /// A sender of whom at most the language is known (from a call).
    #[must_use]
    pub fn new(language: Option<Language>) -> Self {
        Self { language, ..Self::default() }
    }

    /// The language to write in: chosen, else that of the sender's script, else [`Language::DEFAULT`].
    #[must_use]
    pub fn reply_language(&self) -> Language {
        self.language.or(self.guess).unwrap_or(Language::DEFAULT)
    }
}

/// What a text means. `now_ms` is epoch milliseconds.
#[must_use]
pub fn dialogue(mut state: SmsState, text: &str, now_ms: i64) -> (SmsState, Vec<SmsAction>) {
    if text.len() > MAX_TEXT_BYTES {
        notice_script(&mut state, text);
        let actions = replies(&state, vec![SmsAction::Reply(Reply::TooLong)]);
        return (state, actions);
    }
    let question = state
        .question
        .take()
        .filter(|(_, asked)| now_ms.saturating_sub(*asked) <= QUESTION_MS)
        .map(|(question, _)| question);
    let trimmed = text.trim_matches(|c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{FEFF}')
    });
    notice_script(&mut state, trimmed);
    let actions = meaning(&mut state, question, trimmed, now_ms);
    let actions = replies(&state, actions);
    (state, actions)
}

/// Asks which series is meant, after a look-up by ten digits that fit several.
#[must_use]
pub fn ask_series(mut state: SmsState, ten: TenDigits, series: Vec<Series>, now_ms: i64) -> (SmsState, Vec<SmsAction>) {
    state.question = Some((Question::WhichSeries { ten }, now_ms));
    let actions = replies(&state, vec![SmsAction::Reply(Reply::WhichSeries { series })]);
    (state, actions)
}

fn meaning(state: &mut SmsState, question: Option<Question>, text: &str, now_ms: i64) -> Vec<SmsAction> {
    let (word, rest) = first_word(text);
    let alone = !rest.chars().any(char::is_alphanumeric);
    match Keyword::of(word) {
        Some(Keyword::Stop) if alone => {
            state.opted_out = true;
            return vec![SmsAction::OptOut, SmsAction::Reply(Reply::Stopped)];
        }
        Some(Keyword::Start) if alone => {
            state.opted_out = false;
            return vec![SmsAction::OptIn, SmsAction::Reply(Reply::Started)];
        }
        Some(Keyword::Help) if alone => return vec![SmsAction::Reply(Reply::Help)],
        Some(Keyword::Language) if alone => {
            state.question = Some((Question::WhichLanguage, now_ms));
            return vec![SmsAction::Reply(Reply::WhichLanguage)];
        }
        Some(Keyword::Language) => {
            if let Some(language) = language_name(rest) {
                return set_language(state, language);
            }
        }
        Some(Keyword::Status) => {
            if let Some(actions) = status(state, text, rest) {
                return actions;
            }
        }
        Some(Keyword::Add) => return add(state, text, rest, now_ms),
        Some(Keyword::Stop | Keyword::Start | Keyword::Help) | None => {}
    }
    if let Some(language) = language_name(word).filter(|_| alone) {
        return set_language(state, language);
    }
    match question {
        Some(Question::WhichSeries { ten }) => {
            if let Some(series) = Series::from_letters(word).filter(|_| alone) {
                return vec![SmsAction::LookUp { number: Some(Given { series: Some(series), ten }) }];
            }
        }
        Some(Question::AddWhat { number }) if has_words(text) && leading_number(text).is_none() => {
            return vec![SmsAction::AddTo { number, text: text.to_owned(), language: written_in(state, text) }];
        }
        Some(Question::AddWhat { .. } | Question::WhichLanguage) | None => {}
    }
    by_number_or_free(state, text)
}

/// A text without a keyword.
fn by_number_or_free(state: &SmsState, text: &str) -> Vec<SmsAction> {
    match leading_number(text) {
        Some((Ok(number), rest)) if is_courtesy(rest) => vec![SmsAction::LookUp { number: Some(number) }],
        Some((Ok(number), rest)) => {
            vec![SmsAction::AddTo { number: Some(number), text: rest.to_owned(), language: written_in(state, rest) }]
        }
        Some((Err(error), rest)) if is_courtesy(rest) => vec![SmsAction::Reply(wrong_number(error))],
        Some((Err(error), _)) if text.starts_with(char::is_alphabetic) => {
            vec![file(state, text), SmsAction::Reply(wrong_number(error))]
        }
        // The two letters of a series, and no question open that they would answer.
        None if Series::from_letters(text).is_some() => vec![SmsAction::Reply(Reply::WrongLength)],
        Some((Err(_), _)) | None if !has_words(text) => vec![SmsAction::Reply(Reply::AskText)],
        Some((Err(_), _)) | None if is_greeting(text) => vec![SmsAction::Reply(Reply::Help)],
        Some((Err(_), _)) | None => vec![file(state, text)],
    }
}

/// STATUS with a number, alone, or among courtesies. `None`: the word merely begins a sentence.
fn status(state: &SmsState, text: &str, rest: &str) -> Option<Vec<SmsAction>> {
    match leading_number(rest) {
        None if is_courtesy(rest) => Some(vec![SmsAction::LookUp { number: None }]),
        None => None,
        Some((Ok(number), more)) if is_courtesy(more) => Some(vec![SmsAction::LookUp { number: Some(number) }]),
        // More was said about the case: it is told and kept.
        Some((Ok(number), more)) => Some(vec![
            SmsAction::LookUp { number: Some(number) },
            SmsAction::AddTo { number: Some(number), text: more.to_owned(), language: written_in(state, more) },
        ]),
        Some((Err(error), more)) if is_courtesy(more) => Some(vec![SmsAction::Reply(wrong_number(error))]),
        Some((Err(error), _)) => Some(vec![file(state, text), SmsAction::Reply(wrong_number(error))]),
    }
}

fn add(state: &mut SmsState, text: &str, rest: &str, now_ms: i64) -> Vec<SmsAction> {
    let (number, words) = match leading_number(rest) {
        Some((Ok(number), words)) => (Some(number), words),
        Some((Err(error), words)) if is_courtesy(words) => return vec![SmsAction::Reply(wrong_number(error))],
        // The number is wrong and the words are real: they become a case, and an officer joins the two.
        Some((Err(error), _)) => return vec![file(state, text), SmsAction::Reply(wrong_number(error))],
        None => (None, rest),
    };
    if is_courtesy(words) || !has_words(words) {
        state.question = Some((Question::AddWhat { number }, now_ms));
        return vec![SmsAction::Reply(Reply::AddWhat)];
    }
    vec![SmsAction::AddTo { number, text: words.to_owned(), language: written_in(state, words) }]
}

fn set_language(state: &mut SmsState, language: Language) -> Vec<SmsAction> {
    state.language = Some(language);
    vec![SmsAction::SetLanguage(language), SmsAction::Reply(Reply::LanguageSet)]
}

fn file(state: &SmsState, text: &str) -> SmsAction {
    SmsAction::File { text: text.to_owned(), language: written_in(state, text) }
}

fn wrong_number(error: NumberError) -> Reply {
    match error {
        NumberError::WrongCheckDigit => Reply::WrongCheckDigit,
        NumberError::WrongLength { .. } | NumberError::NotANumber | NumberError::NoSeries => Reply::WrongLength,
    }
}

fn written_in(state: &SmsState, text: &str) -> Language {
    Language::of_script(text).unwrap_or(state.reply_language())
}

/// Remembers the sender's script. Latin letters overrule Devanagari only in a real text: keywords are in Latin letters
/// for everybody.
fn notice_script(state: &mut SmsState, text: &str) {
    let is_short = text.split_whitespace().count() < 3;
    match Language::of_script(text) {
        Some(Language::English) if is_short && state.guess.is_some() => {}
        Some(language) => state.guess = Some(language),
        None => {}
    }
}

/// After STOP only the confirmation itself is written.
fn replies(state: &SmsState, actions: Vec<SmsAction>) -> Vec<SmsAction> {
    if !state.opted_out {
        return actions;
    }
    actions
        .into_iter()
        .filter(|action| !matches!(action, SmsAction::Reply(reply) if *reply != Reply::Stopped))
        .collect()
}

/// Whether there is a letter to read, of any script: signs and emoji alone cannot be acted upon.
fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphabetic)
}

fn first_word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}
