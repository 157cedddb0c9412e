//! The administrator's page.

use axum::extract::State;
use std::collections::HashMap;

use super::super::App;
use super::super::health;
use super::super::views::admin::{AccountRow, Admin, Check};
use super::reader::{Answer, Reader};
use crate::domain::policy::Act;
use crate::service::ServiceError;
use crate::store::{StoreError, desks, outbox, people};

pub(super) async fn show(State(app): State<App>, reader: Reader) -> Answer {
    let actor = reader.signed_in()?;
    if !actor.may_ever(Act::Administer) {
        return Err(reader.fail(ServiceError::Forbidden));
    }
    let well = health::look(&app.hub, app.min_free_octets).await;
    let loaded = async {
        let mut tx = app.hub.store.read().await?;
        let desks: HashMap<String, String> =
            desks::desks(&mut tx).await?.into_iter().map(|d| (d.id.into(), d.name_en)).collect();
        Ok::<_, StoreError>((people::all(&mut tx).await?, desks, outbox::counts(&mut tx).await?))
    };
    let (accounts, desks, (waiting, given_up)) = loaded.await.map_err(|e| reader.fail(e.into()))?;
    let check = |code: &str, well: bool, detail: String| Check { code: code.to_owned(), well, detail };
    reader.show(&Admin {
        page: reader.page(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        checks: vec![
            check("database", well.database, app.hub.store.kind().to_owned()),
            check("disk", well.disk, app.hub.files.root().display().to_string()),
            check("clock", well.clock, app.hub.clock.now().rfc3339()),
            check("media", well.media, format!("UDP {}", app.hub.rooms.local_addr().port())),
            check("jobs", given_up == 0, format!("{waiting} + {given_up}")),
        ],
        accounts: accounts
            .into_iter()
            .map(|a| AccountRow {
                username: a.username,
                name: a.name,
                role: a.role.code().to_owned(),
                place: a.control_room.or_else(|| a.desk.and_then(|d| desks.get(d.as_str()).cloned())),
                last_seen_ms: None,
                enabled: a.active,
            })
            .collect(),
    })
}
