//! Our TwiML is, byte for byte, what the builders of Twilio's own library make.
#![cfg(feature = "twilio")]

mod oracle;

use std::collections::BTreeMap;

use ivr::provider::Line;
use ivr::provider::twilio::{Speech, Twilio};
use ivr::{Effect, Gather, Language, Phrase, Prompt, Record, RecordingRef, Sound};

fn say(phrase: Phrase, language: Language, barge_in: bool) -> Effect {
    Effect::Say { prompts: vec![Prompt::new(phrase, language)], barge_in }
}

fn one_key() -> Effect {
    Effect::Gather(Gather { digits: 1, timeout_s: 6, finish_on: None })
}

fn ours() -> BTreeMap<&'static str, String> {
    let files = Twilio::new("https://hub.example/", "AC1", "secret");
    let words = Twilio { speech: Speech::Words, ..files.clone() };
    let (en, hi) = (Language::English, Language::Hindi);
    let pause = Effect::Say { prompts: vec![Prompt { sound: Sound::Pause, language: hi }], barge_in: false };
    let record = Effect::Record(Record { max_seconds: 180, silence_s: 10, finish_on: '#', beep: true });
    let recording = RecordingRef("RE\">1".into());
    let number = Effect::Gather(Gather { digits: 10, timeout_s: 10, finish_on: Some('#') });
    BTreeMap::from([
        ("menu", files.say(2, &[say(Phrase::Notice, en, false), say(Phrase::Menu, en, true), one_key()]).body),
        ("record", files.say(3, &[say(Phrase::RecordGrievance, hi, false), record]).body),
        (
            "review",
            files
                .say(
                    4,
                    &[
                        say(Phrase::HeardBack, en, true),
                        Effect::PlayBack { recording },
                        say(Phrase::KeepOrRepeat, en, true),
                        one_key(),
                    ],
                )
                .body,
        ),
        ("number", words.say(5, &[say(Phrase::EnterNumber, en, true), number]).body),
        ("goodbye", words.say(6, &[say(Phrase::Goodbye, hi, false), pause, Effect::HangUp]).body),
        ("silent", Twilio::silent().body),
    ])
}

#[test]
fn documents_are_those_of_twilio_s_builders() {
    let Some(lines) = oracle::lines("twiml") else { return };
    let ours = ours();
    assert_eq!(lines.len(), ours.len());
    for line in lines {
        let name = line["name"].as_str().unwrap();
        assert_eq!(ours[name], line["xml"].as_str().unwrap(), "{name}");
    }
}
