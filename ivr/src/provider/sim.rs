//! The simulated provider: JSON in, JSON out. The demo's telephone page and every scripted call use it; it needs no
//! signature, since it exists in the demo alone.

use serde::{Deserialize, Serialize};

use super::{Answer, Line, Provider, Refused, Request};
use crate::caller::Caller;
use crate::effect::Effect;
use crate::event::{CallEvent, CallRef, Event, EventId, Input, RecordingRef, SmsEvent};
use crate::language::Language;
use crate::prompt::Prompt;

/// Where the page finds sounds.
#[derive(Debug, Clone)]
pub struct Sim {
    /// Put before a prompt's file: `/prompts/`.
    pub prompts: String,
    /// Put before a recording's name: `/demo/phone/recordings/`.
    pub recordings: String,
}

/// What the handset reports.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// Something on a call.
    Call {
        /// The call's name, chosen by whoever starts it.
        call: String,
        /// The turn that the caller answers to; 0 for the start. The same turn reported twice is one event.
        turn: u32,
        /// The caller.
        from: String,
        /// What happened.
        heard: Heard,
    },
    /// An SMS.
    Sms {
        /// A name of its own for each message.
        id: String,
        /// The sender.
        from: String,
        /// The text.
        text: String,
    },
}

/// What the caller did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    /// Picked up and dialled.
    Start {
        /// BCP-47 tag of the language that the number used last.
        language: Option<String>,
    },
    /// Pressed keys.
    Digits(String),
    /// Waited.
    Silence,
    /// Spoke after the tone.
    Recorded {
        /// Where the hub put it.
        recording: String,
        /// How long.
        seconds: u32,
    },
    /// The microphone failed.
    RecordingFailed,
    /// Hung up.
    HangUp,
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Call { call, turn, .. } => {
                f.debug_struct("Call").field("call", call).field("turn", turn).finish_non_exhaustive()
            }
            Self::Sms { id, .. } => f.debug_struct("Sms").field("id", id).finish_non_exhaustive(),
        }
    }
}

/// One thing for the telephone page to do, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// Play sounds and show their words.
    Say {
        /// The sounds.
        say: Vec<Spoken>,
        /// Whether a key cuts them short.
        barge_in: bool,
    },
    /// Play a recording of the caller.
    PlayBack {
        /// Its address.
        play_back: String,
    },
    /// Wait for keys.
    Gather {
        /// How.
        gather: Keys,
    },
    /// Record after a tone.
    Record {
        /// How.
        record: Take,
    },
    /// The line is closed.
    HangUp {
        /// Always true.
        hangup: bool,
    },
}

/// A sound and its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// Address of the file.
    pub file: String,
    /// The words; empty for a pause.
    pub caption: String,
}

/// How keys are waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// How many at most.
    pub digits: u8,
    /// Seconds until it counts as silence.
    pub timeout_s: u16,
    /// The key that ends the wait.
    pub finish_on: Option<char>,
}

/// How speech is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// Seconds at most.
    pub max_seconds: u16,
    /// Seconds of silence that end it.
    pub silence_s: u16,
    /// The key that ends it.
    pub finish_on: char,
    /// Whether a tone comes first.
    pub beep: bool,
}

impl Sim {
    /// What a report means.
    #[must_use]
    pub fn event(&self, report: Report) -> Event {
        match report {
            Report::Sms { id, from, text } => {
                Event::Sms(SmsEvent { id: EventId(format!("sim:{id}")), from: Caller::parse(&from), to: None, text })
            }
            Report::Call { call, turn, from, heard } => {
                let from = Caller::parse(&from);
                let (kind, input) = match heard {
                    Heard::Start { language } => {
                        let language_hint = language.as_deref().and_then(Language::from_tag);
                        ("start", Input::Started { from: from.clone(), language_hint })
                    }
                    Heard::Digits(keys) => ("digits", Input::Digits(keys)),
                    Heard::Silence => ("silence", Input::Silence),
                    Heard::Recorded { recording, seconds } => {
                        ("recorded", Input::Recorded { recording: RecordingRef(recording), seconds })
                    }
                    Heard::RecordingFailed => ("recording-failed", Input::RecordingFailed),
                    Heard::HangUp => ("hangup", Input::HungUp),
                };
                let on_line = input != Input::HungUp;
                let id = EventId(format!("sim:{call}:{turn}:{kind}"));
                Event::Call(CallEvent { id, call: CallRef(call), from, inputs: vec![input], on_line })
            }
        }
    }

