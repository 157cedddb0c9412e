//! Text messages: a complaint goes to the right officer; everything else gets a clear answer in the writer's language.

use crate::hub::{Hub, databases};
use crate::line::{Telephone, msdg, text, twilio};
use serde_json::Value;

/// The last text to a number, after so many before it.
async fn answer(hub: &Hub, number: &str, expected: usize) -> String {
    let texts = hub.texts_to(number).await;
    assert_eq!(texts.len(), expected, "{texts:#?}");
    texts.last().map(|m| m.text.clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_text_goes_to_the_officer_of_its_subject_and_place() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        text(&hub, "98200 00011", "My bank refused my working capital loan, unit in Pune").await;
        let case = hub.case_of("+919820000011").await;
        assert_eq!((case.subject.as_str(), case.state.as_str(), case.district.as_str()), ("finance", "MH", "Pune"));
        assert_eq!(hub.officer_of(&case).await, "officer.finance");
        let sms = answer(&hub, "+919820000011", 1).await;
        assert!(sms.contains(&case.number.to_string()) && sms.contains("Credit and Finance Branch"), "{sms}");

        text(&hub, "9820000012", "बैंक ने मेरा ऋण मना कर दिया, इकाई लखनऊ में है").await;
        let case = hub.case_of("+919820000012").await;
        assert_eq!((case.language.as_str(), case.subject.as_str(), case.state.as_str()), ("hi", "finance", "UP"));
        assert_eq!(hub.officer_of(&case).await, "officer.finance.north");
        assert!(answer(&hub, "+919820000012", 1).await.contains("मामला"));

        let url = hub.url("/demo/phone/messages?number=98200%2000011");
        let thread: Value = hub.client.get(url).send().await.unwrap().json().await.unwrap();
        let items = thread["items"].as_array().unwrap();
        assert_eq!(items.len(), 2, "the handset shows both sides: {thread}");
        assert_eq!(items[0]["from"], "+919820000011");
        assert_eq!(items[1]["to"], "+919820000011");
    }
}

#[tokio::test]
async fn texts_come_by_twilio_and_by_mobile_seva_too() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let fields = [
            ("MessageSid", "SM1"),
            ("From", "+919820000013"),
            ("To", "+911800000001"),
            ("Body", "Buyer does not pay since April"),
        ];
        assert_eq!(twilio(&hub, "sms", &fields).send().await.unwrap().status(), 200);
        assert_eq!(hub.case_of("+919820000013").await.subject, "delayed-payment");
        let by_get = msdg(&hub, "919820000014", "2026-11-21 10:00", "GST refund is stuck").send().await.unwrap();
        assert_eq!((by_get.status().as_u16(), by_get.text().await.unwrap().as_str()), (200, "OK"));
        assert_eq!(hub.case_of("+919820000014").await.subject, "tax");
    }
}

#[tokio::test]
async fn what_cannot_be_a_complaint_gets_a_clear_answer() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let (en, hi) = ("+919820000015", "+919820000016");
        text(&hub, hi, "हिंदी").await;
        text(&hub, en, "ENGLISH").await;
        let wrong = "GR26-0000001-0";
        let unknown = "GR99-0000001-0";
        let cases: [(&str, &str, &str); 5] = [
            ("", "Please write your problem in words", "समस्या"),
            ("🙏🙏", "Please write your problem in words", "समस्या"),
            (wrong, "One digit of this case number is not right", "अंक"),
            (unknown, "We found no case GR99-0000001-0", "GR99-0000001-0"),
            ("STATUS", "No case is known for your mobile number", "मोबाइल"),
        ];
        for (at, (sent, english, hindi)) in cases.into_iter().enumerate() {
            text(&hub, en, sent).await;
            let said = answer(&hub, en, at + 2).await;
            assert!(said.contains(english), "{sent:?}: {said}");
            text(&hub, hi, sent).await;
            let said = answer(&hub, hi, at + 2).await;
            assert!(said.contains(hindi), "{sent:?}: {said}");
        }
        assert!(hub.cases_of(en).await.is_empty() && hub.cases_of(hi).await.is_empty());
    }
}

