//! The demo's own pages: a telephone, an SMS handset, the mails that went out. They exist in the demo alone.

use askama::Template;
use serde_json::json;

use super::page::json_block;
use super::{Flash, Page};

/// `GET /demo/phone`. `phone.js` speaks JSON with `/demo/phone/…`.
#[derive(Debug, Template)]
#[template(path = "phone.html")]
pub struct Phone {
    pub page: Page,
    /// The number that calls and texts, as typed before or suggested.
    pub from: String,
    /// The hub's numbers, written for reading.
    pub call_number: String,
    pub text_number: String,
    /// Sounds to send in place of one's own voice.
    pub samples: Vec<Sample>,
    pub accounts: Vec<Account>,
}

/// A shipped sound that can stand for what a caller says.
#[derive(Debug)]
pub struct Sample {
    /// Address of the sound.
    pub url: String,
    /// What is said in it, and in which language (BCP-47).
    pub words: String,
    pub language: String,
}

/// One account of the demo world.
#[derive(Debug)]
pub struct Account {
    pub name: String,
    /// As in the API: `officer`, `head`, `room`, `secretary`, `admin`.
    pub role: String,
    /// Desk or place.
    pub place: Option<String>,
    pub username: String,
    pub password: String,
}

/// `GET /demo/mails`: newest first.
#[derive(Debug, Template)]
#[template(path = "mails.html")]
pub struct Mails {
    pub page: Page,
    pub mails: Vec<Mail>,
}

#[derive(Debug)]
pub struct Mail {
    pub at_ms: i64,
    pub to: String,
    pub subject: String,
    pub text: String,
    /// Addresses of this hub that the text names, for following the story.
    pub links: Vec<String>,
}

impl Phone {
    const SCRIPT_TEXTS: [&'static str; 17] = [
        "phone-ready",
        "phone-calling",
        "phone-in-call",
        "phone-ended",
        "phone-after-tone",
        "phone-recording",
        "phone-recorded",
        "phone-press",
        "phone-no-microphone",
        "phone-failed",
        "phone-no-number",
        "sms-none",
        "sms-sent",
        "sms-failed",
        "phone-play-back",
        "phone-you-pressed",
        "phone-you-said",
    ];
    const KEYS: [(&'static str, &'static str); 12] = [
        ("1", ""),
        ("2", "ABC"),
        ("3", "DEF"),
        ("4", "GHI"),
        ("5", "JKL"),
        ("6", "MNO"),
        ("7", "PQRS"),
        ("8", "TUV"),
        ("9", "WXYZ"),
        ("*", ""),
        ("0", ""),
        ("#", ""),
    ];

    fn script_data(&self) -> String {
        json_block(&json!({
            "texts": self.page.script_texts(&Self::SCRIPT_TEXTS),
            "hub": self.text_number,
        }))
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::text::Text;
    use crate::web::views::tests::{NOW, Samples, visitor};

    pub fn phone(text: Text) -> Samples<Phone> {
        let account = |name: &str, role: &str, place: Option<&str>, username: &str| Account {
            name: name.into(),
            role: role.into(),
            place: place.map(Into::into),
            username: username.into(),
            password: "demo-only".into(),
        };
        let mut page = visitor(text, "/demo/phone");
        page.demo = true;
        vec![(
            "phone",
            Phone {
                page,
                from: "98000 00321".into(),
                call_number: "1800 000 0001".into(),
                text_number: "+91 90000 00001".into(),
                samples: vec![
                    Sample {
                        url: "/demo/samples/en.wav".into(),
                        words: "My bank refused my working capital loan, unit in Pune.".into(),
                        language: "en".into(),
                    },
                    Sample {
                        url: "/demo/samples/hi.wav".into(),
                        words: "खरीदार छह महीने से भुगतान नहीं कर रहा है।".into(),
                        language: "hi".into(),
                    },
                ],
                accounts: vec![
                    account("R. Banerjee", "officer", Some("Credit branch"), "officer.finance"),
                    account("S. Iyer", "room", Some("Pune"), "room.pun"),
                    account("A. Rawat", "secretary", None, "secretary"),
                    account("N. Das", "admin", None, "admin"),
                ],
            },
        )]
    }

    pub fn mails(text: Text) -> Samples<Mails> {
        let page = || {
            let mut page = visitor(text, "/demo/mails");
            page.demo = true;
            page
        };
        let mail = Mail {
            at_ms: NOW,
            to: "meera.kulkarni@example.in".into(),
            subject: "GR26-0000123-4: hearing on 23 Nov 2026, 11:00".into(),
            text: "You will be heard.\n\nhttps://localhost:8443/hearings/1?key=sample\n".into(),
            links: vec!["https://localhost:8443/hearings/1?key=sample".into()],
        };
        vec![
            ("mails", Mails { page: page(), mails: vec![mail] }),
            ("mails-none", Mails { page: page(), mails: vec![] }),
        ]
    }
}
