//! What cannot be brought about from outside: a database that fails, calls whose end never comes, sounds that are lost.

use crate::hub::databases;
use champions_hub::app;
use champions_hub::config::Media;
use champions_hub::domain::case::CaseEvent;
use champions_hub::id::MessageId;
use champions_hub::intake::door::{self, Arrival};
use champions_hub::intake::watch::{self, Round};
use champions_hub::intake::{Carrier, Telephony};
use champions_hub::jobs::Worker;
use champions_hub::notify::sms::Texter;
use champions_hub::service::Hub;
use champions_hub::store::{Store, cases, inbound, outbox};
use champions_hub::time::Clock;
use ivr::{CallEvent, CallRef, Caller, DeliveryReport, DeliveryStatus, Event, EventId, Input, RecordingRef};
use std::sync::Arc;
use tempfile::TempDir;

const CALLER: &str = "+919820000051";

struct Inside {
    hub: Arc<Hub>,
    lines: Telephony,
    _folder: TempDir,
}

impl Inside {
    async fn of(database: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = match database {
            Some(url) => Store::open(&url).await.unwrap(),
            None => Store::open_sqlite(&folder.path().join("hub.db")).await.unwrap(),
        };
        let media = Media::at("127.0.0.1:0".parse().unwrap());
        let url = "https://hub.example";
        let parts = app::assemble(store, Clock::default(), folder.path(), url, &media).unwrap();
        let twilio = Telephony::twilio(url, "https://api.example", "AC1", "token");
        let lines = Telephony { public_url: url.to_owned(), twilio: Some(twilio), ..Telephony::default() };
        Self { hub: parts.hub, lines, _folder: folder }
    }

    async fn bring(&self, event: Event) -> String {
        let arrival = Arrival { carrier: Carrier::Twilio, event, sound: None };
        door::receive(&self.hub, &self.lines, arrival).await.unwrap().body
    }

    async fn hear(&self, call: &str, step: u32, input: Input) -> String {
        let on_line = input != Input::HungUp;
        self.bring(Event::Call(CallEvent {
            id: EventId(format!("twilio:{call}:{step}")),
            call: CallRef(call.to_owned()),
            from: Caller::parse(CALLER),
            inputs: vec![input],
            on_line,
        }))
        .await
    }

    /// A call up to where the caller has spoken, in English.
    async fn call_with_a_recording(&self, call: &str) {
        let started = Input::Started { from: Caller::parse(CALLER), language_hint: None };
        let said = Input::Recorded { recording: RecordingRef(format!("RE-{call}")), seconds: 7 };
        for (step, input) in (0..).zip([started, Input::Digits("2".into()), Input::Digits("1".into()), said]) {
            self.hear(call, step, input).await;
        }
    }

    async fn cases(&self) -> usize {
        cases::by_mobile(&mut self.hub.store.read().await.unwrap(), CALLER).await.unwrap().len()
    }

