//! The demo's telephone, handset and mailbox.

use axum::extract::{Query, State};
use serde::Deserialize;

use super::super::App;
use super::super::views::demo::{Account, Mail, Mails, Phone, Sample};
use super::reader::{Answer, Reader};
use crate::demo::fill::PASSWORD;
use crate::store::{StoreError, outbox, people};

/// The number that the handset suggests.
const SUGGESTED: &str = "98000 00321";
const SHOWN_MAILS: i64 = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct From {
    from: String,
}

pub(super) async fn phone(State(app): State<App>, reader: Reader, Query(query): Query<From>) -> Answer {
    let loaded = async {
        let mut tx = app.hub.store.read().await?;
        people::all(&mut tx).await
    };
    let accounts = loaded.await.map_err(|e: StoreError| reader.fail(e.into()))?;
    let told = accounts.into_iter().filter(|a| a.control_room.as_deref().is_none_or(|c| c == "MUM"));
    reader.show(&Phone {
        page: reader.page(),
        from: if query.from.is_empty() { SUGGESTED.to_owned() } else { query.from },
        call_number: app.numbers.call.clone(),
        text_number: app.numbers.text.clone(),
        samples: ivr::samples()
            .into_iter()
            .map(|s| Sample {
                url: format!("/prompts/{}", s.file),
                words: s.words,
                language: s.language.tag().to_owned(),
            })
            .collect(),
        accounts: told
            .map(|a| Account {
                name: a.name,
                role: a.role.code().to_owned(),
                place: a.control_room,
                username: a.username,
                password: PASSWORD.to_owned(),
            })
            .collect(),
    })
}

pub(super) async fn mails(State(app): State<App>, reader: Reader) -> Answer {
    let loaded = async { outbox::newest(&mut app.hub.store.read().await?, "mail", SHOWN_MAILS).await };
    let mails = loaded.await.map_err(|e: StoreError| reader.fail(e.into()))?;
    let public = app.hub.links.public_url.clone();
    reader.show(&Mails {
        page: reader.page(),
        mails: mails
            .into_iter()
            .map(|m| Mail {
                at_ms: m.created_at.millis(),
                links: m.text.split_whitespace().filter(|w| w.starts_with(&public)).map(str::to_owned).collect(),
                to: m.recipient,
                subject: m.subject,
                text: m.text,
            })
            .collect(),
    })
}