#[tokio::test]
async fn a_very_long_text_is_kept_whole_and_a_longer_one_refused() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let long = format!("My bank refused my loan. {}", "x".repeat(100 * 1024 - 25));
        assert_eq!(long.len(), 100 * 1024);
        text(&hub, "9820000017", &long).await;
        assert_eq!(hub.case_of("+919820000017").await.text, long);
        text(&hub, "9820000018", &format!("{long}y")).await;
        assert!(answer(&hub, "+919820000018", 1).await.contains("too long"), "in English: nothing else is known");
        assert!(hub.cases_of("+919820000018").await.is_empty());
    }
}

#[tokio::test]
async fn who_cannot_be_written_to_is_heard_all_the_same() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        text(&hub, "", "My electricity was cut, unit in Nagpur").await;
        text(&hub, "VK-BANKSM", "").await;
        assert!(hub.texts_to("VK-BANKSM").await.is_empty(), "a machine is not answered");
        text(&hub, "+14155550123", "My buyer does not pay, unit in Surat").await;
        let case = hub.case_of("+14155550123").await;
        assert!(answer(&hub, "+14155550123", 1).await.contains(&case.number.to_string()));
    }
}

#[tokio::test]
async fn a_case_is_asked_for_and_added_to_by_text() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let (own, other) = ("+919820000019", "+919820000020");
        text(&hub, own, "My bank refused my loan, unit in Pune").await;
        let case = hub.case_of(own).await;
        text(&hub, own, "status").await;
        assert!(answer(&hub, own, 2).await.contains("with the responsible officer"));
        text(&hub, other, &format!("status {}", case.number.digits())).await;
        assert!(answer(&hub, other, 1).await.contains(&format!("{}: with the responsible officer", case.number)));
        text(&hub, own, "add The branch manager is on leave").await;
        assert!(answer(&hub, own, 3).await.contains("Added to"));
        text(&hub, other, &format!("add {} He is back", case.number)).await;
        let added = hub.history_of(&case).await;
        let authors: Vec<&str> = added.iter().rev().take(2).map(|line| line.author.name.as_str()).collect();
        assert_eq!(authors, ["Somebody at another telephone", ""], "who is not the unit is not called the unit");
        let unknown = "add GR99-0000001-0 My subsidy is late";
        text(&hub, own, unknown).await;
        let texts = hub.texts_to(own).await;
        assert_eq!(texts.len(), 5, "that the number is unknown, and the new case's number: {texts:#?}");
        assert_eq!(hub.cases_of(own).await.len(), 2, "nothing that was written is lost");
    }
}

#[tokio::test]
async fn stop_means_silence_and_loses_nothing() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let number = "+919820000021";
        text(&hub, number, "STOP").await;
        assert!(answer(&hub, number, 1).await.contains("no more SMS"));
        text(&hub, number, "My bank refused my loan, unit in Pune").await;
        assert_eq!(hub.case_of(number).await.subject, "finance");
        text(&hub, number, "STATUS").await;
        answer(&hub, number, 1).await;
        text(&hub, number, "START").await;
        assert!(answer(&hub, number, 2).await.contains("again"));
        text(&hub, number, "STATUS").await;
        assert!(answer(&hub, number, 3).await.contains("with the responsible officer"));
    }
}

#[tokio::test]
async fn the_language_of_a_call_is_the_language_of_the_texts() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let number = "+919820000022";
        let mut phone = Telephone::dial(&hub, number).await;
        phone.press("1").await;
        phone.hang_up().await;
        text(&hub, number, "help").await;
        let help = answer(&hub, number, 1).await;
        assert!(help.contains("समस्या"), "{help}");
        text(&hub, number, "language english").await;
        let phone = Telephone::dial(&hub, number).await;
        assert!(phone.words().starts_with("Welcome"), "{}", phone.words());
    }
}
