//! A hearing's page: before it, in the room, after it; and its recording.

use axum::extract::{Form as Posted, Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::super::App;
use super::super::views::hearing::{Attempt, Hearing as View, Line, Notice, Order, RoomAccess, Seat, Written};
use super::super::views::recording::{File, Recording as RecordingView, Verdict as Shown};
use super::super::views::{Flash, Form, Page};
use super::case_view::state;
use super::reader::{Answer, Reader, see_other};
use crate::domain::hearing::{Finding, HearingCommand, Phase};
use crate::domain::line::{Spell, Trouble};
use crate::domain::policy::Act;
use crate::domain::presence::Part;
use crate::id::HearingId;
use crate::service::hearings::{self, HearingAction, HearingFile};
use crate::service::recordings::{self, Verdict};
use crate::service::rooms::{self, NOTICE_VERSION, Seat as Given};
use crate::service::{Hub, Problem, ServiceError};
use crate::store::hearings::LedgerLine;
use crate::store::people;

/// The room opens so long before the hearing: time enough to test and to wait.
const OPENS_BEFORE_MILLIS: i64 = 24 * 3_600_000;

/// What the page's forms do.
const ACTIONS: [&str; 4] = ["record", "attempt", "ex_parte", "order"];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LinkQuery {
    k: String,
    done: String,
}

/// Who opens the page: somebody with an account, or the holder of a link.
enum Visitor {
    Staff { presides: bool, part: Part },
    Link { part: Part },
}

pub(super) async fn show(
    State(app): State<App>,
    reader: Reader,
    Path(id): Path<String>,
    Query(query): Query<LinkQuery>,
) -> Answer {
    let (file, visitor) = open(&app, &reader, &id, &query.k).await?;
    let known = ACTIONS.contains(&query.done.as_str());
    let flash = known.then(|| Flash::Done(reader.text().say(&format!("done-{}", query.done))));
    let view =
        view(&app, &reader, reader.page_saying(flash), file, &visitor, None).await.map_err(|e| reader.fail(e))?;
    reader.show(&view)
}

pub(super) async fn act(
    State(app): State<App>,
    reader: Reader,
    Path((id, action)): Path<(String, String)>,
    Posted(posted): Posted<Vec<(String, String)>>,
) -> Answer {
    let actor = reader.signed_in()?.clone();
    let id: HearingId = id.parse().map_err(|_| reader.fail(ServiceError::NotFound))?;
    let mut form = Form::from_pairs(posted);
    let Some(command) = command(&action, &form) else { return Err(reader.problem(StatusCode::NOT_FOUND, None)) };
    let outcome = match command {
        Ok(command) => hearings::act(&app.hub, &actor, &id, HearingAction::Step(command)).await.map(|_| ()),
        Err(problem) => Err(ServiceError::Invalid(vec![problem])),
    };
    let error = match outcome {
        Ok(()) => return Ok(see_other(&format!("/hearings/{id}?done={action}"))),
        Err(error) => error,
    };
    let (status, flash) = match &error {
        ServiceError::Invalid(_) => {
            let _ = reader.refuse(&mut form, &error);
            (StatusCode::UNPROCESSABLE_ENTITY, None)
        }
        ServiceError::Refused(rule) => {
            (StatusCode::CONFLICT, Some(Flash::Problem(reader.text().say(&format!("problem-{}", rule.rule())))))
        }
        _ => return Err(reader.fail(error)),
    };
    let (file, visitor) = open(&app, &reader, id.as_str(), "").await?;
    let view = view(&app, &reader, reader.page_saying(flash), file, &visitor, Some((action, form))).await;
    reader.show_as(status, &view.map_err(|e| reader.fail(e))?)
}

fn command(action: &str, form: &Form) -> Option<Result<HearingCommand, Problem>> {
    let said = |field: &str| form.value(field).trim().to_owned();
    Some(Ok(match action {
        "record" => HearingCommand::Record { text: said("text") },
        "attempt" => HearingCommand::Attempt { channel: said("channel"), result: said("result") },
        "ex_parte" => HearingCommand::ExParte { reason: said("reason") },
        "order" => {
            if said("reasons").is_empty() {
                return Some(Err(Problem { field: "reasons", key: "error-reasons" }));
            }
            let mut findings = Vec::new();
            for row in 1..=View::FINDINGS {
                let (issue, finding) = (said(&format!("issue{row}")), said(&format!("finding{row}")));
                if !issue.is_empty() || !finding.is_empty() {
                    findings.push(Finding { issue, finding });
                }
            }
            if findings.is_empty() {
                return Some(Err(Problem { field: "issue1", key: "error-finding" }));
            }
            HearingCommand::Order { findings, reasons: said("reasons") }
        }
        _ => return None,
    }))
}

async fn open(
    app: &App,
    reader: &Reader,
    id: &str,
    key: &str,
) -> Result<(HearingFile, Visitor), super::reader::Failure> {
    let id: HearingId = id.parse().map_err(|_| reader.fail(ServiceError::NotFound))?;
    if !key.is_empty() {
        let Some(part) = app.hub.links.hearing_part(&id, key) else {
            return Err(reader.problem(StatusCode::FORBIDDEN, None));
        };
        let file = hearings::open(&app.hub, &id).await.map_err(|e| reader.fail(e))?;
        return Ok((file, Visitor::Link { part }));
    }
    let actor = reader.signed_in()?;
    let file = hearings::read(&app.hub, actor, &id).await.map_err(|e| reader.fail(e))?;
    let presides = actor.may(Act::Hear, &file.case);
    let part = if presides { Part::PresidingOfficer } else { Part::Coordinator };
    Ok((file, Visitor::Staff { presides, part }))
}

async fn view(
    app: &App,
    reader: &Reader,
    page: Page,
    file: HearingFile,
    visitor: &Visitor,
    returned: Option<(String, Form)>,
) -> Result<View, ServiceError> {
    let now = app.hub.clock.now();
    let officer = match &file.case.assignee {
        Some(account) => people::by_id(&mut app.hub.store.read().await?, account.as_str()).await?.map(|a| a.name),
        None => None,
    };
    let officer = officer.unwrap_or_default();
    let place = hearings::place(&app.hub, &file.hearing).await?;
    let (me, given) = seat(app, reader, &file, visitor).await?;
    let is_open =
        file.hearing.phase != Phase::Ended && now.millis() + OPENS_BEFORE_MILLIS >= file.hearing.starts_at.millis();
    let said = |key: &str| page.text.say(key);
    Ok(View {
        id: file.hearing.id.as_str().to_owned(),
        case_number: file.case.number.to_string(),
        case_link: match visitor {
            Visitor::Staff { .. } => Some(format!("/desk/cases/{}", file.case.number)),
            // The case is the party's own; a witness gets no key to it.
            Visitor::Link { part } => part
                .is_party()
                .then(|| format!("/track/{}?k={}", file.case.number, app.hub.links.track_key(&file.case.id))),
        },
        subject: file.case.subject.clone(),
        unit: file.case.applicant.unit.clone(),
        starts_at_ms: file.hearing.starts_at.millis(),
        medium: file.hearing.medium.code().to_owned(),
        place,
        state: page_state(&file).to_owned(),
        me,
        notice: Notice {
            version: NOTICE_VERSION.to_owned(),
            text: vec![said("notice-text-1"), said("notice-text-2"), said("notice-text-3")],
        },
        room: given.filter(|_| is_open).map(|given| access(&app.hub, &given)),
        attempts: file
            .hearing
            .attempts
            .iter()
            .map(|a| Attempt { at_ms: a.at.millis(), channel: a.channel.clone(), result: a.result.clone() })
            .collect(),
        record: file.hearing.record.clone().map(|text| Written {
            at_ms: at(&file, "recorded"),
            by: by(&file, "recorded"),
            text,
        }),
        order: file.hearing.order.clone().map(|order| Order {
            at_ms: at(&file, "ordered"),
            by: by(&file, "ordered"),
            findings: order.findings.into_iter().map(|f| (f.issue, f.finding)).collect(),
            reasons: order.reasons,
        }),
        has_recording: matches!(visitor, Visitor::Staff { .. }) && !file.recordings.is_empty(),
        lines: matches!(visitor, Visitor::Staff { .. }).then(|| troubles(&file)),
        returned,
        officer,
        page,
    })
}

/// Poor and broken lines. That pictures were coarse for a while is in the file, and no reason to read about it.
fn troubles(file: &HearingFile) -> Vec<Line> {
    let name = |member: &str| {
        let line = file.ledger.iter().rev().find(|line| line.member == member && !line.name.is_empty());
        line.map_or_else(|| member.to_owned(), |line| line.name.clone())
    };
    let told = |spell: &&Spell| matches!(spell.trouble, Trouble::Poor | Trouble::Broken);
    let told = file.lines.iter().filter(told).take(View::LINES).map(|spell| Line {
        name: name(&spell.member),
        trouble: spell.trouble.code(),
        from_ms: spell.from.millis(),
        until_ms: spell.until.millis(),
        loss_percent: spell.loss_percent,
        round_trip_ms: spell.round_trip_ms,
    });
    told.collect()
}

/// As [`state`], and whether the party is at the door.
fn page_state(file: &HearingFile) -> &'static str {
    let waits = |line: &&LedgerLine| line.part.is_party();
    let last = file.ledger.iter().rev().find(waits).map(|l| l.what);
    if file.hearing.phase == Phase::NotStarted && last == Some(crate::domain::presence::Presence::Knocked) {
        return "waiting";
    }
    state(&file.hearing)
}

