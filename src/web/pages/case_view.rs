//! One case as the desk shows it.

use super::super::App;
use super::super::views::case::{Action, Applicant, CaseView, Clock, Complaint, Entry, Grounds, HearingLine};
use super::super::views::{Choice, Form};
use super::history;
use super::reader::Reader;
use crate::domain::case::{Case, Channel, Status};
use crate::domain::closing_gate;
use crate::domain::hearing::{Hearing, Phase};
use crate::domain::policy::{Act, Actor};
use crate::service::ServiceError;
use crate::store::{Tx, cases, desks, hearings, people, recordings};
use crate::text::Text;

/// Fills the view of a case; `returned` is a form that came back.
pub(super) async fn view(
    app: &App,
    reader: &Reader,
    actor: &Actor,
    case: Case,
    refusal: Option<String>,
    returned: Option<(Action, Form)>,
) -> Result<CaseView, ServiceError> {
    let t = reader.text();
    let now = app.hub.clock.now();
    let mut tx = app.hub.store.read().await?;
    let history = cases::history(&mut tx, &case.id).await?;
    let unit = if case.applicant.name.is_empty() { t.say("the-unit") } else { case.applicant.name.clone() };
    let mut thread: Vec<Entry> = history
        .into_iter()
        .map(|line| {
            let (key, words) = history::for_the_desk(&line.event, t);
            Entry {
                at_ms: line.at.millis(),
                who: match line.author.role.as_str() {
                    "system" => t.say("the-hub"),
                    "party" => unit.clone(),
                    _ => line.author.name,
                },
                from_unit: line.author.role == "party",
                what: t.say(key),
                words,
            }
        })
        .collect();
    let held = hearings::of_case(&mut tx, &case.id).await?;
    let mut lines = Vec::new();
    let mut heard = false;
    for hearing in &held {
        let presence = hearings::party_presence(&mut tx, &hearing.id).await?;
        heard |= closing_gate::check(&case, &[hearing.for_the_gate(presence)], now).is_ok();
        lines.push(hearing_line(&mut tx, hearing).await?);
        let was_heard = hearing.was_party_heard(presence);
        for line in hearings::log(&mut tx, &hearing.id).await? {
            let Some((key, words)) = history::of_a_hearing(&line.event, was_heard) else { continue };
            let who = if line.author.role == "system" { t.say("the-hub") } else { line.author.name };
            thread.push(Entry { at_ms: line.at.millis(), who, from_unit: false, what: t.say(key), words });
        }
    }
    thread.sort_by_key(|entry| entry.at_ms);
    let requires = case.status != Status::Closed && closing_gate::requires_hearing(&case, now) && !heard;
    let actions = actions(actor, &case);
    let due_action = due(&case, requires, &held).filter(|a| actions.contains(a));
    let sound = cases::attachments(&mut tx, &case.id).await?.into_iter().find(|a| a.media_type.starts_with("audio/"));
    let must_hear = if requires { reasons_to_hear(&case, now, t) } else { Vec::new() };
    Ok(CaseView {
        number: case.number.to_string(),
        series: case.series().letters().to_owned(),
        subject: case.subject.clone(),
        status: case.status.code().to_owned(),
        filed_at_ms: case.filed_at.millis(),
        channel: channel(case.channel).to_owned(),
        complaint: Complaint {
            language: case.language.clone(),
            text: Some(case.text.clone()).filter(|text| !text.is_empty()),
            sound: sound.map(|s| format!("/api/v1/cases/{}/attachments/{}", case.number, s.id)),
        },
        applicant: Applicant {
            kind: case.applicant.kind.code().to_owned(),
            name: Some(case.applicant.name.clone()).filter(|n| !n.is_empty()),
            unit: case.applicant.unit.clone(),
            udyam: case.applicant.udyam.clone(),
            mobile: case.applicant.mobile.clone(),
            email: case.applicant.email.clone(),
            district: Some(case.district.clone()).filter(|d| !d.is_empty()),
            state: Some(case.state.clone()).filter(|s| !s.is_empty()),
        },
        assignee: assignee(&mut tx, &case, t).await?,
        attend: Clock {
            due_ms: case.attend_by.millis(),
            done_at_ms: case.attended_at.map(crate::time::Timestamp::millis),
        },
        conclude: Clock {
            due_ms: case.conclude_by.millis(),
            done_at_ms: case.concluded_at.map(crate::time::Timestamp::millis),
        },
        outcome: case.outcome.map(|o| o.code().to_owned()),
        grounds: grounds(case.grounds_at(now)),
        must_hear,
        refusal,
        thread,
        hearings: lines,
        actions,
        due_action,
        returned,
        desks: destinations(&mut tx, &case, t).await?,
        control_rooms: control_rooms(&mut tx, &case).await?,
    })
}

fn grounds(g: crate::domain::case::Grounds) -> Grounds {
    Grounds {
        humanitarian: g.humanitarian,
        injustice: g.injustice,
        harassment: g.harassment,
        undue_delay: g.undue_delay,
    }
}

