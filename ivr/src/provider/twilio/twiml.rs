//! Effects as TwiML: a tiny XML writer with escaping, and the few verbs that we use.

use super::Twilio;
use crate::effect::{Effect, Gather, Record};
use crate::language::Language;
use crate::prompt::{Prompt, Sound};

/// How prompts reach the caller's ear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speech {
    /// `<Play>` our sound files, below this address (`https://hub.example/prompts/`).
    Files(String),
    /// `<Say>` the words by Twilio's synthesis.
    Words,
}

/// A document that ends nothing and says nothing, for webhooks whose answer is not heard.
pub(super) const EMPTY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response />";

/// The document for `effects`. The keys' and the recording's outcome come back to the voice address with `step={turn}`.
pub(super) fn document(twilio: &Twilio, turn: u32, effects: &[Effect]) -> String {
    let mut xml = Xml::new();
    xml.open("Response", &[]);
    let mut rest = effects;
    while let Some((effect, after)) = rest.split_first() {
        match effect {
            Effect::Gather(gather) => write_gather(&mut xml, twilio, turn, gather, &[]),
            Effect::Say { .. } | Effect::PlayBack { .. } => {
                // What a key may cut short goes inside the <Gather> that follows it.
                let run = rest.iter().take_while(|effect| may_be_cut(effect)).count();
                if let (Some(heard), Some(Effect::Gather(gather))) = (rest.get(..run), rest.get(run))
                    && run > 0
                {
                    write_gather(&mut xml, twilio, turn, gather, heard);
                    rest = rest.get(run + 1..).unwrap_or_default();
                    continue;
                }
                write_heard(&mut xml, twilio, effect);
            }
            Effect::Record(record) => write_record(&mut xml, twilio, turn, record),
            Effect::HangUp => xml.empty("Hangup", &[]),
            Effect::Ask(_) | Effect::OfferCallBack { .. } => {}
        }
        rest = after;
    }
    xml.close();
    xml.text
}

fn may_be_cut(effect: &Effect) -> bool {
    matches!(effect, Effect::Say { barge_in: true, .. } | Effect::PlayBack { .. })
}

fn write_gather(xml: &mut Xml, twilio: &Twilio, turn: u32, gather: &Gather, heard: &[Effect]) {
    let digits = gather.digits.to_string();
    let timeout = gather.timeout_s.to_string();
    let finish = gather.finish_on.map(String::from).unwrap_or_default();
    let action = twilio.action(turn, "gather");
    let attributes = [
        ("action", action.as_str()),
        ("actionOnEmptyResult", "true"),
        ("finishOnKey", &finish),
        ("input", "dtmf"),
        ("method", "POST"),
        ("numDigits", &digits),
        ("timeout", &timeout),
    ];
    if heard.is_empty() {
        return xml.empty("Gather", &attributes);
    }
    xml.open("Gather", &attributes);
    for effect in heard {
        write_heard(xml, twilio, effect);
    }
    xml.close();
}

fn write_record(xml: &mut Xml, twilio: &Twilio, turn: u32, record: &Record) {
    let (action, silence) = (twilio.action(turn, "record"), twilio.action(turn, "silence"));
    xml.empty(
        "Record",
        &[
            ("action", &action),
            ("finishOnKey", &record.finish_on.to_string()),
            ("maxLength", &record.max_seconds.to_string()),
            ("method", "POST"),
            ("playBeep", if record.beep { "true" } else { "false" }),
            ("recordingStatusCallback", &twilio.recording_url),
            ("recordingStatusCallbackEvent", "completed"),
            ("recordingStatusCallbackMethod", "POST"),
            ("timeout", &record.silence_s.to_string()),
            ("trim", "do-not-trim"),
        ],
    );
    // Twilio passes on to the next verb when nothing was said.
    xml.open("Redirect", &[("method", "POST")]);
    xml.words(&silence);
    xml.close();
}

fn write_heard(xml: &mut Xml, twilio: &Twilio, effect: &Effect) {
    match effect {
        Effect::Say { prompts, .. } => prompts.iter().for_each(|prompt| write_prompt(xml, &twilio.speech, prompt)),
        Effect::PlayBack { recording } => {
            xml.open("Play", &[]);
            xml.words(&format!("{}{}", twilio.recordings, super::path_segment(&recording.0)));
            xml.close();
        }
        Effect::Gather(_) | Effect::Record(_) | Effect::Ask(_) | Effect::OfferCallBack { .. } | Effect::HangUp => {}
    }
}

fn write_prompt(xml: &mut Xml, speech: &Speech, prompt: &Prompt) {
    match (speech, prompt.sound) {
        (Speech::Files(address), _) => {
            xml.open("Play", &[]);
            xml.words(&format!("{address}{}", prompt.file()));
            xml.close();
        }
        (Speech::Words, Sound::Pause) => xml.empty("Pause", &[("length", "1")]),
        (Speech::Words, Sound::Phrase(_) | Sound::Digit(_) | Sound::Letter(_)) => {
            let language = match prompt.language {
                Language::English => "en-IN",
                Language::Hindi => "hi-IN",
            };
            xml.open("Say", &[("language", language)]);
            xml.words(&prompt.text());
            xml.close();
        }
    }
}

/// Writes well-formed XML, or nothing at all for a stray `close`.
struct Xml {
    text: String,
    open: Vec<&'static str>,
}

impl Xml {
    fn new() -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".to_owned(), open: Vec::new() }
    }

    fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes, ">");
        self.open.push(name);
    }

    fn empty(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes, " />");
    }

    fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.text.extend(["</", name, ">"]);
        }
    }

    fn words(&mut self, words: &str) {
        escape(&mut self.text, words);
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)], end: &str) {
        self.text.extend(["<", name]);
        for (attribute, value) in attributes {
            self.text.extend([" ", attribute, "=\""]);
            escape(&mut self.text, value);
            self.text.push('"');
        }
        self.text.push_str(end);
    }
}

/// Escapes for content and attributes alike; characters that XML 1.0 cannot hold become U+FFFD.
fn escape(into: &mut String, words: &str) {
    for c in words.chars() {
        match c {
            '&' => into.push_str("&amp;"),
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\t' | '\n' | '\r' => into.push_str(match c {
                '\t' => "&#9;",
                '\n' => "&#10;",
                _ => "&#13;",
            }),
            '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => into.push('\u{FFFD}'),
            c => into.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_an_attribute_or_a_text() {
        let mut xml = Xml::new();
        xml.open("Say", &[("language", "\"><Dial>1</Dial>")]);
        xml.words("a < b & c ]]> \u{0}\u{B}");
        xml.close();
        xml.close();
        assert_eq!(
            xml.text,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Say language=\"&quot;&gt;&lt;Dial&gt;1&lt;/Dial&gt;\">a &lt; b &amp; c ]]&gt; \u{FFFD}\u{FFFD}</Say>"
        );
    }
}