    /// Effects as steps of the page.
    #[must_use]
    pub fn steps(&self, effects: &[Effect]) -> Vec<Step> {
        effects.iter().filter_map(|effect| self.step(effect)).collect()
    }

    fn step(&self, effect: &Effect) -> Option<Step> {
        Some(match effect {
            Effect::Say { prompts, barge_in } => {
                Step::Say { say: prompts.iter().map(|prompt| self.spoken(prompt)).collect(), barge_in: *barge_in }
            }
            Effect::PlayBack { recording } => {
                Step::PlayBack { play_back: format!("{}{}", self.recordings, recording.0) }
            }
            Effect::Gather(gather) => Step::Gather {
                gather: Keys { digits: gather.digits, timeout_s: gather.timeout_s, finish_on: gather.finish_on },
            },
            Effect::Record(record) => Step::Record {
                record: Take {
                    max_seconds: record.max_seconds,
                    silence_s: record.silence_s,
                    finish_on: record.finish_on,
                    beep: record.beep,
                },
            },
            Effect::HangUp => Step::HangUp { hangup: true },
            Effect::Ask(_) | Effect::OfferCallBack { .. } => return None,
        })
    }

    fn spoken(&self, prompt: &Prompt) -> Spoken {
        Spoken { file: format!("{}{}", self.prompts, prompt.file()), caption: prompt.text() }
    }
}

impl Provider for Sim {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn read(&self, request: &Request<'_>) -> Result<Event, Refused> {
        let report = serde_json::from_slice(request.body).map_err(|_| Refused::Lacks("a report in JSON"))?;
        Ok(self.event(report))
    }
}

impl Line for Sim {
    fn say(&self, _turn: u32, effects: &[Effect]) -> Answer {
        let steps = serde_json::json!({ "steps": self.steps(effects) });
        Answer { content_type: "application/json", body: steps.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Session, Turn};

    fn sim() -> Sim {
        Sim { prompts: "/prompts/".into(), recordings: "/recordings/".into() }
    }

    fn hear(session: Session, json: &str) -> (Session, serde_json::Value) {
        let request = Request { url: "http://localhost/x", headers: &[], body: json.as_bytes() };
        let Event::Call(event) = sim().read(&request).unwrap() else { panic!("a call") };
        let (session, effects) = Turn::begin(session, event.inputs[0].clone(), 0).finish();
        let answer = sim().say(session.turn(), &effects);
        (session, serde_json::from_str(&answer.body).unwrap())
    }

    #[test]
    fn a_call_is_spoken_in_the_page_s_own_words() {
        let (session, said) = hear(
            Session::new(),
            r#"{"call":{"call":"c1","turn":0,"from":"9876543210","heard":{"start":{"language":"en"}}}}"#,
        );
        assert_eq!(said["steps"][0]["say"][0]["file"], "/prompts/en/welcome.wav");
        assert_eq!(said["steps"][0]["say"][0]["caption"], "Welcome to Champions, the help line for small businesses.");
        assert_eq!(said["steps"][2], serde_json::json!({"gather": {"digits": 1, "timeout_s": 6, "finish_on": null}}));
        let (session, _) =
            hear(session, r#"{"call":{"call":"c1","turn":1,"from":"9876543210","heard":{"digits":"2"}}}"#);
        let (session, said) =
            hear(session, r#"{"call":{"call":"c1","turn":2,"from":"9876543210","heard":{"digits":"1"}}}"#);
        assert_eq!(said["steps"][1]["record"]["finish_on"], "#");
        let (_, said) = hear(
            session,
            r#"{"call":{"call":"c1","turn":3,"from":"9876543210","heard":{"recorded":{"recording":"r1","seconds":9}}}}"#,
        );
        assert_eq!(said["steps"][1], serde_json::json!({"play_back": "/recordings/r1"}));
    }

    #[test]
    fn the_same_report_has_the_same_name() {
        let report = |turn| Report::Call { call: "c".into(), turn, from: String::new(), heard: Heard::Silence };
        assert_eq!(sim().event(report(3)).id(), sim().event(report(3)).id());
        assert_ne!(sim().event(report(3)).id(), sim().event(report(4)).id());
    }

    #[test]
    fn nonsense_is_refused() {
        let request = Request { url: "", headers: &[], body: b"{\"call\":1}" };
        assert_eq!(sim().read(&request), Err(Refused::Lacks("a report in JSON")));
    }
}
