//! The routing rules, and why a case went where it is.

use axum::extract::{Query, State};
use serde::Deserialize;
use std::collections::HashMap;

use super::super::App;
use super::super::views::Form;
use super::super::views::rules::{RuleRow, Rules, Why};
use super::reader::{Answer, Reader};
use crate::domain::case::{Case, CaseEvent};
use crate::domain::number::CaseNumber;
use crate::domain::policy::Actor;
use crate::domain::routing::{self, Rule};
use crate::insight::{place, subject};
use crate::service::{ServiceError, casework};
use crate::store::{StoreError, Tx, cases, desks, people};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    number: String,
}

/// Names of desks and people by identifier.
struct Names(HashMap<String, String>);

impl Names {
    async fn load(tx: &mut Tx, hindi: bool) -> Result<Self, StoreError> {
        let desks =
            desks::desks(tx).await?.into_iter().map(|d| (d.id.into(), if hindi { d.name_hi } else { d.name_en }));
        let people = people::all(tx).await?.into_iter().map(|a| (a.id.into(), a.name));
        Ok(Self(desks.chain(people).collect()))
    }

    fn of(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_else(|| "–".to_owned())
    }
}

pub(super) async fn show(State(app): State<App>, reader: Reader, Query(asked): Query<Asked>) -> Answer {
    let actor = reader.signed_in()?.clone();
    let hindi = reader.text().tag() == "hi";
    let loaded = async {
        let mut tx = app.hub.store.read().await?;
        Ok::<_, StoreError>((Names::load(&mut tx, hindi).await?, desks::rules(&mut tx).await?))
    };
    let (names, rules) = loaded.await.map_err(|e| reader.fail(e.into()))?;
    let mut form = Form::from_pairs([("number", asked.number.as_str())]);
    let mut answer = None;
    if !asked.number.trim().is_empty() {
        match asked.number.parse::<CaseNumber>() {
            Err(_) => form.refuse("number", reader.text().say("error-number")),
            Ok(number) => match why(&app, &actor, number, &rules, &names).await {
                Ok(why) => answer = Some(why),
                Err(ServiceError::NotFound) => form.refuse("number", reader.text().say("problem-not-found")),
                Err(error) => return Err(reader.fail(error)),
            },
        }
    }
    let rows = rules
        .iter()
        .map(|r| RuleRow {
            priority: r.priority,
            subject: r.subject.clone(),
            state: r.state.clone(),
            desk: names.of(r.desk.as_str()),
            officer: r.assignee.as_ref().map(|a| names.of(a.as_str())),
        })
        .collect();
    reader.show(&Rules { page: reader.page(), rules: rows, form, answer })
}

async fn why(app: &App, actor: &Actor, number: CaseNumber, rules: &[Rule], names: &Names) -> Result<Why, ServiceError> {
    let case: Case = casework::read(&app.hub, actor, number).await?;
    let history = cases::history(&mut app.hub.store.read().await?, &case.id).await?;
    let took = routing::route(rules, case.series().letters(), &case.subject, &case.state).map(|r| r.rule);
    let said =
        subject::classify(&case.text).filter(|(code, _)| code.as_str() == case.subject).map(|(_, why)| why.words);
    let found = place::find(&case.text);
    let since = history
        .iter()
        .filter_map(|line| match &line.event {
            CaseEvent::Transferred { desk, .. } => Some(format!("{} → {}", line.author.name, names.of(desk.as_str()))),
            _ => None,
        })
        .collect();
    let first = history.iter().find_map(|line| match &line.event {
        CaseEvent::Routed { desk, assignee, .. } => Some((desk.clone(), assignee.clone())),
        _ => None,
    });
    let (desk, officer) = first.map_or((None, None), |(d, a)| (Some(d), a));
    Ok(Why {
        number: case.number.to_string(),
        subject: Some(case.subject.clone()),
        subject_words: said.unwrap_or_default(),
        state: Some(case.state.clone()).filter(|s| !s.is_empty()),
        place_words: found.words,
        rule: took.map(|r| r.priority),
        desk: desk.map_or_else(|| "–".to_owned(), |d| names.of(d.as_str())),
        officer: officer.map(|a| names.of(a.as_str())),
        since,
    })
}