/// The name under which the reader joins, and the permission to.
async fn seat(
    app: &App,
    reader: &Reader,
    file: &HearingFile,
    visitor: &Visitor,
) -> Result<(Seat, Option<Given>), ServiceError> {
    let over = file.hearing.phase == Phase::Ended;
    match visitor {
        Visitor::Link { part } => {
            let a = &file.case.applicant;
            let name = [Some(a.name.as_str()), a.unit.as_deref()].into_iter().flatten().find(|n| !n.is_empty());
            let number = file.case.number.to_string();
            let name =
                name.map_or_else(|| reader.text().say_with("party-of-case", &[("number", &number)]), str::to_owned);
            let given = (!over).then(|| rooms::token_for_link(&app.hub, &file.hearing, *part, &name));
            Ok((Seat { name, role: part.code().to_owned(), presides: false }, given))
        }
        Visitor::Staff { presides, part } => {
            let Some(actor) = reader.actor.as_ref() else { return Err(ServiceError::Forbidden) };
            let given = if over {
                None
            } else {
                Some(rooms::give_token(&app.hub, actor, &file.hearing.room, "", *part).await?)
            };
            Ok((Seat { name: actor.name.clone(), role: part.code().to_owned(), presides: *presides }, given))
        }
    }
}

fn access(hub: &Hub, given: &Given) -> RoomAccess {
    RoomAccess {
        // Without scheme and host: the page's own, whichever listener it came by.
        url: format!("/rooms/{}/signal?token={}", given.join.room, given.token),
        token: given.token.clone(),
        room: given.join.room.clone(),
        member: given.join.member.clone(),
        probe: Some(format!("/rooms/{}/probe?token={}", given.join.room, given.token)),
        ice_servers: json!(rooms::ice_servers(hub, &given.join)),
    }
}

