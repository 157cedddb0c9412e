//! What officers do with a case: attend, reply, transfer, decide, close. And what follows from it for the unit.

use super::error::Check;
use super::notices::Post;
use super::{Hub, ServiceError, author};
use crate::domain::calendar::Timestamp;
use crate::domain::case::{Case, CaseEvent, Command, Grounds, Outcome, decide};
use crate::domain::number::CaseNumber;
use crate::domain::policy::{Act, Actor, Role};
use crate::domain::refusal::Refusal;
use crate::id::{AccountId, DeskId};
use crate::store::cases::{self, Author};
use crate::store::hearings as hearing_store;
use crate::store::{Tx, desks, people};

/// The longest letter, note or reason, in characters.
const LONGEST_WORDS: usize = 20_000;

/// What a person wants to do with a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseAction {
    /// Take it up.
    Attend { note: String },
    /// Write to the unit.
    Reply { text: String },
    /// Hand it to a desk (its code) or a person (username); `subject` puts the subject right.
    Transfer { to: String, reason: String, subject: Option<String> },
    /// Say why it takes longer and until when.
    InterimReply { text: String, expected_at: Timestamp },
    /// Decide. `grounds` is required for a decision against the unit.
    Decide { outcome: Outcome, reasons: String, grounds: Option<Grounds> },
    /// Conclude.
    Close { text: String },
    /// Open again.
    Reopen { reason: String },
    /// Bring it to the next senior.
    Appeal { reason: String },
}

impl CaseAction {
    const fn needs(&self) -> Act {
        match self {
            Self::Attend { .. } | Self::Reply { .. } | Self::InterimReply { .. } => Act::Work,
            Self::Transfer { .. } => Act::Transfer,
            Self::Decide { .. } | Self::Close { .. } => Act::Decide,
            Self::Reopen { .. } | Self::Appeal { .. } => Act::Reopen,
        }
    }

    fn check(&self, now: Timestamp) -> Result<(), ServiceError> {
        let mut check = Check::default();
        let words = |text: &str| !text.trim().is_empty();
        let short = |text: &str| text.chars().count() <= LONGEST_WORDS;
        match self {
            Self::Attend { note } => check.that(short(note), "note", "error-long"),
            Self::Reply { text } | Self::Close { text } => {
                check.that(words(text), "text", "error-words-missing").that(short(text), "text", "error-long")
            }
            Self::InterimReply { text, expected_at } => check
                .that(words(text), "text", "error-words-missing")
                .that(short(text), "text", "error-long")
                .that(*expected_at > now, "expected_at", "error-date-past"),
            Self::Transfer { to, reason, subject: _ } => check
                .that(words(to), "to", "error-to-missing")
                .that(words(reason), "reason", "error-reason-missing")
                .that(short(reason), "reason", "error-long"),
            Self::Decide { outcome, reasons, grounds } => check
                .that(words(reasons), "reasons", "error-reasons-missing")
                .that(short(reasons), "reasons", "error-long")
                .that(!outcome.is_against_the_unit() || grounds.is_some(), "grounds", "error-grounds-missing"),
            Self::Reopen { reason } | Self::Appeal { reason } => {
                check.that(words(reason), "reason", "error-reason-missing").that(short(reason), "reason", "error-long")
            }
        }
        .done()
    }
}

/// A case as a person may see it.
///
/// # Errors
/// [`ServiceError::NotFound`] also where the person may not read it: a number gives nothing away.
pub async fn read(hub: &Hub, actor: &Actor, number: CaseNumber) -> Result<Case, ServiceError> {
    let mut tx = hub.store.read().await?;
    readable(&mut tx, actor, number).await
}

pub(super) async fn readable(tx: &mut Tx, actor: &Actor, number: CaseNumber) -> Result<Case, ServiceError> {
    let case = cases::by_number(tx, number).await?.ok_or(ServiceError::NotFound)?;
    if actor.may(Act::Read, &case) { Ok(case) } else { Err(ServiceError::NotFound) }
}

