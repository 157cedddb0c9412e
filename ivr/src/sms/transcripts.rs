//! Talks by SMS as texts (`transcripts/*.txt`). Lines with `>` are what somebody sends; what the hub does and writes
//! back is compared.

use super::{MAX_TEXT_BYTES, Reply, SmsAction, SmsState, ask_series, dialogue};
use crate::language::Language;
use crate::number::{Series, TenDigits};

#[test]
fn talks_read_as_written() {
    crate::transcript::check("src/sms/transcripts", 6, play);
}

fn play(written: &str) -> String {
    let mut state = SmsState::default();
    let mut heard = String::new();
    let mut now = 0;
    for line in written.lines() {
        let script = if let Some(minutes) = line.strip_prefix("after ").and_then(|rest| rest.strip_suffix(" minutes")) {
            now += minutes.parse::<i64>().unwrap() * 60_000;
            Some(Vec::new())
        } else if let Some(letters) = line.strip_prefix("hub: the digits fit ") {
            let series = letters.split(", ").map(|letters| Series::from_letters(letters).unwrap()).collect();
            let (next, actions) = ask_series(state.clone(), TenDigits::new(26, 123).unwrap(), series, now);
            state = next;
            Some(actions)
        } else if let Some(text) = line.strip_prefix("> ") {
            let (next, actions) = dialogue(state.clone(), &text.replace("\\n", "\n"), now);
            state = next;
            Some(actions)
        } else if line.starts_with('#') || line.is_empty() {
            Some(Vec::new())
        } else {
            None
        };
        if let Some(actions) = script {
            heard.push_str(line);
            heard.push('\n');
            if line.starts_with('>') && actions.is_empty() {
                heard.push_str("    (nothing)\n");
            }
            for action in actions {
                heard.push_str(&format!("    {}\n", told(&action, state.reply_language())));
            }
        }
    }
    heard
}

fn told(action: &SmsAction, language: Language) -> String {
    match action {
        SmsAction::File { text, language } => format!("files ({}): {}", language.tag(), text.replace('\n', "\\n")),
        SmsAction::LookUp { number: Some(number) } => format!("looks up {number}"),
        SmsAction::LookUp { number: None } => "looks up the sender's latest case".to_owned(),
        SmsAction::AddTo { number, text, language } => {
            let case = number.map_or("the sender's open case".to_owned(), |number| number.to_string());
            format!("adds to {case} ({}): {text}", language.tag())
        }
        SmsAction::Reply(reply) => format!("writes: {}", reply.text(language)),
        SmsAction::SetLanguage(language) => format!("remembers the language {}", language.tag()),
        SmsAction::OptOut => "sends nothing more".to_owned(),
        SmsAction::OptIn => "sends again".to_owned(),
    }
}

#[test]
fn a_hundred_kilobytes_are_taken_whole_and_more_is_refused() {
    let text = "क".repeat(MAX_TEXT_BYTES / 3);
    let (_, actions) = dialogue(SmsState::default(), &text, 0);
    assert_eq!(actions, [SmsAction::File { text: text.clone(), language: Language::Hindi }]);
    let long = text + "क";
    let (state, actions) = dialogue(SmsState::default(), &long, 0);
    assert_eq!(actions, [SmsAction::Reply(Reply::TooLong)]);
    assert_eq!(state.reply_language(), Language::Hindi);
    let (state, _) = dialogue(SmsState::default(), &"x".repeat(MAX_TEXT_BYTES + 1), 0);
    assert_eq!(state.reply_language(), Language::English, "refused in the writer's language");
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::sample::select(vec![
                "STATUS",
                "ADD",
                "HELP",
                "STOP",
                "START",
                "LANGUAGE",
                "HINDI",
                "स्थिति",
                "जोड़ें",
                "GR26-0000123-0",
                "GR26-0000123-4",
                "2600001230",
                "9876543210",
                "GR",
                "please",
                "bank",
                "ऋण",
                "🙏",
                "\n",
                "my loan",
                "नमस्ते",
            ])
            .prop_map(str::to_owned),
            ".{0,12}",
        ]
    }

    const SENTENCE: &str = "the bank refused our working capital";

    /// Letters of a text, which is what must not get lost.
    fn letters(text: &str) -> String {
        text.chars().filter(|c| c.is_alphabetic()).collect()
    }

    proptest! {
        #[test]
        fn every_text_is_answered_and_long_ones_are_kept(
            pieces in prop::collection::vec(piece(), 0..8),
            more in prop::collection::vec(piece(), 0..4),
            waited in 0_i64..8_000_000,
        ) {
            let (state, first) = dialogue(SmsState::default(), &pieces.join(" "), 0);
            prop_assert!(!first.is_empty(), "a text without any answer");
            let text = more.join(" ");
            let (next, actions) = dialogue(state.clone(), &text, waited);
            let stored = serde_json::to_string(&(&next, &actions)).unwrap();
            let read: (SmsState, Vec<SmsAction>) = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(read, (next, actions.clone()));
            let kept = actions.iter().any(|action| matches!(action, SmsAction::File { .. } | SmsAction::AddTo { .. }));
            let words = text.split_whitespace().filter(|word| letters(word).chars().count() > 2).count();
            // Keywords, names of languages, courtesies and a number's letters are no more than six words of these
            // pieces.
            prop_assert!(kept || words <= 6 || letters(&text).is_empty(), "lost: {text:?} -> {actions:?}");
        }

        #[test]
        fn a_sentence_is_never_lost(start in piece(), number in 0..3_usize) {
            let head = ["", "GR26-0000123-4 ", "GR26-0000123-0 "][number];
            let text = format!("{start} {head}{SENTENCE}");
            let (_, actions) = dialogue(SmsState::default(), &text, 0);
            let kept = actions.iter().any(|action| {
                matches!(action, SmsAction::File { text, .. } | SmsAction::AddTo { text, .. } if text.contains(SENTENCE))
            });
            prop_assert!(kept, "lost: {text:?} -> {actions:?}");
        }
    }
}