    async fn run_sql(&self, sql: &'static str) {
        let mut tx = self.hub.store.write().await.unwrap();
        tx.run(sql, &[]).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn round(&self) -> Round {
        watch::round(&self.hub, &self.lines, self.hub.clock.now()).await.unwrap()
    }
}

#[tokio::test]
async fn a_call_whose_end_never_came_is_ended_after_two_hours() {
    for database in databases().await {
        let inside = Inside::of(database).await;
        inside.call_with_a_recording("CA1").await;
        assert_eq!(
            (inside.round().await, inside.cases().await),
            (Round::default(), 0),
            "the caller may still be there"
        );
        inside.hub.clock.advance(2 * 3_600_000 + 1);
        assert_eq!(inside.round().await, Round { ended: 1, ..Round::default() });
        assert_eq!(inside.cases().await, 1, "what was said became a case");
        assert_eq!(inside.round().await, Round::default());
        inside.hear("CA1", 9, Input::HungUp).await;
        assert_eq!(inside.cases().await, 1, "the end comes late, and changes nothing");
    }
}

#[tokio::test]
async fn a_caller_hears_a_sentence_while_filing_fails_and_gets_the_case_later() {
    for database in databases().await {
        let inside = Inside::of(database).await;
        inside.call_with_a_recording("CA1").await;
        inside.run_sql("ALTER TABLE case_counter RENAME TO case_counter_away").await;
        let heard = inside.hear("CA1", 4, Input::Digits("1".into())).await;
        assert!(heard.contains("/prompts/en/filing-failed.wav") && heard.contains("<Hangup"), "{heard}");
        assert_eq!(inside.round().await, Round { left: 1, ..Round::default() });
        inside.run_sql("ALTER TABLE case_counter_away RENAME TO case_counter").await;
        assert_eq!(inside.cases().await, 0);
        assert_eq!(inside.round().await, Round { done: 1, ..Round::default() });
        assert_eq!(inside.cases().await, 1);
    }
}

#[tokio::test]
async fn a_caller_hears_a_sentence_when_the_database_is_gone() {
    for database in databases().await {
        let inside = Inside::of(database).await;
        inside.hub.store.close().await;
        let heard = inside.hear("CA1", 0, Input::Started { from: Caller::parse(CALLER), language_hint: None }).await;
        for language in ["en", "hi"] {
            assert!(heard.contains(&format!("/prompts/{language}/cannot-record.wav")), "{heard}");
        }
        assert!(heard.ends_with("<Hangup /></Response>"), "{heard}");
        let text = Event::Sms(ivr::SmsEvent {
            id: EventId("twilio:SM1".into()),
            from: Caller::parse(CALLER),
            to: None,
            text: "x".into(),
        });
        let arrival = Arrival { carrier: Carrier::Twilio, event: text, sound: None };
        assert!(
            door::receive(&inside.hub, &inside.lines, arrival).await.is_err(),
            "the provider keeps it and tries again"
        );
    }
}

#[tokio::test]
async fn a_sound_that_never_comes_is_told_to_the_officer() {
    for database in databases().await {
        let inside = Inside::of(database).await;
        inside.call_with_a_recording("CA1").await;
        inside.hear("CA1", 4, Input::Digits("1".into())).await;
        let worker = Worker { hub: Arc::clone(&inside.hub), mailer: None, texter: Texter::Handset, recordings: None };
        worker.work().await.unwrap();
        let mut tx = inside.hub.store.read().await.unwrap();
        let case = cases::by_mobile(&mut tx, CALLER).await.unwrap().remove(0);
        let history = cases::history(&mut tx, &case.id).await.unwrap();
        assert!(matches!(history.last().unwrap().event, CaseEvent::SoundLost { .. }), "{history:#?}");
        assert_eq!(history.last().unwrap().seq, case.version);
    }
}

#[tokio::test]
async fn ten_digits_of_several_series_mean_the_callers_own_case_else_one_question() {
    use champions_hub::domain::case::Channel;
    use champions_hub::domain::number::Series;
    use champions_hub::domain::party::Applicant;
    use champions_hub::service::filing::{self, Filing};
    use champions_hub::store::cases::Author;
    for database in databases().await {
        let inside = Inside::of(database).await;
        let mut digits = String::new();
        for (series, mobile) in [(Series::Grievance, CALLER), (Series::Idea, "+919820000059")] {
            let filing = Filing {
                series,
                channel: Channel::Api,
                text: "Something to say".to_owned(),
                language: Some("en".to_owned()),
                applicant: Applicant { mobile: Some(mobile.to_owned()), ..Applicant::default() },
                subject: None,
                attachments: Vec::new(),
                author: Author { id: None, name: String::new(), role: "party".to_owned() },
            };
            digits = filing::file(&inside.hub, filing, None).await.unwrap().number.digits();
        }
        let ask = async |from: &str, name: &str, text: &str| {
            inside
                .bring(Event::Sms(ivr::SmsEvent {
                    id: EventId(format!("twilio:{name}")),
                    from: Caller::parse(from),
                    to: None,
                    text: text.to_owned(),
                }))
                .await;
            let mut tx = inside.hub.store.read().await.unwrap();
            outbox::to_recipient(&mut tx, from, "sms").await.unwrap().pop().unwrap().text
        };
        assert!(ask(CALLER, "SM1", &format!("status {digits}")).await.starts_with("GR"), "one's own");
        let stranger = "+919820000060";
        let question = ask(stranger, "SM2", &format!("status {digits}")).await;
        assert!(question.contains("GR, CO"), "{question}");
        assert!(ask(stranger, "SM3", "co").await.starts_with("CO"));
    }
}

#[tokio::test]
async fn reports_on_delivery_overtake_each_other_and_the_message() {
    for database in databases().await {
        let inside = Inside::of(database).await;
        let now = inside.hub.clock.now();
        let report = async |status: &str, is: DeliveryStatus| {
            let id = EventId(format!("twilio:SM7:{status}"));
            inside
                .bring(Event::Delivery(DeliveryReport { id, message: "SM7".into(), status: is, error_code: None }))
                .await
        };
        report("delivered", DeliveryStatus::Delivered).await;
        let id = MessageId::generate(now.millis());
        let message = outbox::Message {
            id: id.clone(),
            channel: "sms".into(),
            recipient: CALLER.into(),
            language: "en".into(),
            template: "sms-help".into(),
            subject: String::new(),
            text: "x".into(),
            case: None,
            hearing: None,
            serves_notice: false,
            status: String::new(),
            created_at: now,
        };
        let mut tx = inside.hub.store.write().await.unwrap();
        outbox::insert_message(&mut tx, &message).await.unwrap();
        outbox::message_sent(&mut tx, &id, now, Some("SM7")).await.unwrap();
        tx.commit().await.unwrap();
        inside.round().await;
        report("sent", DeliveryStatus::Sent).await;
        let mut tx = inside.hub.store.read().await.unwrap();
        assert_eq!(outbox::message(&mut tx, id.as_str()).await.unwrap().unwrap().status, "delivered");
        let open = inbound::left_open(&mut tx, now.plus_days(1), 10).await.unwrap();
        assert!(open.is_empty(), "every report is done with: {}", open.len());
    }
}

/// Twenty events of one call at once wait for each other; none is lost to a race.
#[tokio::test]
async fn events_of_one_call_wait_for_each_other() {
    for database in databases().await {
        let inside = Inside::of(database).await;
        inside.call_with_a_recording("CA1").await;
        let ready = |n: u32| {
            let recording = RecordingRef(format!("RE-late-{n}"));
            inside.hear("CA1", 100 + n, Input::RecordingReady { recording })
        };
        futures_util::future::join_all((0..20).map(ready)).await;
        inside.hear("CA1", 200, Input::HungUp).await;
        assert_eq!(inside.cases().await, 1);
        let mut tx = inside.hub.store.write().await.unwrap();
        let jobs =
            outbox::claim(&inside.hub.store, &mut tx, inside.hub.clock.now(), inside.hub.clock.now().plus_days(1), 100)
                .await
                .unwrap();
        let fetched = jobs.iter().filter(|job| job.kind == "fetch_recording").count();
        assert_eq!(fetched, 21, "every recording is with the case");
    }
}

/// In production: only known addresses bring Mobile Seva's texts, only the public address may be signed for, and nothing of
/// the demo is there.
#[tokio::test]
async fn production_trusts_addresses_and_signatures_alone() {
    use axum::body::Body;
    use axum::extract::ConnectInfo;
    use axum::http::Request;
    use champions_hub::intake::Pull;
    use champions_hub::web::{self, App};
    use ivr::provider::twilio::signature::{Algorithm, sign};
    use std::net::SocketAddr;
    use tower::ServiceExt as _;

    let inside = Inside::of(None).await;
    let path = "/telephony/msdg/0123456789abcdef";
    let gateway = "198.51.100.7".parse().unwrap();
    let lines = Telephony { msdg: Some(Pull::new(path, &[gateway]).unwrap()), ..inside.lines.clone() };
    let app = App {
        hub: Arc::clone(&inside.hub),
        telephony: Arc::new(lines),
        metrics: None,
        min_free_octets: 0,
        numbers: Default::default(),
        demo: false,
        secure: true,
    };
    let ask = async |method: &str, path: &str, peer: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4_000)));
        web::router(app.clone()).oneshot(request).await.unwrap().status().as_u16()
    };
    let text = format!("{path}?mobileNumber=9820000051&timeStamp=1&message=My+bank+refused+my+loan");
    for (peer, status) in [("203.0.113.9", 403), ("::1", 403), ("198.51.100.7", 200), ("::ffff:198.51.100.7", 200)] {
        assert_eq!(ask("GET", &text, peer, &[]).await, status, "{peer}");
    }
    assert_eq!(inside.cases().await, 1);

    let hook = "/telephony/twilio/sms";
    let signed_for = |address: &str| sign("token", Algorithm::HmacSha1, &format!("{address}{hook}"), &[]);
    let (public, other) = (signed_for("https://hub.example"), signed_for("https://evil.example"));
    let host = ("host", "evil.example");
    assert_eq!(ask("POST", hook, "203.0.113.9", &[host, ("X-Twilio-Signature", &other)]).await, 403);
    assert_eq!(
        ask("POST", hook, "203.0.113.9", &[host, ("X-Twilio-Signature", &public)]).await,
        400,
        "true, and empty"
    );
    for path in ["/demo/phone/calls", "/demo/phone/sms", "/demo/phone/messages", "/demo/clock"] {
        assert_eq!(ask("POST", path, "127.0.0.1", &[]).await, 404, "{path}");
    }
}
