//! Filing on the public page: one question a page, kept as one goes, filed once.

use axum::extract::{Form as Posted, FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use std::collections::BTreeMap;

use super::super::App;
use super::super::extract::cookie;
use super::super::views::Form;
use super::super::views::filing::{Filed, Filing as View, Step};
use super::reader::{Answer, Reader, see_other, with_cookie};
use crate::domain::case::Channel;
use crate::domain::number::Series;
use crate::domain::party::{Applicant, ApplicantKind, indian_mobile, is_email};
use crate::domain::policy::Role;
use crate::insight::state::StateCode;
use crate::service::filing::{self, Filing};
use crate::service::links::{random_token, token_hash};
use crate::service::once::Once;
use crate::service::{ServiceError, author, party};
use crate::store::{StoreError, cases, web};

const DRAFT_COOKIE: &str = "draft";
const DRAFT_SECONDS: i64 = 7 * 86_400;
/// Fields of all questions; anything else that a form sends is passed over.
const FIELDS: [&str; 11] =
    ["kind", "name", "unit", "udyam", "state", "district", "mobile", "email", "subject", "text", "language"];
/// No answer is longer; the text of the problem sets its own, smaller limit.
const LONGEST_ANSWER: usize = 20_000;

type Answers = BTreeMap<String, String>;

/// The browser's draft: the token of its cookie.
pub(super) struct Draft(Option<String>);

impl FromRequestParts<App> for Draft {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(cookie(parts, DRAFT_COOKIE).filter(|t| t.len() >= 20).map(str::to_owned)))
    }
}

pub(super) async fn begin(State(app): State<App>, reader: Reader, draft: Draft) -> Answer {
    let kept = load(&app, &draft).await.map_err(|e| reader.fail(e.into()))?;
    let first = see_other("/file/who");
    // A draft that was filed already is not to be filed again: a new one begins.
    if kept.is_some_and(|(_, case)| case.is_none()) {
        return Ok(first);
    }
    let token = random_token().map_err(|e| reader.fail(e.into()))?;
    save(&app, &token, &Answers::new()).await.map_err(|e| reader.fail(e.into()))?;
    Ok(with_cookie(first, reader.cookie(DRAFT_COOKIE, &token, "/file", DRAFT_SECONDS)))
}

pub(super) async fn question(State(app): State<App>, reader: Reader, draft: Draft, Path(step): Path<String>) -> Answer {
    let Some(step) = Step::from_code(&step) else { return Err(reader.problem(StatusCode::NOT_FOUND, None)) };
    match load(&app, &draft).await.map_err(|e| reader.fail(e.into()))? {
        Some((answers, None)) => {
            let page = reader.page();
            reader.show(&View { page, step, form: Form::from_pairs(answers) })
        }
        Some((_, Some(_))) => Ok(see_other("/file/done")),
        None => Ok(see_other("/file")),
    }
}

pub(super) async fn answer(
    State(app): State<App>,
    reader: Reader,
    draft: Draft,
    Path(step): Path<String>,
    Posted(posted): Posted<Vec<(String, String)>>,
) -> Answer {
    let Some(step) = Step::from_code(&step) else { return Err(reader.problem(StatusCode::NOT_FOUND, None)) };
    let Some((mut answers, filed)) = load(&app, &draft).await.map_err(|e| reader.fail(e.into()))? else {
        return Ok(see_other("/file"));
    };
    let Some(token) = draft.0.filter(|_| filed.is_none()) else { return Ok(see_other("/file/done")) };
    for (name, value) in posted {
        if FIELDS.contains(&name.as_str()) {
            answers.insert(name, value.chars().take(LONGEST_ANSWER).collect::<String>().trim().to_owned());
        }
    }
    save(&app, &token, &answers).await.map_err(|e| reader.fail(e.into()))?;

    let mut form = Form::from_pairs(answers.clone());
    for (field, key) in wrong(step, &answers) {
        form.refuse(field, reader.text().say(key));
    }
    if form.is_refused() {
        return reader.show_as(StatusCode::UNPROCESSABLE_ENTITY, &View { page: reader.page(), step, form });
    }
    if let Some(next) = step.after() {
        return Ok(see_other(&format!("/file/{}", next.code())));
    }
    // The last question: everything is looked at again, since one may have come here by its address.
    if let Some(earlier) = Step::ALL.into_iter().find(|s| !wrong(*s, &answers).is_empty()) {
        return Ok(see_other(&format!("/file/{}", earlier.code())));
    }
    let id = token_hash(&token);
    let once = Once { account: "draft".to_owned(), key: id.clone(), request: "file".to_owned() };
    match filing::file(&app.hub, filled(&reader, &answers), Some(&once)).await {
        Ok(case) => {
            finish(&app, &id, case.id.as_str()).await.map_err(|e| reader.fail(e.into()))?;
            Ok(see_other("/file/done"))
        }
        Err(error) => {
            if reader.refuse(&mut form, &error).is_none() {
                return Err(reader.fail(error));
            }
            reader.show_as(StatusCode::UNPROCESSABLE_ENTITY, &View { page: reader.page(), step, form })
        }
    }
}

