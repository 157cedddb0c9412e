//! Calls: from the greeting to a case with the caller's voice in it.

use crate::hub::{Hub, databases, until};
use crate::line::{Telephone, action, body, call_fields, sample, twilio};
use champions_hub::domain::case::Channel;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

async fn a_call(key: &str, language: &str, said: &str, sms: &str) {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let mut phone = Telephone::dial(&hub, "98200 00001").await;
        assert!(phone.words().contains("English, press 2") && phone.words().contains("हिंदी"), "{}", phone.words());
        phone.listen().await;
        phone.press(key).await;
        assert_eq!(phone.does(), "gather");
        phone.press("1").await;
        assert_eq!(phone.does(), "record");
        let sound = sample(language);
        phone.speak(&sound).await;
        phone.listen().await;
        let play_back = phone.steps.iter().find_map(|step| step["play_back"].as_str()).unwrap();
        let heard = hub.client.get(hub.url(play_back)).send().await.unwrap().bytes().await.unwrap();
        assert_eq!(heard, sound, "the caller hears what was said");
        phone.press("1").await;
        assert!(phone.words().contains(said), "{}", phone.words());
        phone.listen().await;
        let case = hub.case_of("+919820000001").await;
        let spoken: Vec<String> = phone.steps[0]["say"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|piece| piece["file"].as_str()?.split("digit-").nth(1)?.chars().next())
            .map(String::from)
            .collect();
        assert_eq!(spoken.concat(), case.number.digits().repeat(2), "digit by digit, twice");
        phone.hang_up().await;

        assert_eq!((case.language.as_str(), case.channel), (language, Channel::Telephone));
        let sounds = hub.sounds_of(&case).await;
        assert_eq!(sounds.len(), 1);
        assert_eq!((sounds[0].media_type.as_str(), sounds[0].size), ("audio/wav", i64::try_from(sound.len()).unwrap()));
        assert_eq!(std::fs::read(hub.file(&sounds[0].path)).unwrap(), sound);
        let texts = hub.texts_to("+919820000001").await;
        assert_eq!(texts.len(), 1, "one acknowledgement");
        assert!(texts[0].text.contains(&case.number.to_string()) && texts[0].text.contains(sms), "{}", texts[0].text);
        assert!(texts[0].text.contains("/track/"), "with a link");
    }
}

#[tokio::test]
async fn a_call_in_english_becomes_a_case_with_its_sound() {
    a_call("2", "en", "Please note your case number. G R", "we received your case").await;
}

#[tokio::test]
async fn a_call_in_hindi_becomes_a_case_with_its_sound() {
    a_call("1", "hi", "जी", "मामला").await;
}

#[tokio::test]
async fn hanging_up_after_speaking_loses_nothing() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let mut phone = Telephone::dial(&hub, "9820000002").await;
        for key in ["2", "1"] {
            phone.press(key).await;
        }
        phone.speak(&sample("en")).await;
        phone.press("2").await;
        phone.speak(&sample("hi")).await;
        phone.hang_up().await;
        let case = hub.case_of("+919820000002").await;
        assert_eq!(hub.sounds_of(&case).await.len(), 2, "both takes are with the case");
        assert_eq!(hub.texts_to("+919820000002").await.len(), 1);

        let mut early = Telephone::dial(&hub, "9820000003").await;
        early.press("2").await;
        early.hang_up().await;
        assert!(early.steps.is_empty());
        assert!(hub.cases_of("+919820000003").await.is_empty());
    }
}

#[tokio::test]
async fn a_case_is_asked_for_on_the_keypad() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let mut phone = Telephone::dial(&hub, "9820000004").await;
        for key in ["2", "1"] {
            phone.press(key).await;
        }
        phone.speak(&sample("en")).await;
        phone.press("1").await;
        phone.hang_up().await;
        let digits = hub.case_of("+919820000004").await.number.digits();

        let mut phone = Telephone::dial(&hub, "9820000004").await;
        assert!(!phone.words().contains("हिंदी में"), "the language of the last call is remembered");
        for key in ["2", "2"] {
            phone.press(key).await;
        }
        let last = (digits[9..].parse::<u8>().unwrap() + 1) % 10;
        phone.press(&format!("{}{last}", &digits[..9])).await;
        assert!(phone.words().contains("One of these digits is not right"), "{}", phone.words());
        phone.press("9900000010").await;
        assert!(phone.words().contains("no case with this number"), "{}", phone.words());
        phone.press(&digits).await;
        assert!(phone.words().contains("with the responsible officer"), "{}", phone.words());
        phone.press("2").await;
        assert_eq!(phone.does(), "record");
        phone.speak(&sample("en")).await;
        assert_eq!(phone.does(), "hangup");
        let case = hub.case_of("+919820000004").await;
        assert_eq!(hub.sounds_of(&case).await.len(), 2, "what was added is with the same case");
    }
}

