//! What a caller hears, as values: a [`Prompt`] is one sound in one language. It knows its file and its words, and
//! nothing of where files live (that is [`PromptStore`](crate::PromptStore)).

use serde::{Deserialize, Serialize};

use crate::language::Language;
use crate::number::{CaseNumber, Series};
use crate::text;

/// One sound in one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Prompt {
    /// What is said.
    pub sound: Sound,
    /// In which language.
    pub language: Language,
}

/// What can be said: a phrase, a digit, a letter of a series, or a short rest between groups of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// A whole phrase.
    Phrase(Phrase),
    /// A digit, 0 to 9.
    Digit(u8),
    /// A capital letter that occurs in a series.
    Letter(char),
    /// About a third of a second of silence.
    Pause,
}

/// The letters that the five series are made of.
pub const LETTERS: [char; 8] = ['C', 'G', 'I', 'N', 'O', 'P', 'R', 'V'];

macro_rules! phrases {
    ($($(#[$doc:meta])* $name:ident = $id:literal,)*) => {
        /// The phrases of `locales/*/prompts.ftl`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Phrase {
            $($(#[$doc])* #[serde(rename = $id)] $name,)*
        }

        impl Phrase {
            /// Every phrase.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The id of its text and the stem of its sound file.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self {
                    $(Self::$name => $id,)*
                }
            }
        }
    };
}

phrases! {
    /// The greeting.
    Welcome = "welcome",
    /// "For English, press 2": each language's own line of the menu.
    ChooseLanguage = "choose-language",
    /// That speech is recorded, and what for.
    Notice = "notice",
    /// The main menu.
    Menu = "menu",
    /// After silence.
    NothingHeard = "nothing-heard",
    /// After a key that means nothing here.
    NotUnderstood = "not-understood",
    /// The keys did not work out: on to speaking.
    SpeakAnyway = "speak-anyway",
    /// Before a grievance is recorded.
    RecordGrievance = "record-grievance",
    /// Before an addition is recorded.
    RecordAddition = "record-addition",
    /// Before a message for an officer is recorded.
    RecordMessage = "record-message",
    /// A recording of less than a second.
    TooShort = "too-short",
    /// Before the recording is played back.
    HeardBack = "heard-back",
    /// Keep it or say it again.
    KeepOrRepeat = "keep-or-repeat",
    /// Before the number is said.
    NumberIs = "number-is",
    /// Before the number is said again.
    NumberAgain = "number-again",
    /// That an SMS follows.
    SmsFollows = "sms-follows",
    /// What can be done once a case is filed.
    AfterFiled = "after-filed",
    /// A message for an officer is kept.
    MessageKept = "message-kept",
    /// The case could not be made yet; the recording is safe.
    FilingFailed = "filing-failed",
    /// Asks for the ten digits.
    EnterNumber = "enter-number",
    /// Too few or too many digits.
    WrongLength = "wrong-length",
    /// A digit is wrong.
    WrongCheckDigit = "wrong-check-digit",
    /// No such case.
    NoSuchCase = "no-such-case",
    /// The digits fit cases of several series.
    SeveralCases = "several-cases",
    /// "For", before or after the letters of a series.
    ForSeries = "for-series",
    /// "press", before or after a digit.
    Press = "press",
    /// The case could not be looked up.
    LookupFailed = "lookup-failed",
    /// Received.
    StageFiled = "stage-filed",
    /// With the responsible officer.
    StageRouted = "stage-routed",
    /// Being worked on.
    StageAttended = "stage-attended",
    /// A decision is being prepared.
    StageDecided = "stage-decided",
    /// A hearing is to be held.
    StageHearing = "stage-hearing",
    /// Closed.
    StageClosed = "stage-closed",
    /// Opened again.
    StageReopened = "stage-reopened",
    /// What can be done once the status was told.
    AfterStatus = "after-status",
    /// Added to the case.
    Added = "added",
    /// Could not be added yet; the recording is safe.
    AddingFailed = "adding-failed",
    /// The recording failed; once more.
    RecordingFailed = "recording-failed",
    /// No recording came about; other ways to reach us.
    CannotRecord = "cannot-record",
    /// The call has lasted long enough.
    TimeIsUp = "time-is-up",
    /// The last word.
    Goodbye = "goodbye",
}

impl Prompt {
    /// A phrase in a language.
    #[must_use]
    pub fn new(phrase: Phrase, language: Language) -> Self {
        Self { sound: Sound::Phrase(phrase), language }
    }

    /// Every prompt there is in `language`: what a complete set of sound files holds.
    pub fn all(language: Language) -> impl Iterator<Item = Self> {
        let phrases = Phrase::ALL.iter().map(|phrase| Sound::Phrase(*phrase));
        let digits = (0..=9).map(Sound::Digit);
        let letters = LETTERS.into_iter().map(Sound::Letter);
        phrases.chain(digits).chain(letters).chain([Sound::Pause]).map(move |sound| Self { sound, language })
    }

    /// The sound file below the folder of prompts, for instance `en/digit-4.wav`.
    #[must_use]
    pub fn file(&self) -> String {
        format!("{}/{}.wav", self.language.tag(), self.stem())
    }

    /// The words, for captions and for speech synthesis; empty for a pause.
    #[must_use]
    pub fn text(&self) -> String {
        match self.sound {
            Sound::Pause => String::new(),
            Sound::Phrase(_) | Sound::Digit(_) | Sound::Letter(_) => text::say_or_id(self.language, &self.stem(), &[]),
        }
    }

    fn stem(&self) -> String {
        match self.sound {
            Sound::Phrase(phrase) => phrase.id().to_owned(),
            Sound::Digit(digit) => format!("digit-{digit}"),
            Sound::Letter(letter) => format!("letter-{}", letter.to_ascii_lowercase()),
            Sound::Pause => "pause".to_owned(),
        }
    }
}

/// What a caller might say, ready to be played to the demo's line in place of a microphone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The language it is spoken in.
    pub language: Language,
    /// The sound file below the folder of prompts.
    pub file: String,
    /// The words.
    pub words: String,
}

