//! Mobile Seva (MSDG), the government's SMS gateway: reads what it pulls to us, builds what we push to it. Sending over
//! HTTP is the hub's job.
//!
//! A pull request carries no signature: the hub guards it with a secret path and a list of addresses.

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use thiserror::Error;

use super::{Answer, Provider, Refused, Request, pairs, value};
use crate::caller::Caller;
use crate::event::{Event, EventId, SmsEvent};
use crate::sms::{Encoding, segments};

/// An account of the gateway.
#[derive(Clone)]
pub struct Msdg {
    /// The user name of the department.
    pub username: String,
    /// Its password in clear; it is hashed before it is sent.
    pub password: String,
    /// The registered header (sender).
    pub sender_id: String,
    /// The key that the gateway's portal issued.
    pub secure_key: String,
    /// How the password is hashed.
    pub password_hash: PasswordHash,
}

/// The gateway's generations differ in how the password travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordHash {
    /// SHA-1 in hex, as today's sample code does.
    #[default]
    Sha1,
    /// MD5 in hex, as older accounts do.
    Md5,
}

/// The gateway did not take a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the gateway did not take the message (code {code:?})")]
pub struct PushRefused {
    /// The gateway's code, where it gave one.
    pub code: Option<u16>,
}

impl std::fmt::Debug for Msdg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Msdg")
            .field("username", &self.username)
            .field("sender_id", &self.sender_id)
            .finish_non_exhaustive()
    }
}

impl Msdg {
    /// The form of a push to `…/esms/sendsmsrequestDLT`, in the order of the gateway's own sample. `None` when the
    /// receiver is no Indian mobile number. `template_id` is the registered DLT template that `text` was made from.
    #[must_use]
    pub fn push(&self, to: &Caller, text: &str, template_id: &str) -> Option<Vec<(&'static str, String)>> {
        let Caller::Mobile(number) = to else { return None };
        let mobile = number.strip_prefix("+91")?;
        let text = text.trim();
        // The gateway knows text beyond GSM-7 as a bulk service alone, so its one receiver stands in the bulk field.
        let (to_field, kind, content) = match segments(text).encoding {
            Encoding::Gsm7 => ("mobileno", "singlemsg", text.to_owned()),
            Encoding::Ucs2 => ("bulkmobno", "unicodemsg", as_entities(text)),
        };
        let key = hex::encode(Sha512::digest(format!(
            "{}{}{}{}",
            self.username.trim(),
            self.sender_id.trim(),
            content,
            self.secure_key.trim()
        )));
        Some(vec![
            (to_field, mobile.to_owned()),
            ("senderid", self.sender_id.clone()),
            ("content", content),
            ("smsservicetype", kind.to_owned()),
            ("username", self.username.clone()),
            ("password", self.hashed_password()),
            ("key", key),
            ("templateid", template_id.to_owned()),
        ])
    }

    /// The body of a push, for `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn push_body(&self, to: &Caller, text: &str, template_id: &str) -> Option<String> {
        let form = self.push(to, text, template_id)?;
        Some(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish())
    }

    /// The gateway's answer to a push: the name of the message (`402,MsgID = 1506…msdgsms`), or the code that says why
    /// not.
    ///
    /// # Errors
    /// [`PushRefused`]; its codes are in the gateway's integration document.
    pub fn pushed(answer: &str) -> Result<String, PushRefused> {
        let (code, rest) = answer.trim().split_once(',').unwrap_or((answer.trim(), ""));
        let code = code.split_whitespace().next().and_then(|code| code.parse().ok());
        let message = rest.split_once('=').map(|(_, message)| message.trim()).filter(|message| !message.is_empty());
        match (code, message) {
            (Some(402), Some(message)) => Ok(message.to_owned()),
            (code, _) => Err(PushRefused { code }),
        }
    }

    fn hashed_password(&self) -> String {
        match self.password_hash {
            PasswordHash::Sha1 => hex::encode(Sha1::digest(self.password.as_bytes())),
            PasswordHash::Md5 => hex::encode(Md5::digest(self.password.as_bytes())),
        }
    }

    /// What a pull is answered with.
    #[must_use]
    pub fn taken() -> Answer {
        Answer { content_type: "text/plain; charset=utf-8", body: "OK".to_owned() }
    }
}

impl Provider for Msdg {
    fn name(&self) -> &'static str {
        "msdg"
    }

    /// Reads `mobileNumber`, `timeStamp`, `operatorName`, `areaCode`, `message` from the query or the body. The gateway
    /// gives no id, so number, time and text together name the message.
    fn read(&self, request: &Request<'_>) -> Result<Event, Refused> {
        let mut fields = request.query();
        fields.extend(pairs(request.body));
        let mobile = value(&fields, "mobileNumber").ok_or(Refused::Lacks("mobileNumber"))?;
        let text = value(&fields, "message").ok_or(Refused::Lacks("message"))?;
        let time = value(&fields, "timeStamp").unwrap_or_default();
        let mut name = Sha256::new();
        for part in [mobile, time, text] {
            name.update(part.as_bytes());
            name.update([0]);
        }
        let id = EventId(format!("msdg:{}", hex::encode(name.finalize())));
        Ok(Event::Sms(SmsEvent { id, from: Caller::parse(mobile), to: None, text: text.to_owned() }))
    }
}