/// What this person can do now: what the table of transitions lets through and the table of permissions allows.
fn actions(actor: &Actor, case: &Case) -> Vec<Action> {
    let open = case.status != Status::Closed;
    let attended = matches!(case.status, Status::Attended | Status::Decided | Status::Hearing);
    let possible = |action: Action| match action {
        Action::Attend => matches!(case.status, Status::Filed | Status::Routed),
        Action::Reply | Action::InterimReply => open,
        Action::Transfer => matches!(case.status, Status::Filed | Status::Routed | Status::Attended),
        Action::Decide | Action::Hearing => attended,
        Action::Close => matches!(case.status, Status::Decided | Status::Hearing) && case.outcome.is_some(),
        Action::Reopen => !open,
    };
    let needs = |action: Action| match action {
        Action::Attend | Action::Reply | Action::InterimReply => Act::Work,
        Action::Transfer => Act::Transfer,
        Action::Decide | Action::Close => Act::Decide,
        Action::Hearing => Act::Hear,
        Action::Reopen => Act::Reopen,
    };
    Action::ALL.into_iter().filter(|a| possible(*a) && actor.may(needs(*a), case)).collect()
}

/// The one thing that is due.
fn due(case: &Case, must_hear: bool, held: &[Hearing]) -> Option<Action> {
    let one_is_coming = held.iter().any(|h| h.order.is_none());
    match case.status {
        Status::Filed | Status::Routed => Some(Action::Attend),
        Status::Attended => Some(Action::Decide),
        Status::Decided | Status::Hearing if case.outcome.is_none() => Some(Action::Decide),
        Status::Decided | Status::Hearing if !must_hear => Some(Action::Close),
        Status::Decided | Status::Hearing => (!one_is_coming).then_some(Action::Hearing),
        Status::Closed => None,
    }
}

fn reasons_to_hear(case: &Case, now: crate::time::Timestamp, t: Text) -> Vec<String> {
    let mut reasons = Vec::new();
    if case.grounds.any() {
        reasons.push(t.say("must-hear-grounds"));
    }
    if case.is_conclude_overdue(now) {
        reasons.push(t.say("must-hear-late"));
    }
    reasons
}

async fn hearing_line(tx: &mut Tx, hearing: &Hearing) -> Result<HearingLine, ServiceError> {
    let place = match &hearing.control_room {
        Some(code) => desks::room(tx, code).await?.map(|r| r.city),
        None => None,
    };
    Ok(HearingLine {
        id: hearing.id.as_str().to_owned(),
        starts_at_ms: hearing.starts_at.millis(),
        medium: hearing.medium.code().to_owned(),
        place,
        state: state(hearing).to_owned(),
        has_recording: !recordings::of_hearing(tx, &hearing.id).await?.is_empty(),
        unfinished: hearing.phase == Phase::Ended && hearing.order.is_none(),
    })
}

/// Where a hearing stands, in the words of the pages.
pub(super) const fn state(hearing: &Hearing) -> &'static str {
    match hearing.phase {
        Phase::NotStarted if hearing.served_at.is_some() => "served",
        Phase::NotStarted => "scheduled",
        Phase::InSession => "in_session",
        Phase::Paused => "paused",
        Phase::Ended if hearing.order.is_some() => "ordered",
        Phase::Ended if hearing.ex_parte.is_some() => "ex_parte",
        Phase::Ended if hearing.record.is_some() => "recorded",
        Phase::Ended => "ended",
    }
}

const fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Telephone => "phone",
        Channel::WalkIn => "walk-in",
        other => other.code(),
    }
}

async fn assignee(tx: &mut Tx, case: &Case, t: Text) -> Result<Option<String>, ServiceError> {
    let desk = desks::desks(tx).await?.into_iter().find(|d| Some(&d.id) == case.desk.as_ref());
    let desk = desk.map(|d| if t.tag() == "hi" { d.name_hi } else { d.name_en });
    let person = match &case.assignee {
        Some(account) => people::by_id(tx, account.as_str()).await?.map(|a| a.name),
        None => None,
    };
    Ok(match (desk, person) {
        (Some(desk), Some(person)) => Some(format!("{desk} · {person}")),
        (desk, person) => desk.or(person),
    })
}

/// Desks to hand a case to: every one but its own.
async fn destinations(tx: &mut Tx, case: &Case, t: Text) -> Result<Vec<Choice>, ServiceError> {
    let all = desks::desks(tx).await?;
    let others = all.into_iter().filter(|d| Some(&d.id) != case.desk.as_ref());
    let named = |d: desks::Desk| Choice::new(d.code, if t.tag() == "hi" { d.name_hi } else { d.name_en });
    Ok(others.map(named).collect())
}

/// Control rooms, those of the unit's state first.
async fn control_rooms(tx: &mut Tx, case: &Case) -> Result<Vec<Choice>, ServiceError> {
    let mut rooms = desks::rooms(tx).await?;
    rooms.sort_by_key(|r| (r.state != case.state, r.city.clone()));
    Ok(rooms.into_iter().map(|r| Choice::new(r.code, format!("{} ({})", r.city, r.state))).collect())
}