pub(super) async fn done(State(app): State<App>, reader: Reader, draft: Draft) -> Answer {
    let Some((_, Some(case))) = load(&app, &draft).await.map_err(|e| reader.fail(e.into()))? else {
        return Ok(see_other("/file"));
    };
    let found = async {
        let id = case.parse().map_err(|_| StoreError::Corrupt { what: "draft" })?;
        cases::by_id(&mut app.hub.store.read().await?, &id).await
    };
    let case = found.await.map_err(|e| reader.fail(e.into()))?.ok_or_else(|| reader.fail(ServiceError::NotFound))?;
    let key = app.hub.links.track_key(&case.id);
    reader.show(&Filed {
        page: reader.page(),
        number: case.number.to_string(),
        mobile: case.applicant.mobile.as_deref().map(masked_number),
        email: case.applicant.email.as_deref().map(masked_mail),
        track_link: format!("/track/{}?k={key}", case.number),
        attend_by_ms: case.attend_by.millis(),
        conclude_by_ms: case.conclude_by.millis(),
    })
}

/// What is wrong with the answers to a question: field and key of the sentence.
fn wrong(step: Step, answers: &Answers) -> Vec<(&'static str, &'static str)> {
    let said = |field: &str| answers.get(field).map_or("", String::as_str);
    let kind = ApplicantKind::from_code(said("kind"));
    let is_unit = matches!(kind, Some(ApplicantKind::UnitWithUdyam | ApplicantKind::Unit | ApplicantKind::Association));
    let mut wrong = Vec::new();
    let mut that = |holds: bool, field, key| {
        if !holds {
            wrong.push((field, key));
        }
    };
    match step {
        Step::Who => {
            that(kind.is_some(), "kind", "error-kind");
            that(!said("name").is_empty(), "name", "error-name");
        }
        Step::Unit => {
            that(!is_unit || !said("unit").is_empty(), "unit", "error-unit");
            that(StateCode::parse(said("state")).is_some(), "state", "error-state");
        }
        Step::Contact => {
            that(indian_mobile(said("mobile")).is_some(), "mobile", "error-mobile");
            that(said("email").is_empty() || is_email(said("email")), "email", "error-email");
        }
        Step::Problem => {
            that(!said("text").is_empty(), "text", "error-text");
            that(said("text").chars().count() <= View::TEXT_LIMIT, "text", "error-text-long");
        }
        Step::Check => {}
    }
    wrong
}

fn filled(reader: &Reader, answers: &Answers) -> Filing {
    let said = |field: &str| answers.get(field).filter(|v| !v.is_empty()).cloned();
    let name = said("name").unwrap_or_default();
    let coordinator = reader.actor.as_ref().filter(|a| a.role == Role::Room);
    Filing {
        series: Series::Grievance,
        channel: if coordinator.is_some() { Channel::WalkIn } else { Channel::Web },
        text: said("text").unwrap_or_default(),
        language: Some(said("language").unwrap_or_else(|| reader.text().tag().to_owned())),
        author: coordinator.map_or_else(|| party(&name), author),
        applicant: Applicant {
            kind: said("kind").as_deref().and_then(ApplicantKind::from_code).unwrap_or_default(),
            name,
            mobile: said("mobile"),
            email: said("email"),
            unit: said("unit"),
            udyam: said("udyam"),
            state: said("state"),
            district: said("district"),
        },
        subject: said("subject"),
        attachments: Vec::new(),
    }
}

async fn load(app: &App, draft: &Draft) -> Result<Option<(Answers, Option<String>)>, StoreError> {
    let Some(token) = &draft.0 else { return Ok(None) };
    let mut tx = app.hub.store.read().await?;
    let kept = web::draft(&mut tx, &token_hash(token)).await?;
    Ok(kept.map(|(data, case)| (serde_json::from_str(&data).unwrap_or_default(), case)))
}

async fn save(app: &App, token: &str, answers: &Answers) -> Result<(), StoreError> {
    let data = serde_json::to_string(answers).unwrap_or_else(|_| "{}".to_owned());
    let mut tx = app.hub.store.write().await?;
    web::put_draft(&mut tx, &token_hash(token), &data, app.hub.clock.now()).await?;
    tx.commit().await
}

async fn finish(app: &App, id: &str, case: &str) -> Result<(), StoreError> {
    let mut tx = app.hub.store.write().await?;
    web::finish_draft(&mut tx, id, case).await?;
    tx.commit().await
}

/// The last four digits: enough to know one's own number by.
fn masked_number(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    let shown: String = digits.iter().skip(digits.len().saturating_sub(4)).collect();
    format!("******{shown}")
}

fn masked_mail(mail: &str) -> String {
    let (local, host) = mail.split_once('@').unwrap_or((mail, ""));
    format!("{}****@{host}", local.chars().next().unwrap_or('*'))
}