/// Each UTF-16 unit as a decimal entity, as the gateway's sample does for text beyond GSM-7.
fn as_entities(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("&#{unit};")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account() -> Msdg {
        Msdg {
            username: "msme".into(),
            password: "secret".into(),
            sender_id: "MSMEIN".into(),
            secure_key: "k-1".into(),
            password_hash: PasswordHash::Sha1,
        }
    }

    fn field(form: &[(&'static str, String)], name: &str) -> String {
        form.iter().find(|(known, _)| *known == name).unwrap().1.clone()
    }

    #[test]
    fn a_push_is_keyed_over_what_is_sent() {
        let form = account().push(&Caller::parse("9876543210"), "Case GR26-0000123-0", "1107").unwrap();
        assert_eq!(field(&form, "mobileno"), "9876543210");
        assert_eq!(field(&form, "smsservicetype"), "singlemsg");
        assert_eq!(field(&form, "templateid"), "1107");
        // SHA-1 of "secret" and SHA-512 of "msmeMSMEINCase GR26-0000123-0k-1", made with coreutils.
        assert_eq!(field(&form, "password"), "e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4");
        assert_eq!(field(&form, "key"), KEY);
    }

    const KEY: &str = "0f68d0f3f12dc441bebbe2551f1439c53ddcf851e95affb312421eaa1063342aac7eb8e00adcf0e3732498b812145ccea07d2d8555daa4260146855454446647";

    #[test]
    fn an_older_account_hashes_with_md5() {
        let older = Msdg { password_hash: PasswordHash::Md5, ..account() };
        let form = older.push(&Caller::parse("9876543210"), "Case", "1107").unwrap();
        assert_eq!(field(&form, "password"), "5ebe2294ecd0e0f08eab7690d2a6ee69");
    }

    #[test]
    fn hindi_goes_as_entities() {
        let form = account().push(&Caller::parse("9876543210"), "केस", "1107").unwrap();
        assert_eq!(field(&form, "smsservicetype"), "unicodemsg");
        assert_eq!(field(&form, "bulkmobno"), "9876543210");
        assert!(form.iter().all(|(name, _)| *name != "mobileno"));
        assert_eq!(field(&form, "content"), "&#2325;&#2375;&#2360;");
    }

    #[test]
    fn the_gateway_s_answer_names_the_message_or_the_reason() {
        assert_eq!(
            Msdg::pushed("402,MsgID = 150620161466003974245msdgsms\n"),
            Ok("150620161466003974245msdgsms".into())
        );
        assert_eq!(Msdg::pushed("401 : Invalid User"), Err(PushRefused { code: Some(401) }));
        assert_eq!(Msdg::pushed("402,"), Err(PushRefused { code: Some(402) }));
        assert_eq!(Msdg::pushed("<html>"), Err(PushRefused { code: None }));
    }

    #[test]
    fn nobody_else_is_written_to() {
        assert_eq!(account().push(&Caller::parse("01123063800"), "x", "1"), None);
        assert_eq!(account().push(&Caller::Anonymous, "x", "1"), None);
    }

    fn read(url: &str, body: &str) -> Result<SmsEvent, Refused> {
        match account().read(&Request { url, headers: &[], body: body.as_bytes() })? {
            Event::Sms(event) => Ok(event),
            Event::Call(_) | Event::Delivery(_) => panic!("an SMS"),
        }
    }

    #[test]
    fn a_pull_is_read_from_query_or_body() {
        let pairs = "mobileNumber=919876543210&timeStamp=2026-11-21+10%3A00&operatorName=Airtel&areaCode=MH&message=%E0%A4%B8%E0%A5%8D%E0%A4%A5%E0%A4%BF%E0%A4%A4%E0%A4%BF";
        let by_get = read(&format!("https://hub/pull/x?{pairs}"), "").unwrap();
        let by_post = read("https://hub/pull/x", pairs).unwrap();
        assert_eq!(by_get, by_post);
        assert_eq!(by_get.text, "स्थिति");
        assert_eq!(by_get.from, Caller::parse("9876543210"));
        let later = read("https://hub/pull/x", &pairs.replace("10%3A00", "10%3A01")).unwrap();
        assert_ne!(later.id, by_get.id);
    }

    #[test]
    fn a_pull_without_number_or_text_is_refused() {
        assert_eq!(read("https://hub/pull/x?message=hi", "").unwrap_err(), Refused::Lacks("mobileNumber"));
        assert_eq!(read("https://hub/pull/x", "mobileNumber=9876543210").unwrap_err(), Refused::Lacks("message"));
    }

    #[test]
    fn no_secret_is_shown() {
        assert!(!format!("{:?}", account()).contains("secret") && !format!("{:?}", account()).contains("k-1"));
    }
}