#[tokio::test]
async fn key_zero_leads_to_a_message_for_an_officer() {
    for database in databases().await {
        let hub = Hub::start(database).await;
        let mut phone = Telephone::dial(&hub, "").await;
        for key in ["2", "0"] {
            phone.press(key).await;
        }
        assert_eq!(phone.does(), "record");
        phone.speak(&sample("en")).await;
        assert!(phone.words().contains("An officer will call you back"), "{}", phone.words());
        assert!(!phone.words().contains("SMS"), "none is promised to a number that is withheld");
    }
}

/// The account's recordings, for whoever asks with any password; the first try finds none.
fn recordings(sound: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0_u8; 4096];
            let read = stream.read(&mut request).unwrap();
            let asked = String::from_utf8_lossy(&request[..read]).into_owned();
            let found =
                asked.starts_with("GET /2010-04-01/Accounts/AC00000000000000000000000000000001/Recordings/RE1.wav ");
            let (status, content): (_, &[u8]) = if found { ("200 OK", &sound) } else { ("404 Not Found", b"{}") };
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", content.len());
            let _closed_early = stream.write_all(&[head.as_bytes(), content].concat());
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_twilio_call_becomes_a_case_and_its_sound_is_fetched() {
    for database in databases().await {
        let sound = sample("en");
        let api = recordings(sound.clone());
        let hub = Hub::start_with(database, &["--twilio-api", &api]).await;
        let post = async |path: &str, more: &[(&str, &str)]| {
            let fields = call_fields("CA1", "+919820000005", more);
            let first = body(twilio(&hub, path, &fields).send().await).await;
            let second = body(twilio(&hub, path, &fields).send().await).await;
            assert_eq!(first, second, "the same event gets the same answer");
            first
        };
        let ringing = post("voice", &[("CallStatus", "ringing")]).await;
        assert!(ringing.contains("/prompts/hi/welcome.wav</Play>"), "{ringing}");
        let menu = post(&action(&ringing), &[("CallStatus", "in-progress"), ("Digits", "2")]).await;
        let record = post(&action(&menu), &[("CallStatus", "in-progress"), ("Digits", "1")]).await;
        assert!(record.contains("<Record "), "{record}");
        let said =
            [("CallStatus", "in-progress"), ("RecordingSid", "RE1"), ("RecordingDuration", "9"), ("Digits", "#")];
        let kept = post(&action(&record), &said).await;
        assert!(
            kept.contains(&format!("{api}/2010-04-01/Accounts/AC00000000000000000000000000000001/Recordings/RE1")),
            "{kept}"
        );
        let number = post(&action(&kept), &[("CallStatus", "in-progress"), ("Digits", "1")]).await;
        assert_eq!(number.matches("en/letter-g.wav").count(), 2, "{number}");
        let beside = post("recording", &[("RecordingSid", "RE1"), ("RecordingStatus", "completed")]).await;
        assert!(!beside.contains("Play"), "{beside}");
        post("status", &[("CallStatus", "completed")]).await;

        let case = hub.case_of("+919820000005").await;
        let kept = until("the sound is fetched", async || hub.sounds_of(&case).await.pop()).await;
        assert_eq!((kept.name.as_str(), kept.media_type.as_str()), ("RE1.wav", "audio/wav"));
        assert_eq!(std::fs::read(hub.file(&kept.path)).unwrap(), sound);
        assert_eq!(hub.sounds_of(&case).await.len(), 1);
        assert_eq!(hub.texts_to("+919820000005").await.len(), 1);
    }
}
