//! Where a case stands, for the unit. Its link is its permission; the browser keeps it in a cookie for this case alone, so
//! that forms need not carry it.

use axum::extract::{Form as Posted, FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::Deserialize;

use super::super::App;
use super::super::extract::cookie;
use super::super::views::track::{Track, TrackAsk, TrackHearing, TrackNext, TrackStep};
use super::super::views::{Flash, Form};
use super::reader::{Answer, Reader, see_other, with_cookie};
use super::history;
use crate::domain::case::Status;
use crate::domain::hearing::{Hearing, Phase};
use crate::domain::number::CaseNumber;
use crate::domain::presence::Part;
use crate::service::track::{self as service, Tracked};
use crate::service::{ServiceError, hearings};
use crate::store::people;
use crate::text::Text;

/// Name of the cookie that keeps a case's key, under the path of that case.
pub(super) const KEY_COOKIE: &str = "case-key";
pub(super) const KEY_SECONDS: i64 = 90 * 86_400;

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

/// The key of a case, from the link or from the cookie that an earlier visit left.
pub(super) struct Key {
    from_link: Option<String>,
    kept: Option<String>,
}

impl FromRequestParts<App> for Key {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        let from_link = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "k").map(|(_, k)| k.into_owned());
        Ok(Self { from_link, kept: cookie(parts, KEY_COOKIE).map(str::to_owned) })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Query1 {
    #[serde(default)]
    added: String,
}

pub(super) async fn show(
    State(app): State<App>,
    reader: Reader,
    key: Key,
    Path(text): Path<String>,
    Query(query): Query<Query1>,
) -> Answer {
    let Ok(number) = text.parse::<CaseNumber>() else { return Err(reader.problem(StatusCode::NOT_FOUND, None)) };
    let used = key.from_link.or(key.kept);
    // Without a key nothing of the case is told, not even whether it is there: one asks for the link by SMS.
    let Some(used) = used else { return Ok(see_other("/track")) };
    let tracked = service::open(&app.hub, number, &used).await.map_err(|e| reader.fail(e))?;
    let flash = (!query.added.is_empty()).then(|| Flash::Done(reader.text().say("track-added")));
    let view = view(&app, &reader, tracked, flash, Form::empty()).await.map_err(|e| reader.fail(e))?;
    let cookie = reader.cookie(KEY_COOKIE, &used, &format!("/track/{number}"), KEY_SECONDS);
    Ok(with_cookie(reader.show(&view)?, cookie))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Added {
    text: String,
}

pub(super) async fn add(
    State(app): State<App>,
    reader: Reader,
    key: Key,
    Path(text): Path<String>,
    Posted(added): Posted<Added>,
) -> Answer {
    let (Ok(number), Some(key)) = (text.parse::<CaseNumber>(), key.from_link.or(key.kept)) else {
        return Err(reader.problem(StatusCode::NOT_FOUND, None));
    };
    let tracked = service::open(&app.hub, number, &key).await.map_err(|e| reader.fail(e))?;
    // On a closed case the same box opens it again: "it is not done".
    let outcome = match tracked.case.status {
        Status::Closed => service::reopen(&app.hub, number, &key, &added.text).await,
        Status::Filed | Status::Routed | Status::Attended | Status::Decided | Status::Hearing => {
            service::add(&app.hub, number, &key, &added.text).await
        }
    };
    match outcome {
        Ok(_) => Ok(see_other(&format!("/track/{number}?added=1"))),
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

async fn view(app: &App, reader: &Reader, tracked: Tracked, flash: Option<Flash>, form: Form) -> Result<Track, ServiceError> {
    let Tracked { case, history, hearings } = tracked;
    let t = reader.text();
    let coming = hearings.iter().find(|h| h.phase != Phase::Ended);
    let steps = history.iter().filter_map(|line| {
        let (key, words) = history::for_the_unit(&line.event)?;
        Some(TrackStep { at_ms: line.at.millis(), what: t.say(key), words })
    });
    let decided = case.status == Status::Closed && !case.reasons.is_empty();
    Ok(Track {
        steps: steps.collect(),
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
