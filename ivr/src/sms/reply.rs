//! What is written back: values with their arguments; the words are in `locales/*/sms.ftl`.

use serde::{Deserialize, Serialize};

use crate::event::Stage;
use crate::language::Language;
use crate::number::{CaseNumber, Given, Series, TenDigits};
use crate::text;

/// A text to send. The dialogue makes some, the hub the others (what became of a filing or a look-up).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// A case was made, by SMS or by a call.
    Filed {
        /// Its number.
        number: CaseNumber,
    },
    /// A message in the voice box became a case.
    FiledForCallBack {
        /// Its number.
        number: CaseNumber,
    },
    /// The case could not be made yet.
    FilingFailed,
    /// Words meant for a case that was not found became a case of their own.
    FiledInstead {
        /// The new case.
        number: CaseNumber,
    },
    /// Added to a case.
    Added {
        /// Which.
        number: CaseNumber,
    },
    /// ADD came without words.
    AddWhat,
    /// Where a case stands.
    Standing {
        /// The case.
        number: CaseNumber,
        /// Where it stands.
        stage: Stage,
    },
    /// No such case.
    NotFound {
        /// What was asked for.
        number: Given,
    },
    /// STATUS without a number, from somebody who has no case.
    NoCase,
    /// The look-up failed.
    LookUpFailed,
    /// The check digit is wrong.
    WrongCheckDigit,
    /// Not ten digits.
    WrongLength,
    /// The digits fit several series.
    WhichSeries {
        /// Which.
        series: Vec<Series>,
    },
    /// Nothing readable was sent.
    AskText,
    /// Beyond [`MAX_TEXT_BYTES`](super::MAX_TEXT_BYTES).
    TooLong,
    /// What can be sent.
    Help,
    /// After STOP.
    Stopped,
    /// After START.
    Started,
    /// After the choice of a language, in that language.
    LanguageSet,
    /// Which language?
    WhichLanguage,
    /// After a call that ended before anything was said.
    CallBack,
}

impl Reply {
    /// The id of its text: names the template registered with the operators.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Filed { .. } => "sms-filed",
            Self::FiledForCallBack { .. } => "sms-filed-call-back",
            Self::FilingFailed => "sms-filing-failed",
            Self::FiledInstead { .. } => "sms-filed-instead",
            Self::Added { .. } => "sms-added",
            Self::AddWhat => "sms-add-what",
            Self::Standing { stage, .. } => stage_key(*stage),
            Self::NotFound { .. } => "sms-not-found",
            Self::NoCase => "sms-no-case",
            Self::LookUpFailed => "sms-lookup-failed",
            Self::WrongCheckDigit => "sms-wrong-check-digit",
            Self::WrongLength => "sms-wrong-length",
            Self::WhichSeries { .. } => "sms-which-series",
            Self::AskText => "sms-ask-text",
            Self::TooLong => "sms-too-long",
            Self::Help => "sms-help",
            Self::Stopped => "sms-stopped",
            Self::Started => "sms-started",
            Self::LanguageSet => "sms-language-set",
            Self::WhichLanguage => "sms-which-language",
            Self::CallBack => "sms-call-back",
        }
    }

    /// What fills the text's variables, in the order of their names.
    #[must_use]
    pub fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Filed { number }
            | Self::FiledForCallBack { number }
            | Self::FiledInstead { number }
            | Self::Added { number }
            | Self::Standing { number, .. } => vec![("number", number.to_string())],
            Self::NotFound { number } => vec![("number", number.to_string())],
            Self::WhichSeries { series } => {
                vec![("choices", series.iter().map(|series| series.letters()).collect::<Vec<_>>().join(", "))]
            }
            Self::WrongLength => vec![("example", example().map(|number| number.to_string()).unwrap_or_default())],
            Self::FilingFailed
            | Self::AddWhat
            | Self::NoCase
            | Self::LookUpFailed
            | Self::WrongCheckDigit
            | Self::AskText
            | Self::TooLong
            | Self::Help
            | Self::Stopped
            | Self::Started
            | Self::LanguageSet
            | Self::WhichLanguage
            | Self::CallBack => Vec::new(),
        }
    }

    /// The words in a language.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let arguments = self.arguments();
        let borrowed: Vec<(&'static str, &str)> =
            arguments.iter().map(|(name, value)| (*name, value.as_str())).collect();
        text::say_or_id(language, self.key(), &borrowed)
    }
}

/// A number that looks as numbers do and belongs to no case: no year has a serial of zero.
fn example() -> Option<CaseNumber> {
    Some(CaseNumber { series: Series::Gr, ten: TenDigits::new(26, 0)? })
}

fn stage_key(stage: Stage) -> &'static str {
    match stage {
        Stage::Filed => "sms-stage-filed",
        Stage::Routed => "sms-stage-routed",
        Stage::Attended => "sms-stage-attended",
        Stage::Decided => "sms-stage-decided",
        Stage::Hearing => "sms-stage-hearing",
        Stage::Closed => "sms-stage-closed",
        Stage::Reopened => "sms-stage-reopened",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::{Encoding, segments};

    fn samples() -> Vec<Reply> {
        let number: CaseNumber = "GR26-0000123-0".parse().unwrap();
        let mut all = vec![
            Reply::Filed { number },
            Reply::FiledForCallBack { number },
            Reply::FilingFailed,
            Reply::FiledInstead { number },
            Reply::Added { number },
            Reply::AddWhat,
            Reply::NotFound { number: number.into() },
            Reply::NoCase,
            Reply::LookUpFailed,
            Reply::WrongCheckDigit,
            Reply::WrongLength,
            Reply::WhichSeries { series: Series::ALL.to_vec() },
            Reply::AskText,
            Reply::TooLong,
            Reply::Help,
            Reply::Stopped,
            Reply::Started,
            Reply::LanguageSet,
            Reply::WhichLanguage,
            Reply::CallBack,
        ];
        all.extend(Stage::ALL.map(|stage| Reply::Standing { number, stage }));
        all
    }

    #[test]
    fn every_text_is_filled_in_and_short() {
        let written = include_str!("../../locales/en/sms.ftl").lines().filter(|line| line.starts_with("sms-")).count();
        assert_eq!(samples().len(), written, "each text of the file has its reply");
        for reply in samples() {
            for language in Language::ALL {
                let text = reply.text(language);
                assert!(!text.contains(['{', '}']) && text != reply.key(), "{text}");
                let cost = segments(&text);
                match language {
                    Language::English => assert_eq!((cost.encoding, cost.count), (Encoding::Gsm7, 1), "{text}"),
                    Language::Hindi => assert!(cost.count <= 2, "{} SMS: {text}", cost.count),
                }
            }
        }
    }
}