/// The shipped samples, one a language.
#[must_use]
pub fn samples() -> Vec<Sample> {
    const ID: &str = "sample-grievance";
    Language::ALL
        .into_iter()
        .map(|language| Sample {
            language,
            file: format!("{}/{ID}.wav", language.tag()),
            words: text::say_or_id(language, ID, &[]),
        })
        .collect()
}

/// A case number sign by sign, with a rest between its groups; the hyphens are not spoken.
#[must_use]
pub fn spell_number(number: CaseNumber, language: Language) -> Vec<Prompt> {
    let mut sounds: Vec<Sound> = number.series.letters().chars().map(Sound::Letter).collect();
    for (place, digit) in number.ten.digits().into_iter().enumerate() {
        // GR · 26 · 000 · 0123 · 0: groups that a hand can write down.
        if matches!(place, 0 | 2 | 5 | 9) {
            sounds.push(Sound::Pause);
        }
        sounds.push(Sound::Digit(digit));
    }
    sounds.push(Sound::Pause);
    sounds.into_iter().map(|sound| Prompt { sound, language }).collect()
}

/// "For G R, press 1", in the order of words of the language.
#[must_use]
pub fn offer_series(series: Series, key: u8, language: Language) -> Vec<Prompt> {
    let letters = series.letters().chars().map(Sound::Letter);
    let (ask, press, key) = (Sound::Phrase(Phrase::ForSeries), Sound::Phrase(Phrase::Press), Sound::Digit(key));
    let sounds: Vec<Sound> = match language {
        Language::English => [ask].into_iter().chain(letters).chain([press, key]).collect(),
        Language::Hindi => letters.chain([ask, key, press]).collect(),
    };
    sounds.into_iter().map(|sound| Prompt { sound, language }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_has_words_and_a_file_of_its_own() {
        for language in Language::ALL {
            let mut files: Vec<String> = Prompt::all(language).map(|prompt| prompt.file()).collect();
            let count = files.len();
            files.sort();
            files.dedup();
            assert_eq!(files.len(), count);
            for prompt in Prompt::all(language).filter(|prompt| prompt.sound != Sound::Pause) {
                assert!(text::say(language, &prompt.stem(), &[]).is_some(), "{prompt:?} has no words");
            }
        }
    }

    #[test]
    fn the_letters_are_those_of_the_series() {
        let mut letters: Vec<char> = Series::ALL.iter().flat_map(|series| series.letters().chars()).collect();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters, LETTERS);
    }

    #[test]
    fn a_number_is_spelled_without_hyphens() {
        let number: CaseNumber = "GR26-0000123-0".parse().unwrap();
        let said: Vec<String> =
            spell_number(number, Language::English).iter().map(Prompt::text).filter(|t| !t.is_empty()).collect();
        assert_eq!(said.join(" "), "G R two six zero zero zero zero one two three zero");
    }

    #[test]
    fn a_series_is_offered_in_the_order_of_the_language() {
        let said =
            |language| offer_series(Series::Cp, 2, language).iter().map(Prompt::text).collect::<Vec<_>>().join(" ");
        assert_eq!(said(Language::English), "For C P press two");
        assert_eq!(said(Language::Hindi), "सी पी के लिए दो दबाएँ");
    }
}
