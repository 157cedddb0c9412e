//! The same event, twice and twenty times at once, is one: one case, one answer.

use crate::hub::{Hub, databases};
use crate::line::{Telephone, action, body, call_fields, msdg, sample, twilio};
use champions_hub::store::{Store, inbound};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tokio::task::JoinSet;

const AT_ONCE: usize = 20;

/// Sends a request twenty times at once; answers the one body that all got.
async fn at_once(request: RequestBuilder) -> String {
    let mut running = JoinSet::new();
    for _ in 0..AT_ONCE {
        let request = request.try_clone().unwrap();
        running.spawn(async move { body(request.send().await).await });
    }
    let bodies: BTreeSet<String> = running.join_all().await.into_iter().collect();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    bodies.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_text_brought_twenty_times_at_once_is_one_case() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let fields = [
            ("MessageSid", "SM9"),
            ("From", "+919820000031"),
            ("To", "+911800000001"),
            ("Body", "My bank refused my loan, unit in Pune"),
        ];
        at_once(twilio(&hub, "sms", &fields)).await;
        at_once(msdg(&hub, "9820000032", "10:00", "My bank refused my loan, unit in Pune")).await;
        let body = json!({ "from": "9820000033", "text": "My bank refused my loan", "id": "one" });
        at_once(hub.client.post(hub.url("/demo/phone/sms")).json(&body)).await;
        for number in ["+919820000031", "+919820000032", "+919820000033"] {
            hub.case_of(number).await;
            assert_eq!(hub.texts_to(number).await.len(), 1, "one acknowledgement");
        }
    }
}

#[tokio::test]
async fn each_webhook_of_a_call_brought_twenty_times_at_once_makes_one_case() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let post = async |path: &str, more: &[(&str, &str)]| {
            at_once(twilio(&hub, path, &call_fields("CA7", "+919820000034", more))).await
        };
        let ringing = post("voice", &[("CallStatus", "ringing")]).await;
        let menu = post(&action(&ringing), &[("CallStatus", "in-progress"), ("Digits", "2")]).await;
        let record = post(&action(&menu), &[("CallStatus", "in-progress"), ("Digits", "1")]).await;
        let said = [("CallStatus", "in-progress"), ("RecordingSid", "RE7"), ("RecordingDuration", "9")];
        let kept = post(&action(&record), &said).await;
        post("recording", &[("RecordingSid", "RE7"), ("RecordingStatus", "completed")]).await;
        let number = post(&action(&kept), &[("CallStatus", "in-progress"), ("Digits", "1")]).await;
        assert!(number.contains("letter-g.wav"), "{number}");
        post("status", &[("CallStatus", "completed")]).await;
        hub.case_of("+919820000034").await;
        assert_eq!(hub.texts_to("+919820000034").await.len(), 1);
    }
}

/// The end of a call comes by three ways at once: the recording's outcome, its callback, the call's status.
#[tokio::test]
async fn three_reports_of_one_hang_up_make_one_case() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        for round in 0..5 {
            let (call, recording) = (format!("CA8{round}"), format!("RE8{round}"));
            let number = format!("+91982000010{round}");
            let request = |path: &str, more: &[(&str, &str)]| twilio(&hub, path, &call_fields(&call, &number, more));
            let ringing = body(request("voice", &[("CallStatus", "ringing")]).send().await).await;
            let menu = body(request(&action(&ringing), &[("Digits", "2")]).send().await).await;
            let record = body(request(&action(&menu), &[("Digits", "1")]).send().await).await;
            let mut running = JoinSet::new();
            let outcome = [
                ("CallStatus", "completed"),
                ("RecordingSid", &recording),
                ("RecordingDuration", "4"),
                ("Digits", "hangup"),
            ];
            for request in [
                request(&action(&record), &outcome),
                request("recording", &[("RecordingSid", &recording), ("RecordingStatus", "completed")]),
                request("status", &[("CallStatus", "completed")]),
            ] {
                running.spawn(async move { body(request.send().await).await });
            }
            running.join_all().await;
            hub.case_of(&number).await;
        }
    }
}

#[tokio::test]
async fn a_sound_sent_twenty_times_at_once_is_kept_once() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let mut phone = Telephone::dial(&hub, "9820000035").await;
        for key in ["2", "1"] {
            phone.press(key).await;
        }
        let steps: Value =
            serde_json::from_str(&at_once(phone.recording(&sample("en")).query(&[("turn", phone.turn)])).await)
                .unwrap();
        let keep = json!({ "digits": "1", "turn": steps["turn"] });
        at_once(hub.client.post(phone.url("digits")).json(&keep)).await;
        let case = hub.case_of("+919820000035").await;
        assert_eq!(hub.sounds_of(&case).await.len(), 1);
        let files = std::fs::read_dir(hub.file("attachments")).unwrap().count();
        assert_eq!(files, 1, "the other nineteen left nothing behind");
    }
}

#[tokio::test]
async fn what_a_killed_process_had_only_stored_is_done_after_its_start() {
    for database in databases().await {
        let mut hub = Hub::start(database).await;
        hub.kill();
        leave_a_text(&hub.store).await;
        let hub = hub.started_again().await;
        let case =
            crate::hub::until("the text becomes a case", async || hub.cases_of("+919820000036").await.pop()).await;
        assert_eq!((case.subject.as_str(), case.state.as_str()), ("finance", "MH"));
        // And the provider, who never got an answer, brings it again.
        let again = json!({ "from": "9820000036", "text": "My bank refused my loan, unit in Pune", "id": "left" });
        let answer = hub.client.post(hub.url("/demo/phone/sms")).json(&again).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        hub.case_of("+919820000036").await;
    }
}

/// An event as a process leaves it that is killed between storing and acting.
async fn leave_a_text(store: &Store) {
    use champions_hub::id::InboundId;
    use champions_hub::time::Timestamp;
    let event = ivr::Event::Sms(ivr::SmsEvent {
        id: ivr::EventId("sim:left".to_owned()),
        from: ivr::Caller::parse("9820000036"),
        to: None,
        text: "My bank refused my loan, unit in Pune".to_owned(),
    });
    let received_at = Timestamp::from_millis(1_790_000_000_000);
    let left = inbound::Inbound {
        id: InboundId::generate(received_at.millis()),
        provider: "sim".to_owned(),
        external_id: "sim:left".to_owned(),
        kind: "sms".to_owned(),
        payload: serde_json::to_string(&event).unwrap(),
        received_at,
        answer: None,
        done_at: None,
    };
    let mut tx = store.write().await.unwrap();
    assert!(inbound::store(&mut tx, &left).await.unwrap());
    tx.commit().await.unwrap();
}