fn at(file: &HearingFile, kind: &str) -> i64 {
    file.log.iter().rev().find(|l| l.event.kind() == kind).map_or(0, |l| l.at.millis())
}

fn by(file: &HearingFile, kind: &str) -> String {
    file.log.iter().rev().find(|l| l.event.kind() == kind).map_or_else(String::new, |l| l.author.name.clone())
}

/// Which of a hearing's recordings: they count from 1, the newest is shown when none is named.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WhichPart {
    part: Option<usize>,
}

pub(super) async fn recording(
    State(app): State<App>,
    reader: Reader,
    Path(id): Path<String>,
    Query(which): Query<WhichPart>,
) -> Answer {
    let actor = reader.signed_in()?.clone();
    let id: HearingId = id.parse().map_err(|_| reader.fail(ServiceError::NotFound))?;
    let file = hearings::read(&app.hub, &actor, &id).await.map_err(|e| reader.fail(e))?;
    let listed = recordings::of_hearing(&app.hub, &actor, &id).await.map_err(|e| reader.fail(e))?;
    let parts: Vec<i64> = listed.iter().map(|(recording, _)| recording.started_at.millis()).collect();
    let part = which.part.unwrap_or(parts.len());
    let Some((recording, files)) = part.checked_sub(1).and_then(|index| listed.into_iter().nth(index)) else {
        return Err(reader.problem(StatusCode::NOT_FOUND, None));
    };
    let (verdict, facts) = match recording.ended_at {
        None => (Shown::Open, Vec::new()),
        Some(_) => match recordings::verify(&app.hub, &actor, &recording.id).await.map_err(|e| reader.fail(e))? {
            Verdict::Whole { head, segments, complete, files } => {
                let segments = usize::try_from(segments).unwrap_or(0);
                (if complete { Shown::Whole { segments, head } } else { Shown::CutOff { segments, head } }, files)
            }
            Verdict::Broken { link } => (Shown::Broken { file: String::new(), why: link }, Vec::new()),
        },
    };
    let base = format!("/api/v1/recordings/{}/files", recording.id);
    let manifest = files.iter().any(|f| f.name == "manifest.jsonl").then(|| format!("{base}/manifest.jsonl"));
    let ended = recording.ended_at.unwrap_or(recording.started_at);
    let seconds = (ended.millis() - recording.started_at.millis()) / 1_000;
    let shown = files.into_iter().filter(|f| f.media_type.starts_with("video/")).map(|f| {
        let facts = facts.iter().find(|facts| facts.name == f.name);
        let member = facts.map(|facts| facts.member.clone());
        let person = file.ledger.iter().find(|l| Some(&l.member) == member.as_ref() && !l.name.is_empty());
        File {
            participant: person.map_or_else(|| member.clone().unwrap_or_default(), |p| p.name.clone()),
            role: person.map_or("observer", |p| p.part.code()).to_owned(),
            url: format!("{base}/{}", f.name),
            name: f.name,
            bytes: f.size,
            seconds,
            is_screen: facts.is_some_and(|facts| facts.is_screen),
            has_picture: facts.is_none_or(|facts| facts.has_picture),
        }
    });
    reader.show(&RecordingView {
        files: shown.collect(),
        page: reader.page(),
        hearing_id: id.as_str().to_owned(),
        case_number: file.case.number.to_string(),
        started_at_ms: recording.started_at.millis(),
        seconds,
        part,
        parts,
        verdict,
        manifest,
    })
}
