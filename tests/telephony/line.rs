//! Who rings and writes: the demo's telephone, and the two providers as they would call.

use crate::hub::{Hub, Reached, url};
use ivr::provider::twilio::signature::{Algorithm, sign};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

/// A telephone call on the demo's own line.
pub struct Telephone<'h> {
    hub: &'h Hub,
    pub call: String,
    pub steps: Vec<Value>,
    pub turn: u64,
}

impl<'h> Telephone<'h> {
    pub async fn dial(hub: &'h Hub, from: &str) -> Self {
        let answer = hub.client.post(hub.url("/demo/phone/calls")).json(&json!({ "from": from })).send().await.unwrap();
        let answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
        let mut telephone = Self { hub, call: answer["call"].as_str().unwrap().to_owned(), steps: Vec::new(), turn: 0 };
        telephone.hear(answer);
        telephone
    }

    fn hear(&mut self, answer: Value) {
        self.steps = answer["steps"].as_array().unwrap().clone();
        self.turn = answer["turn"].as_u64().unwrap();
    }

    pub fn url(&self, what: &str) -> String {
        self.hub.url(&format!("/demo/phone/calls/{}/{what}", self.call))
    }

    pub async fn press(&mut self, digits: &str) {
        self.post("digits", &json!({ "digits": digits })).await;
    }

    pub async fn wait(&mut self) {
        self.post("silence", &json!({})).await;
    }

    pub async fn hang_up(&mut self) {
        self.post("hangup", &json!({})).await;
    }

    async fn post(&mut self, what: &str, body: &Value) {
        let answer = self.hub.client.post(self.url(what)).json(body).send().await.unwrap();
        self.hear(answer.error_for_status().unwrap().json().await.unwrap());
    }

    pub fn recording(&self, sound: &[u8]) -> RequestBuilder {
        self.hub.client.post(self.url("recording")).header("content-type", "audio/wav").body(sound.to_vec())
    }

    pub async fn speak(&mut self, sound: &[u8]) {
        let answer = self.recording(sound).send().await.unwrap();
        self.hear(answer.error_for_status().unwrap().json().await.unwrap());
    }

    /// The words that were said, in order.
    pub fn words(&self) -> String {
        let said = self.steps.iter().filter_map(|step| step["say"].as_array()).flatten();
        said.filter_map(|piece| piece["caption"].as_str()).filter(|c| !c.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// What the line does after speaking: `gather`, `record` or `hangup`.
    pub fn does(&self) -> &'static str {
        let last = self.steps.last().expect("the line always does something");
        ["gather", "record", "hangup"].into_iter().find(|what| last.get(*what).is_some()).expect("a step to wait at")
    }

    /// A sound address that is named in the steps must give a sound.
    pub async fn listen(&self) {
        for step in &self.steps {
            let files = step["say"].as_array().into_iter().flatten().filter_map(|piece| piece["file"].as_str());
            for file in files.chain(step["play_back"].as_str()) {
                let sound = self.hub.client.get(self.hub.url(file)).send().await.unwrap();
                assert_eq!(sound.status(), 200, "{file}");
                assert!(sound.headers()["content-type"].to_str().unwrap().starts_with("audio/"), "{file}");
                assert!(sound.bytes().await.unwrap().len() > 100, "{file}");
            }
        }
    }
}

/// The shipped sample of what a caller might say.
pub fn sample(language: &str) -> Vec<u8> {
    ivr::PromptStore::embedded().sound(&format!("{language}/sample-grievance.wav")).unwrap().into_owned()
}

/// Sends a text from the demo's handset.
pub async fn text(hub: &Hub, from: &str, text: &str) {
    let body = json!({ "from": from, "text": text });
    let answer = hub.client.post(hub.url("/demo/phone/sms")).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

/// Posts a webhook signed as Twilio signs it.
pub fn twilio(hub: &impl Reached, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let url = url(hub.facts(), &format!("/telephony/twilio/{path}"));
    let owned: Vec<(String, String)> = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let token = hub.facts()["twilio"]["auth_token"].as_str().unwrap();
    let signature = sign(token, Algorithm::HmacSha1, &url, &owned);
    hub.client().post(url).header("X-Twilio-Signature", signature).form(&owned)
}

/// The fields that each webhook of a call carries, and those of this one.
pub fn call_fields<'a>(call: &'a str, from: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("CallSid", call), ("From", from), ("To", "+911800000001"), ("Direction", "inbound")];
    fields.extend_from_slice(more);
    fields
}

/// Brings a text as Mobile Seva does, by GET.
pub fn msdg(hub: &Hub, from: &str, at: &str, message: &str) -> RequestBuilder {
    let path = hub.facts["msdg"]["pull_path"].as_str().unwrap();
    let pairs =
        [("mobileNumber", from), ("timeStamp", at), ("operatorName", "BSNL"), ("areaCode", "MH"), ("message", message)];
    hub.client.get(hub.url(path)).query(&pairs)
}

/// The body of an answer that must be good.
pub async fn body(answer: Result<Response, reqwest::Error>) -> String {
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap()
}

/// The path and query where the outcome of a verb comes back to.
pub fn action(twiml: &str) -> String {
    let start = twiml.find("action=\"").expect("a verb with an action") + 8;
    let url = twiml[start..].split('"').next().unwrap().replace("&amp;", "&");
    url.split("/telephony/twilio/").nth(1).unwrap().to_owned()
}
