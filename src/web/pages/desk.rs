//! The desk: the list, one case, and what is done with it.

use axum::extract::{Form as Posted, Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::super::App;
use super::super::views::case::{Action, CaseView};
use super::super::views::desk::{Desk, Due, Filter, Row};
use super::super::views::{Flash, Form};
use super::case_view;
use super::reader::{Answer, Failure, Reader, see_other};
use crate::domain::case::{Case, Channel, Grounds, Outcome, Status};
use crate::domain::closing_gate;
use crate::domain::hearing::Medium;
use crate::domain::number::CaseNumber;
use crate::domain::policy::{Act, Actor, Scope, scope};
use crate::id::CaseId;
use crate::service::ServiceError;
use crate::service::casework::{self, CaseAction};
use crate::service::hearings::{self, Fixing};
use crate::store::{StoreError, cases};
use crate::time::Timestamp;

const ROWS: i64 = 40;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListQuery {
    whose: String,
    overdue: String,
    q: String,
    state: String,
    after: String,
    done: String,
}

pub(super) async fn list(State(app): State<App>, reader: Reader, Query(query): Query<ListQuery>) -> Answer {
    let actor = working(&reader)?.clone();
    let view = desk(&app, &reader, &actor, &query, None, done(&reader, &query)).await.map_err(|e| reader.fail(e))?;
    reader.show(&view)
}

pub(super) async fn case(
    State(app): State<App>,
    reader: Reader,
    Path(number): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer {
    let actor = working(&reader)?.clone();
    let case = opened(&app, &reader, &actor, &number).await?;
    let view = case_view::view(&app, &reader, &actor, case, None, None).await.map_err(|e| reader.fail(e))?;
    let view =
        desk(&app, &reader, &actor, &query, Some(view), done(&reader, &query)).await.map_err(|e| reader.fail(e))?;
    reader.show(&view)
}

pub(super) async fn act(
    State(app): State<App>,
    reader: Reader,
    Path((number, action)): Path<(String, String)>,
    Posted(posted): Posted<Vec<(String, String)>>,
) -> Answer {
    let actor = working(&reader)?.clone();
    let case = opened(&app, &reader, &actor, &number).await?;
    let Some(action) = Action::from_code(&action) else { return Err(reader.problem(StatusCode::NOT_FOUND, None)) };
    let form = Form::from_pairs(posted);
    let outcome = match action {
        Action::Hearing => fix(&app, &actor, case.number, &form).await,
        other => take(&app, &actor, case.number, other, &form).await,
    };
    match outcome {
        Ok(()) => {
            // Whoever passes a case on may see it no more.
            let mine = casework::read(&app.hub, &actor, case.number).await.is_ok();
            let place = if mine { format!("/desk/cases/{}", case.number) } else { "/desk".to_owned() };
            Ok(see_other(&format!("{place}?done={}", action.code())))
        }
        Err(error) => returned(&app, &reader, &actor, case, action, form, error).await,
    }
}

/// What was just done, as the address says it.
fn done(reader: &Reader, query: &ListQuery) -> Option<Flash> {
    let action = Action::from_code(&query.done)?;
    Some(Flash::Done(reader.text().say(&format!("done-{}", action.code()))))
}

/// The case again, with the form as it was filled and what stands against it.
async fn returned(
    app: &App,
    reader: &Reader,
    actor: &Actor,
    case: Case,
    action: Action,
    mut form: Form,
    error: ServiceError,
) -> Result<Response, Failure> {
    let (status, refusal) = match &error {
        ServiceError::Invalid(_) => {
            let _ = reader.refuse(&mut form, &error);
            (StatusCode::UNPROCESSABLE_ENTITY, None)
        }
        ServiceError::Refused(rule) => {
            (StatusCode::CONFLICT, Some(reader.text().say(&format!("problem-{}", rule.rule()))))
        }
        _ => return Err(reader.fail(error)),
    };
    let view =
        case_view::view(app, reader, actor, case, refusal, Some((action, form))).await.map_err(|e| reader.fail(e))?;
    let view = desk(app, reader, actor, &ListQuery::default(), Some(view), None).await.map_err(|e| reader.fail(e))?;
    reader.show_as(status, &view)
}

async fn take(app: &App, actor: &Actor, number: CaseNumber, action: Action, form: &Form) -> Result<(), ServiceError> {
    let said = |field: &str| form.value(field).to_owned();
    let wrong = |field, key| ServiceError::Invalid(vec![crate::service::Problem { field, key }]);
    let action = match action {
        Action::Attend => CaseAction::Attend { note: said("note") },
        Action::Reply => CaseAction::Reply { text: said("text") },
        Action::Transfer => CaseAction::Transfer {
            to: said("to"),
            reason: said("reason"),
            subject: Some(said("subject")).filter(|s| !s.is_empty()),
        },
        Action::Close => CaseAction::Close { text: said("text") },
        Action::Reopen => CaseAction::Reopen { reason: said("reason") },
        Action::InterimReply => CaseAction::InterimReply {
            text: said("text"),
            expected_at: Timestamp::parse_ist(form.value("expected_at"), "23:59")
                .ok_or_else(|| wrong("expected_at", "error-date"))?,
        },
        Action::Decide => {
            let outcome = Outcome::from_code(form.value("outcome")).ok_or_else(|| wrong("outcome", "error-outcome"))?;
            CaseAction::Decide { outcome, reasons: said("reasons"), grounds: Some(grounds(form, outcome)?) }
        }
        Action::Hearing => return Err(ServiceError::NotFound),
    };
    casework::act(&app.hub, actor, number, action).await.map(|_| ())
}

/// The four questions. Against the unit each must be answered; in its favour none need be.
fn grounds(form: &Form, outcome: Outcome) -> Result<Grounds, ServiceError> {
    let mut unanswered = Vec::new();
    let mut answer = |field: &'static str| match form.value(field) {
        "yes" => true,
        "no" => false,
        _ => {
            unanswered.push(crate::service::Problem { field, key: "error-ground" });
            false
        }
    };
    let grounds = Grounds {
        humanitarian: answer("humanitarian"),
        injustice: answer("injustice"),
        harassment: answer("harassment"),
        undue_delay: answer("undue_delay"),
    };
    if outcome.is_against_the_unit() && !unanswered.is_empty() {
        return Err(ServiceError::Invalid(unanswered));
    }
    Ok(grounds)
}

async fn fix(app: &App, actor: &Actor, number: CaseNumber, form: &Form) -> Result<(), ServiceError> {
    let medium = Medium::from_code(form.value("medium"));
    let date = form.value("date");
    let starts_at = Timestamp::parse_ist(date, form.value("time"));
    let mut wrong = Vec::new();
    if medium.is_none() {
        wrong.push(crate::service::Problem { field: "medium", key: "error-medium" });
    }
    if starts_at.is_none() {
        let date_is_right = Timestamp::parse_ist(date, "00:00").is_some();
        let (field, key) = if date_is_right { ("time", "error-time") } else { ("date", "error-date") };
        wrong.push(crate::service::Problem { field, key });
    }
    let (Some(medium), Some(starts_at)) = (medium, starts_at) else { return Err(ServiceError::Invalid(wrong)) };
    let control_room = Some(form.value("control_room").to_owned());
    let fixed = hearings::fix(&app.hub, actor, number, Fixing { medium, starts_at, control_room }, None).await;
    match fixed {
        // The form has two fields where the use case has one moment.
        Err(ServiceError::Invalid(mut problems)) => {
            for problem in problems.iter_mut().filter(|p| p.field == "starts_at") {
                problem.field = "date";
            }
            Err(ServiceError::Invalid(problems))
        }
        other => other.map(|_| ()),
    }
}

/// Somebody who has cases to look at.
fn working(reader: &Reader) -> Result<&Actor, Failure> {
    let actor = reader.signed_in()?;
    if actor.may_ever(Act::Read) { Ok(actor) } else { Err(reader.fail(ServiceError::Forbidden)) }
}

async fn opened(app: &App, reader: &Reader, actor: &Actor, number: &str) -> Result<Case, Failure> {
    let number: CaseNumber = number.parse().map_err(|_| reader.fail(ServiceError::NotFound))?;
    casework::read(&app.hub, actor, number).await.map_err(|e| reader.fail(e))
}

async fn desk(
    app: &App,
    reader: &Reader,
    actor: &Actor,
    query: &ListQuery,
    case: Option<CaseView>,
    flash: Option<Flash>,
) -> Result<Desk, ServiceError> {
    let now = app.hub.clock.now();
    let reads = scope(actor.role, Act::Read);
    let whose = match (query.whose.as_str(), reads) {
        ("mine", _) => "mine",
        ("unit", _) | ("all", Scope::OwnDesk) => "unit",
        ("all", _) => "all",
        // An officer's day begins with the own list; who has none sees all that may be seen.
        (_, Scope::OwnDesk) => "mine",
        _ => "all",
    };
    let mut filter = cases::Filter {
        search: Some(query.q.clone()).filter(|q| !q.trim().is_empty()),
        state: Some(query.state.clone()).filter(|s| !s.is_empty()),
        due_before: (!query.overdue.is_empty()).then_some(now),
        ..cases::Filter::default()
    };
    let desk = actor.desk.as_ref().map(String::from).unwrap_or_default();
    match (whose, reads) {
        ("mine", _) => filter.assignee = Some(actor.account.as_str().to_owned()),
        ("unit", _) if !desk.is_empty() => filter.desk_or_assignee = Some((desk, actor.account.as_str().to_owned())),
        _ => {}
    }
    if reads == Scope::OwnState {
        filter.state = Some(actor.state.clone().unwrap_or_default());
    }
    let (mut found, total) = rows(app, &filter, &query.after).await?;
    let unheard = unheard(app, &found, now).await?;
    let wanted = usize::try_from(ROWS).unwrap_or(0);
    let more = found.len() > wanted;
    found.truncate(wanted);
    let next = found.last().filter(|_| more).map(|c| format!("{}:{}", cases::due_at(c), c.id));
    Ok(Desk {
        page: reader.page_saying(flash),
        filter: Filter {
            whose: whose.to_owned(),
            overdue: !query.overdue.is_empty(),
            query: query.q.clone(),
            state: query.state.clone(),
        },
        rows: found.iter().map(|case| row(case, unheard.contains(&case.id))).collect(),
        total: usize::try_from(total).unwrap_or(0),
        next,
        case: case.map(Box::new),
    })
}

async fn rows(app: &App, filter: &cases::Filter, after: &str) -> Result<(Vec<Case>, i64), StoreError> {
    let after = after.split_once(':').and_then(|(due, id)| Some((due.parse().ok()?, id)));
    let mut tx = app.hub.store.read().await?;
    let found = cases::due_first(&mut tx, filter, after.unwrap_or((i64::MIN, "")), ROWS + 1).await?;
    Ok((found, cases::count(&mut tx, filter).await?))
}

/// Those of these cases whose unit must be heard, and was not.
async fn unheard(app: &App, found: &[Case], now: Timestamp) -> Result<Vec<CaseId>, StoreError> {
    let mut tx = app.hub.store.read().await?;
    let mut unheard = Vec::new();
    for case in found.iter().filter(|c| c.status != Status::Closed && closing_gate::requires_hearing(c, now)) {
        let mut held = Vec::new();
        for hearing in crate::store::hearings::of_case(&mut tx, &case.id).await? {
            let presence = crate::store::hearings::party_presence(&mut tx, &hearing.id).await?;
            held.push(hearing.for_the_gate(presence));
        }
        if closing_gate::check(case, &held, now).is_err() {
            unheard.push(case.id.clone());
        }
    }
    Ok(unheard)
}

fn row(case: &Case, hearing_required: bool) -> Row {
    let who = [case.applicant.unit.as_deref(), Some(case.applicant.name.as_str()), case.applicant.mobile.as_deref()];
    Row {
        number: case.number.to_string(),
        subject: case.subject.clone(),
        who: who.into_iter().flatten().find(|w| !w.is_empty()).unwrap_or_default().to_owned(),
        district: Some(case.district.clone()).filter(|d| !d.is_empty()),
        state: Some(case.state.clone()).filter(|s| !s.is_empty()),
        status: case.status.code().to_owned(),
        due: match (case.status, case.attended_at) {
            (Status::Closed, _) => None,
            (_, None) => Some(Due::Attend(case.attend_by.millis())),
            (_, Some(_)) if hearing_required => Some(Due::Hearing(case.conclude_by.millis())),
            (_, Some(_)) => Some(Due::Conclude(case.conclude_by.millis())),
        },
        hearing_required,
        has_sound: case.channel == Channel::Telephone,
    }
}
