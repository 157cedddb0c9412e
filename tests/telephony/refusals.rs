//! What does not prove where it comes from is not read, and leaves a counter; what proves it and says nothing is told so.

use crate::hub::{Hub, databases};
use crate::line::{Telephone, call_fields, sample, twilio};
use serde_json::json;

#[tokio::test]
async fn a_wrong_or_missing_signature_leaves_a_counter_alone() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let url = hub.url("/telephony/twilio/sms");
        let form = [("MessageSid", "SM1"), ("From", "+919820000041"), ("Body", "My bank refused my loan")];
        let refused = "hub_webhooks_refused{provider=\"twilio\",reason=\"unauthentic\"}";
        let before = hub.counter(refused).await;
        let post = || hub.client.post(&url).form(&form);
        let of_another_hook = twilio(&hub, "status", &form).build().unwrap().headers()["X-Twilio-Signature"].clone();
        for request in [
            post(),
            post().header("X-Twilio-Signature", ""),
            post().header("X-Twilio-Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            post().header("X-Twilio-Signature", of_another_hook),
            hub.client.post(&url).json(&json!({ "MessageSid": "SM1" })),
        ] {
            assert_eq!(request.send().await.unwrap().status(), 403);
        }
        assert_eq!(hub.counter(refused).await - before, 5);
        assert_eq!(hub.stored_events().await, 0);
        assert!(hub.cases_of("+919820000041").await.is_empty());
        let good = twilio(&hub, "sms", &form).send().await.unwrap();
        assert_eq!((good.status().as_u16(), hub.stored_events().await), (200, 1), "the same, signed, is taken");
    }
}

#[tokio::test]
async fn what_is_signed_and_means_nothing_is_a_bad_request() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        for (path, fields) in [
            ("sms", vec![("Body", "x")]),
            ("voice", vec![("From", "+919820000042")]),
            ("voice?on=elsewhere", call_fields("CA1", "+919820000042", &[])),
            ("fax", call_fields("CA1", "+919820000042", &[])),
            ("status", vec![("MessageSid", "SM1")]),
        ] {
            let answer = twilio(&hub, path, &fields).send().await.unwrap();
            assert_eq!(answer.status(), 400, "{path}");
        }
        assert_eq!(hub.stored_events().await, 0);
        let path = hub.facts["msdg"]["pull_path"].as_str().unwrap();
        assert_eq!(hub.client.get(hub.url(path)).send().await.unwrap().status(), 400);
        assert_eq!(hub.client.get(hub.url("/telephony/msdg/0123")).send().await.unwrap().status(), 404);
    }
}

#[tokio::test]
async fn both_addresses_of_the_demo_may_be_signed_for() {
    let hub = Hub::start(None).await;
    let public = format!("{}/telephony/twilio/sms", hub.facts["url"].as_str().unwrap());
    let form: Vec<(String, String)> = [("MessageSid", "SM5"), ("From", "+919820000043"), ("Body", "HELP")]
        .map(|(k, v)| (k.into(), v.into()))
        .to_vec();
    let token = hub.facts["twilio"]["auth_token"].as_str().unwrap();
    let signature = ivr::provider::twilio::signature::sign(token, Default::default(), &public, &form);
    let post = hub.client.post(hub.url("/telephony/twilio/sms")).header("X-Twilio-Signature", signature).form(&form);
    assert_eq!(post.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_is_no_sound_or_too_much_of_it_is_refused_and_the_call_goes_on() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let mut phone = Telephone::dial(&hub, "9820000044").await;
        for key in ["2", "1"] {
            phone.press(key).await;
        }
        for (content, status) in [
            (b"<html>no sound</html>".to_vec(), 415),
            (Vec::new(), 415),
            ([b"RIFF\0\0\0\0WAVE".to_vec(), vec![0; 20 * 1024 * 1024]].concat(), 413),
        ] {
            assert_eq!(phone.recording(&content).send().await.unwrap().status(), status);
        }
        assert_eq!(std::fs::read_dir(hub.file("attachments")).unwrap().count(), 0);
        phone.wait().await;
        assert!(phone.words().contains("did not hear"), "{}", phone.words());
        phone.speak(&sample("en")).await;
        phone.press("1").await;
        hub.case_of("+919820000044").await;
        let nobody = hub.client.post(hub.url("/demo/phone/calls/call_none/digits")).json(&json!({ "digits": "1" }));
        assert_eq!(nobody.send().await.unwrap().status(), 404);
        for path in [
            "/prompts/en/../../Cargo.toml",
            "/prompts/en/%2e%2e%2fmake",
            "/prompts/xx/welcome.wav",
            "/demo/phone/recordings/att_x",
        ] {
            assert_eq!(hub.client.get(hub.url(path)).send().await.unwrap().status(), 404, "{path}");
        }
    }
}
