//! The Secretary's review.

use axum::extract::{Query, State};
use serde::Deserialize;
use std::collections::HashMap;

use super::super::App;
use super::super::views::review::{Figure, MAPS, OverdueRow, Review as View};
use super::reader::{Answer, Reader};
use crate::service::review::{self as service, Map};
use crate::store::{StoreError, people};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    figure: String,
}

pub(super) async fn show(State(app): State<App>, reader: Reader, Query(chosen): Query<Chosen>) -> Answer {
    let actor = reader.signed_in()?;
    let map = MAPS.into_iter().find(|m| *m == chosen.figure).unwrap_or("open");
    let counted = match map {
        "overdue" => Map::Overdue,
        "filed" => Map::FiledToday,
        _ => Map::Open,
    };
    let review = service::review(&app.hub, actor, counted).await.map_err(|e| reader.fail(e))?;
    let names = async {
        let all = people::all(&mut app.hub.store.read().await?).await?;
        Ok::<HashMap<String, String>, StoreError>(all.into_iter().map(|a| (a.id.into(), a.name)).collect())
    };
    let names = names.await.map_err(|e| reader.fail(e.into()))?;
    let figures = review
        .figures()
        .into_iter()
        .map(|(code, [today, yesterday, last_week])| Figure {
            code: code.to_owned(),
            today,
            yesterday,
            last_week,
            link: if matches!(code, "overdue" | "unattended") {
                "/desk?whose=all&overdue=1"
            } else {
                "/desk?whose=all"
            }
            .to_owned(),
        })
        .collect();
    let overdue = review
        .overdue
        .iter()
        .map(|case| OverdueRow {
            number: case.number.to_string(),
            subject: case.subject.clone(),
            who: case.applicant.unit.clone().unwrap_or_else(|| case.applicant.name.clone()),
            assignee: case.assignee.as_ref().and_then(|a| names.get(a.as_str())).cloned().unwrap_or_default(),
            state: Some(case.state.clone()).filter(|s| !s.is_empty()),
            due_ms: if case.attended_at.is_none() { case.attend_by } else { case.conclude_by }.millis(),
            clock: if case.attended_at.is_none() { "attend" } else { "conclude" }.to_owned(),
        })
        .collect();
    reader.show(&View {
        page: reader.page(),
        as_of_ms: review.as_of.millis(),
        figures,
        map: map.to_owned(),
        by_state: review.by_state,
        overdue,
    })
}
