//! Twilio's webhooks as events: signed as Twilio signs, read as what the flow hears.
#![cfg(feature = "twilio")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "what a test's own request lacks fails the test")]

use ivr::flow::{Session, Turn};
use ivr::provider::twilio::Twilio;
use ivr::provider::twilio::signature::{Algorithm, sign};
use ivr::provider::{Line, Provider, Refused, Request};
use ivr::{Ask, CallEvent, Caller, DeliveryStatus, Event, Input, Language, RecordingRef};

const TOKEN: &str = "secret";
const BASE: &str = "https://hub.example/telephony/twilio";

fn twilio() -> Twilio {
    Twilio::new("https://hub.example", "AC1", TOKEN)
}

fn post(url: &str, fields: &[(&str, &str)]) -> Result<Event, Refused> {
    let owned: Vec<(String, String)> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let signature = sign(TOKEN, Algorithm::HmacSha1, url, &owned);
    let headers = [
        ("content-type", "application/x-www-form-urlencoded; charset=UTF-8"),
        ("x-twilio-signature", signature.as_str()),
    ];
    twilio().read(&Request { url, headers: &headers, body: body.as_bytes() })
}

fn call(url: &str, fields: &[(&str, &str)]) -> CallEvent {
    let common = [("CallSid", "CA1"), ("From", "+919876543210"), ("To", "+18005551212"), ("Direction", "inbound")];
    let mut all: Vec<(&str, &str)> = common.to_vec();
    all.extend_from_slice(fields);
    match post(url, &all) {
        Ok(Event::Call(event)) => event,
        other => panic!("a call, not {other:?}"),
    }
}

/// The address that an attribute of the document names.
fn address(xml: &str, attribute: &str) -> String {
    let start = xml.find(&format!("{attribute}=\"")).unwrap() + attribute.len() + 2;
    let end = start + xml[start..].find('"').unwrap();
    xml[start..end].replace("&amp;", "&")
}

#[test]
fn a_call_goes_from_ring_to_number() {
    let twilio = twilio();
    let hear = |session: Session, event: &CallEvent, answer: Option<Input>| {
        let mut turn = Turn::begin(session, event.inputs[0].clone(), 0);
        while let Some(ask) = turn.ask() {
            assert!(matches!(ask, Ask::FileGrievance { recording, .. } if recording.0 == "RE1"));
            turn = turn.answer(answer.clone().unwrap(), 0);
        }
        let (session, effects) = turn.finish();
        let document = twilio.say(session.turn(), &effects).body;
        (session, document)
    };
    let ring = call(&format!("{BASE}/voice"), &[("CallStatus", "ringing")]);
    assert_eq!(ring.id.0, "twilio:CA1:0:start");
    let known = ring.clone().with_language_hint(Some(Language::Hindi));
    assert!(matches!(known.inputs[..], [Input::Started { language_hint: Some(Language::Hindi), .. }]));
    let (session, xml) = hear(Session::new(), &ring, None);
    let (session, xml) =
        hear(session, &call(&address(&xml, "action"), &[("CallStatus", "in-progress"), ("Digits", "2")]), None);
    assert!(
        xml.contains("/prompts/en/notice.wav</Play><Gather"),
        "the notice stands outside of what a key cuts short: {xml}"
    );
    let (session, xml) =
        hear(session, &call(&address(&xml, "action"), &[("CallStatus", "in-progress"), ("Digits", "1")]), None);
    assert!(xml.contains("<Record ") && xml.contains("on=silence</Redirect>"), "{xml}");
    let said = [("CallStatus", "in-progress"), ("RecordingSid", "RE1"), ("RecordingDuration", "14"), ("Digits", "#")];
    let (session, xml) = hear(session, &call(&address(&xml, "action"), &said), None);
    assert!(xml.contains("/Recordings/RE1</Play>"), "{xml}");
    let keep = call(&address(&xml, "action"), &[("CallStatus", "in-progress"), ("Digits", "1")]);
    let (session, xml) = hear(session, &keep, Some(Input::Filed { number: "GR26-0000123-0".parse().unwrap() }));
    assert_eq!(xml.matches("en/letter-g.wav").count(), 2, "the number is said twice: {xml}");
    let (session, xml) = hear(session, &call(&address(&xml, "action"), &[("CallStatus", "in-progress")]), None);
    assert!(xml.ends_with("<Hangup /></Response>"), "{xml}");
    assert!(session.is_over());
}

#[test]
fn hanging_up_during_the_recording_delivers_it_first() {
    let event = call(
        &format!("{BASE}/voice?step=3&on=record"),
        &[("CallStatus", "completed"), ("RecordingSid", "RE1"), ("RecordingDuration", "5"), ("Digits", "hangup")],
    );
    let recorded = Input::Recorded { recording: RecordingRef("RE1".into()), seconds: 5 };
    assert_eq!((event.inputs, event.on_line), (vec![recorded, Input::HungUp], false));
}

#[test]
fn silence_and_keys_are_told_apart() {
    let url = format!("{BASE}/voice?step=4&on=gather");
    assert_eq!(call(&url, &[("CallStatus", "in-progress"), ("Digits", "")]).inputs, [Input::Silence]);
    assert_eq!(call(&url, &[("CallStatus", "in-progress"), ("Digits", "*1")]).inputs, [Input::Digits("*1".into())]);
    assert_eq!(
        call(&format!("{BASE}/voice?step=4&on=silence"), &[("CallStatus", "in-progress")]).inputs,
        [Input::Silence]
    );
}

