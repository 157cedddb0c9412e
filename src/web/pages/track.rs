//! Where a case stands, for the unit. The key in its link is its permission; forms and links of the page carry it on.

use axum::extract::{Form as Posted, Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::super::App;
use super::super::views::track::{Track, TrackAsk, TrackHearing, TrackNext, TrackStep};
use super::super::views::{Flash, Form};
use super::history;
use super::reader::{Answer, Reader, see_other};
use crate::domain::case::Status;
use crate::domain::hearing::{Hearing, Phase};
use crate::domain::number::CaseNumber;
use crate::domain::presence::Part;
use crate::service::track::{self as service, Tracked};
use crate::service::{ServiceError, hearings};
use crate::store::people;
use crate::text::Text;

pub(super) async fn ask(reader: Reader) -> Answer {
    reader.show(&TrackAsk { page: reader.page(), form: Form::empty(), asked: false })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    number: String,
    mobile: String,
}

pub(super) async fn send(State(app): State<App>, reader: Reader, Posted(asked): Posted<Asked>) -> Answer {
    let mut form = Form::from_pairs([("number", asked.number.as_str()), ("mobile", asked.mobile.as_str())]);
    let number = asked.number.parse::<CaseNumber>();
    if number.is_err() {
        form.refuse("number", reader.text().say("error-number"));
    }
    if crate::domain::party::indian_mobile(&asked.mobile).is_none() {
        form.refuse("mobile", reader.text().say("error-mobile"));
    }
    let (Ok(number), false) = (number, form.is_refused()) else {
        let view = TrackAsk { page: reader.page(), form, asked: false };
        return reader.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view);
    };
    service::send_link(&app.hub, number, &asked.mobile).await.map_err(|e| reader.fail(e))?;
    reader.show(&TrackAsk { page: reader.page(), form: Form::empty(), asked: true })
}

/// What the link of a case carries.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LinkQuery {
    k: String,
    added: String,
}

pub(super) async fn show(
    State(app): State<App>,
    reader: Reader,
    Path(text): Path<String>,
    Query(query): Query<LinkQuery>,
) -> Answer {
    let Ok(number) = text.parse::<CaseNumber>() else { return Err(reader.problem(StatusCode::NOT_FOUND, None)) };
    // Without a key nothing of the case is told, not even whether it is there: one asks for the link by SMS.
    if query.k.is_empty() {
        return Ok(see_other("/track"));
    }
    let tracked = service::open(&app.hub, number, &query.k).await.map_err(|e| reader.fail(e))?;
    let flash = (!query.added.is_empty()).then(|| Flash::Done(reader.text().say("track-added")));
    let view = view(&app, &reader, tracked, flash, Form::empty()).await.map_err(|e| reader.fail(e))?;
    reader.show(&view)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Added {
    text: String,
}

pub(super) async fn add(
    State(app): State<App>,
    reader: Reader,
    Path(text): Path<String>,
    Query(LinkQuery { k: key, .. }): Query<LinkQuery>,
    Posted(added): Posted<Added>,
) -> Answer {
    let Ok(number) = text.parse::<CaseNumber>() else { return Err(reader.problem(StatusCode::NOT_FOUND, None)) };
    let tracked = service::open(&app.hub, number, &key).await.map_err(|e| reader.fail(e))?;
    // On a closed case the same box opens it again: "it is not done".
    let outcome = match tracked.case.status {
        Status::Closed => service::reopen(&app.hub, number, &key, &added.text).await,
        Status::Filed | Status::Routed | Status::Attended | Status::Decided | Status::Hearing => {
            service::add(&app.hub, number, &key, &added.text).await
        }
    };
    match outcome {
        Ok(_) => Ok(see_other(&format!("/track/{number}?k={key}&added=1"))),
        Err(ServiceError::Invalid(problems)) => {
            let mut form = Form::from_pairs([("text", added.text)]);
            for problem in problems {
                form.refuse("text", reader.text().say(problem.key));
            }
            let view = view(&app, &reader, tracked, None, form).await.map_err(|e| reader.fail(e))?;
            reader.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view)
        }
        Err(error) => Err(reader.fail(error)),
    }
}

async fn view(
    app: &App,
    reader: &Reader,
    tracked: Tracked,
    flash: Option<Flash>,
    form: Form,
) -> Result<Track, ServiceError> {
    let Tracked { case, history, hearings } = tracked;
    let t = reader.text();
    let coming = hearings.iter().find(|h| h.phase != Phase::Ended);
    let steps = history.iter().filter_map(|line| {
        let (key, words) = history::for_the_unit(&line.event)?;
        Some(TrackStep { at_ms: line.at.millis(), what: t.say(key), words })
    });
    let mut steps: Vec<TrackStep> = steps.collect();
    for hearing in &hearings {
        let file = hearings::open(&app.hub, &hearing.id).await?;
        for line in file.log {
            let Some((key, words)) = history::of_a_hearing_for_the_unit(&line.event, file.party_heard) else {
                continue;
            };
            steps.push(TrackStep { at_ms: line.at.millis(), what: t.say(key), words });
        }
    }
    steps.sort_by_key(|step| step.at_ms);
    let decided = case.status == Status::Closed && !case.reasons.is_empty();
    Ok(Track {
        steps,
        page: reader.page_saying(flash),
        number: case.number.to_string(),
        subject: case.subject.clone(),
        unit: case.applicant.unit.clone(),
        next: next(&case, coming, t),
        hearing: match coming {
            Some(hearing) => Some(card(app, &case, hearing).await?),
            None => None,
        },
        decision: decided.then(|| case.reasons.clone()),
        form,
        add_to: format!("/track/{}/add?k={}", case.number, app.hub.links.track_key(&case.id)),
        closed: case.status == Status::Closed,
    })
}

fn next(case: &crate::domain::case::Case, hearing: Option<&Hearing>, t: Text) -> Option<TrackNext> {
    let at = |key: &str, by: crate::time::Timestamp| Some(TrackNext { what: t.say(key), by_ms: by.millis() });
    match (case.status, hearing) {
        (Status::Closed, _) => None,
        (_, Some(hearing)) => at("track-next-hearing", hearing.starts_at),
        (Status::Filed | Status::Routed, None) => at("track-next-attend", case.attend_by),
        (Status::Attended | Status::Decided, None) => at("track-next-conclude", case.conclude_by),
        (Status::Hearing, None) => at("track-next-order", case.conclude_by),
    }
}

async fn card(app: &App, case: &crate::domain::case::Case, hearing: &Hearing) -> Result<TrackHearing, ServiceError> {
    let officer = match &case.assignee {
        Some(account) => people::by_id(&mut app.hub.store.read().await?, account.as_str()).await?.map(|a| a.name),
        None => None,
    };
    let place = hearings::place(&app.hub, hearing).await?;
    Ok(TrackHearing {
        starts_at_ms: hearing.starts_at.millis(),
        medium: hearing.medium.code().to_owned(),
        place,
        officer: officer.unwrap_or_default(),
        link: Some(format!("/hearings/{}?k={}", hearing.id, app.hub.links.hearing_key(&hearing.id, Part::Party))),
    })
}