/// Takes a step with a case.
///
/// # Errors
/// Not found, not permitted, refused by a rule, or fields that are wrong; then nothing changed.
pub async fn act(hub: &Hub, actor: &Actor, number: CaseNumber, action: CaseAction) -> Result<Case, ServiceError> {
    let now = hub.clock.now();
    let mut tx = hub.store.write().await?;
    let case = readable(&mut tx, actor, number).await?;
    if !actor.may(action.needs(), &case) {
        return Err(ServiceError::Forbidden);
    }
    action.check(now)?;
    let command = command(&mut tx, &case, action).await?;
    let case = apply(&mut tx, hub, case, command, &author(actor), now).await?;
    tx.commit().await?;
    Ok(case)
}

/// Takes a step inside a transaction: decide, store, keep the history, tell whom it concerns.
pub(crate) async fn apply(
    tx: &mut Tx,
    hub: &Hub,
    case: Case,
    command: Command,
    by: &Author,
    now: Timestamp,
) -> Result<Case, ServiceError> {
    let mut heard = Vec::new();
    for hearing in hearing_store::of_case(tx, &case.id).await? {
        let presence = hearing_store::party_presence(tx, &hearing.id).await?;
        heard.push(hearing.for_the_gate(presence));
    }
    let (case, event) = decide(case, command, &heard, now)?;
    cases::update(tx, &case).await?;
    cases::append(tx, &case.id, case.version, now, by, &event).await?;
    let mut post = Post { tx, links: &hub.links, now };
    post.news(&case, &event).await?;
    if matches!(event, CaseEvent::Transferred { .. } | CaseEvent::Appealed { .. } | CaseEvent::Reopened { .. }) {
        post.assigned(&case).await?;
    }
    Ok(case)
}

async fn command(tx: &mut Tx, case: &Case, action: CaseAction) -> Result<Command, ServiceError> {
    Ok(match action {
        CaseAction::Attend { note } => Command::Attend { note },
        CaseAction::Reply { text } => Command::Reply { text },
        CaseAction::InterimReply { text, expected_at } => Command::InterimReply { text, expected_at },
        CaseAction::Decide { outcome, reasons, grounds } => {
            Command::Decide { outcome, reasons, grounds: grounds.unwrap_or_default() }
        }
        CaseAction::Close { text } => Command::Close { text },
        CaseAction::Reopen { reason } => Command::Reopen { reason },
        CaseAction::Transfer { to, reason, subject } => {
            let known = desks::subjects(tx).await?;
            Check::default()
                .that(subject.as_ref().is_none_or(|s| known.iter().any(|k| k.code == *s)), "subject", "error-subject")
                .done()?;
            let (desk, assignee) = destination(tx, &to).await?;
            Command::Transfer { desk, assignee, reason, subject }
        }
        CaseAction::Appeal { reason } => {
            let (desk, assignee) = next_senior(tx, case).await?;
            Command::Appeal { reason, desk, assignee }
        }
    })
}

/// A desk by its code or identifier, or a person by username.
async fn destination(tx: &mut Tx, to: &str) -> Result<(DeskId, Option<AccountId>), ServiceError> {
    let to = to.trim();
    let unknown =
        || Check::default().that(false, "to", "error-to-unknown").done().err().unwrap_or(ServiceError::NotFound);
    if let Some(desk) = desks::desks(tx).await?.into_iter().find(|d| d.code == to || d.id.as_str() == to) {
        let officer = people::officer_of_desk(tx, desk.id.as_str()).await?;
        return Ok((desk.id, officer.map(|a| a.id)));
    }
    let account = people::by_username(tx, &to.to_lowercase()).await?.ok_or_else(unknown)?;
    let desk = account.desk.clone().ok_or_else(unknown)?;
    Ok((desk, Some(account.id)))
}

/// The head of the desk; above the head the Secretary's office, which takes the case without moving it from its desk.
async fn next_senior(tx: &mut Tx, case: &Case) -> Result<(DeskId, Option<AccountId>), ServiceError> {
    let desk = case.desk.clone().ok_or(ServiceError::Refused(Refusal::NotClosed))?;
    let head = people::head_of_desk(tx, desk.as_str()).await?;
    let senior = match head {
        Some(head) if case.assignee.as_ref() != Some(&head.id) => Some(head),
        _ => people::of_role(tx, Role::Secretary).await?.into_iter().next(),
    };
    Ok((desk, senior.map(|a| a.id)))
}
