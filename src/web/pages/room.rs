//! A control room's console.

use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::super::App;
use super::super::views::room::{Console, Sitting};
use super::case_view::state;
use super::reader::{Answer, Reader};
use crate::domain::hearing::{Hearing, Phase};
use crate::domain::policy::Role;
use crate::service::ServiceError;
use crate::store::{StoreError, Tx, cases, desks, hearings, people};

/// How far ahead the next hearing of another day is looked for.
const AHEAD_DAYS: i64 = 14;

pub(super) async fn show(State(app): State<App>, reader: Reader, Path(code): Path<String>) -> Answer {
    let actor = reader.signed_in()?;
    let code = code.to_uppercase();
    let own = actor.role == Role::Room && actor.control_room.as_deref() == Some(code.as_str());
    if !own && actor.role != Role::Secretary {
        return Err(reader.fail(ServiceError::Forbidden));
    }
    let now = app.hub.clock.now();
    let midnight = now.start_of_ist_day();
    let found = async {
        let mut tx = app.hub.store.read().await?;
        let Some(room) = desks::room(&mut tx, &code).await? else { return Ok(None) };
        let mut today = Vec::new();
        for hearing in hearings::between(&mut tx, midnight, midnight.plus_days(1), Some(&code)).await? {
            today.push(sitting(&mut tx, &hearing).await?);
        }
        let later = match today.iter().any(|s| s.join.is_some()) {
            true => None,
            false => hearings::between(&mut tx, midnight.plus_days(1), midnight.plus_days(AHEAD_DAYS), Some(&code))
                .await?
                .into_iter()
                .next(),
        };
        let later = match later {
            Some(hearing) => Some(sitting(&mut tx, &hearing).await?),
            None => None,
        };
        Ok::<_, StoreError>(Some((room, today, later)))
    };
    let Some((room, today, later)) = found.await.map_err(|e| reader.fail(e.into()))? else {
        return Err(reader.problem(StatusCode::NOT_FOUND, None));
    };
    reader.show(&Console { page: reader.page(), code: room.code, city: room.city, state: room.state, today, later })
}

async fn sitting(tx: &mut Tx, hearing: &Hearing) -> Result<Sitting, StoreError> {
    let case = cases::by_id(tx, &hearing.case).await?.ok_or(StoreError::Corrupt { what: "hearing.case_id" })?;
    let officer = match &case.assignee {
        Some(account) => people::by_id(tx, account.as_str()).await?.map(|a| a.name),
        None => None,
    };
    Ok(Sitting {
        id: hearing.id.as_str().to_owned(),
        starts_at_ms: hearing.starts_at.millis(),
        case_number: case.number.to_string(),
        unit: case.applicant.unit.unwrap_or(case.applicant.name),
        officer: officer.unwrap_or_default(),
        state: state(hearing).to_owned(),
        join: (hearing.phase != Phase::Ended).then(|| format!("/hearings/{}", hearing.id)),
    })
}
