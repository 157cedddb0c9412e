//! The one home of fluent in this crate: texts of `locales/`, both what is spoken (captions) and what is written (SMS).

use std::borrow::Cow;
use std::collections::HashMap;

use fluent_templates::fluent_bundle::FluentValue;
use fluent_templates::{LanguageIdentifier, langid};

use crate::language::Language;

fluent_templates::static_loader! {
    static LOCALES = {
        locales: "./locales",
        fallback_language: "en",
        // An SMS must not carry the invisible marks that fluent puts around arguments: each would make it UCS-2.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

const ENGLISH: LanguageIdentifier = langid!("en");
const HINDI: LanguageIdentifier = langid!("hi");

/// The text `id` with its arguments filled in; `None` when this language lacks it (a test sees to it that none does).
pub(crate) fn say(language: Language, id: &str, arguments: &[(&'static str, &str)]) -> Option<String> {
    let arguments: HashMap<Cow<'static, str>, FluentValue<'_>> =
        arguments.iter().map(|(name, value)| (Cow::Borrowed(*name), FluentValue::from(*value))).collect();
    let language = match language {
        Language::English => &ENGLISH,
        Language::Hindi => &HINDI,
    };
    LOCALES.lookup_single_language(language, id, Some(&arguments)).ok()
}

/// Like [`say`], in English where the language lacks the text, and the bare id where both do: a reader gets something,
/// whatever happens.
pub(crate) fn say_or_id(language: Language, id: &str, arguments: &[(&'static str, &str)]) -> String {
    say(language, id, arguments).or_else(|| say(Language::English, id, arguments)).unwrap_or_else(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Message ids of a fluent file, as its lines begin.
    fn ids(ftl: &str) -> Vec<&str> {
        ftl.lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(" = "))
            .map(|(id, _)| id)
            .collect()
    }

    #[test]
    fn both_languages_have_the_same_texts() {
        let sms = (include_str!("../locales/en/sms.ftl"), include_str!("../locales/hi/sms.ftl"));
        let prompts = (include_str!("../locales/en/prompts.ftl"), include_str!("../locales/hi/prompts.ftl"));
        let samples = (include_str!("../locales/en/samples.ftl"), include_str!("../locales/hi/samples.ftl"));
        for (english, hindi) in [sms, prompts, samples] {
            assert!(!ids(english).is_empty());
            assert_eq!(ids(english), ids(hindi), "same texts in the same order");
            for id in ids(english) {
                for language in Language::ALL {
                    assert!(
                        say(language, id, &[("number", "n"), ("choices", "c"), ("example", "e")]).is_some(),
                        "{language:?} lacks {id}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_missing_text_still_says_something() {
        assert_eq!(say(Language::Hindi, "no-such-text", &[]), None);
        assert_eq!(say_or_id(Language::Hindi, "no-such-text", &[]), "no-such-text");
    }
}