#[test]
fn the_same_report_has_one_name_and_another_has_another() {
    let url = |step| format!("{BASE}/voice?step={step}&on=gather");
    let keys = |step| call(&url(step), &[("CallStatus", "in-progress"), ("Digits", "1")]);
    assert_eq!(keys(2).id, keys(2).id);
    assert_ne!(keys(2).id, keys(3).id);
    let ready = call(
        &format!("{BASE}/recording"),
        &[("RecordingSid", "RE1"), ("RecordingStatus", "completed"), ("RecordingUrl", "https://elsewhere.example/x")],
    );
    assert_eq!((ready.id.0.as_str(), ready.on_line), ("twilio:RE1:completed", false));
    assert_eq!(ready.inputs, [Input::RecordingReady { recording: RecordingRef("RE1".into()) }]);
}

#[test]
fn the_end_of_a_call_is_a_hang_up_and_its_ringing_is_nothing() {
    let status = |status| call(&format!("{BASE}/status"), &[("CallStatus", status)]).inputs;
    assert_eq!(status("completed"), [Input::HungUp]);
    assert_eq!(status("no-answer"), [Input::HungUp]);
    assert!(status("ringing").is_empty());
}

#[test]
fn on_a_call_that_we_placed_the_caller_is_whom_we_rang() {
    let event = post(
        &format!("{BASE}/voice"),
        &[("CallSid", "CA2"), ("From", "+18005551212"), ("To", "+919876543210"), ("Direction", "outbound-api")],
    );
    assert!(matches!(event, Ok(Event::Call(CallEvent { from, .. })) if from == Caller::parse("9876543210")));
}

#[test]
fn messages_and_their_fate_are_read() {
    let text = "मेरे बैंक ने ऋण नहीं दिया 🙏";
    let Ok(Event::Sms(sms)) =
        post(&format!("{BASE}/sms"), &[("MessageSid", "SM1"), ("From", "+919876543210"), ("To", "+1"), ("Body", text)])
    else {
        panic!("an SMS")
    };
    assert_eq!((sms.id.0.as_str(), sms.text.as_str()), ("twilio:SM1", text));
    assert!(!format!("{sms:?}").contains("बैंक"), "what people write stays out of the log");
    let fate = |status| match post(
        &format!("{BASE}/status"),
        &[("MessageSid", "SM1"), ("MessageStatus", status), ("ErrorCode", "30003")],
    ) {
        Ok(Event::Delivery(report)) => (report.status, report.error_code.unwrap()),
        other => panic!("a report, not {other:?}"),
    };
    assert_eq!(fate("undelivered"), (DeliveryStatus::Failed, "30003".into()));
    assert_eq!(fate("delivered").0, DeliveryStatus::Delivered);
    assert_eq!(fate("queued").0, DeliveryStatus::Underway);
}

#[test]
fn what_is_not_signed_is_not_read() {
    let url = format!("{BASE}/sms");
    let read =
        |headers: &[(&str, &str)], body: &str| twilio().read(&Request { url: &url, headers, body: body.as_bytes() });
    assert_eq!(read(&[], "MessageSid=SM1"), Err(Refused::Unauthentic));
    assert_eq!(read(&[("X-Twilio-Signature", "")], "MessageSid=SM1"), Err(Refused::Unauthentic));
    let of_another = sign("other", Algorithm::HmacSha1, &url, &[]);
    assert_eq!(read(&[("X-Twilio-Signature", &of_another)], ""), Err(Refused::Unauthentic));
    let good = sign(TOKEN, Algorithm::HmacSha1, &url, &[]);
    assert_eq!(
        read(&[("X-Twilio-Signature", &good), ("Content-Type", "application/json")], "{}"),
        Err(Refused::Unauthentic)
    );
    let settings = ("X-Twilio-Webhooks-Signature-Settings", "algorithm=HMAC_MD5");
    assert_eq!(read(&[("X-Twilio-Signature", &good), settings], ""), Err(Refused::Unauthentic));
}

#[test]
fn what_is_signed_and_makes_no_sense_is_refused() {
    assert_eq!(post(&format!("{BASE}/voice"), &[("From", "+1")]), Err(Refused::Lacks("CallSid")));
    assert_eq!(post(&format!("{BASE}/voice?on=else"), &[("CallSid", "CA1")]), Err(Refused::Lacks("a known step")));
    assert_eq!(post(&format!("{BASE}/sms"), &[("Body", "x")]), Err(Refused::Lacks("MessageSid")));
    assert_eq!(post(&format!("{BASE}/fax"), &[("CallSid", "CA1")]), Err(Refused::Lacks("a known webhook")));
}

proptest::proptest! {
    /// Bytes of strangers, and signed nonsense, are refused or read, and never more than that.
    #[test]
    fn no_request_makes_the_reader_fail(
        path in "[a-z/?=&%]{0,30}",
        body in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        header in ".{0,20}",
    ) {
        let url = format!("{BASE}/{path}");
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().collect();
        let signature = sign(TOKEN, Algorithm::HmacSha1, &url, &fields);
        let read = |headers: &[(&str, &str)]| twilio().read(&Request { url: &url, headers, body: &body });
        let _verdict = read(&[("x-twilio-signature", &signature)]);
        proptest::prop_assert!(read(&[("x-twilio-signature", &header), ("content-type", &header)]).is_err());
        for (name, value) in &fields {
            let fields = [("CallSid", "CA1"), (name, value), ("Digits", value), ("From", value)];
            let event = post(&format!("{BASE}/voice"), &fields);
            proptest::prop_assert!(event.is_ok());
        }
    }
}
