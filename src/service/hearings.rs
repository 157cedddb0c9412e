//! Hearings: fixing one, conducting it, and writing down what came of it. The rules stand in `domain::hearing`; the media
//! room follows what is decided here.

use super::error::Check;
use super::notices::Post;
use super::once::{self, Once};
use super::{Hub, ServiceError, author, casework, lines, rooms};
use crate::domain::case::{Case, Command};
use crate::domain::hearing::{Finding, Hearing, HearingCommand, HearingEvent, Medium, Phase, decide};
use crate::domain::line::Spell;
use crate::domain::number::CaseNumber;
use crate::domain::policy::{Act, Actor};
use crate::domain::presence::Presence;
use crate::domain::refusal::Refusal;
use crate::id::HearingId;
use crate::store::cases::{self, Author, HistoryLine};
use crate::store::hearings::{self as store, LedgerLine};
use crate::store::recordings::{self, Recording};
use crate::store::{Tx, desks};
use crate::time::Timestamp;

/// A hearing may be fixed for a moment that has just passed: "now" on a slow page.
const GRACE_MILLIS: i64 = 10 * 60_000;
const LONGEST_WORDS: usize = 50_000;
const MOST_FINDINGS: usize = 100;
/// An event of a room is in the ledger within a second, or the database is in trouble.
const LOOKS_FOR_A_KNOCK: u32 = 20;
const BETWEEN_LOOKS: std::time::Duration = std::time::Duration::from_millis(50);

/// A hearing to be fixed.
#[derive(Debug, Clone)]
pub struct Fixing {
    /// Means.
    pub medium: Medium,
    /// When.
    pub starts_at: Timestamp,
    /// Code of the control room; for video at a control room the state's own when left out.
    pub control_room: Option<String>,
}

/// What somebody wants to do in a hearing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HearingAction {
    /// A step of the hearing's life.
    Step(HearingCommand),
    /// Let somebody in.
    Admit { member: String },
    /// Ask somebody to wait outside again.
    SendBack { member: String },
    /// Switch somebody's microphone off.
    Mute { member: String },
}

/// A hearing with all that belongs to it.
#[derive(Debug)]
pub struct HearingFile {
    /// The hearing.
    pub hearing: Hearing,
    /// Its case.
    pub case: Case,
    /// Its log.
    pub log: Vec<HistoryLine<HearingEvent>>,
    /// Its ledger of presence.
    pub ledger: Vec<LedgerLine>,
    /// When whose line was in trouble.
    pub lines: Vec<Spell>,
    /// Its recordings.
    pub recordings: Vec<Recording>,
    /// Whether the unit was heard, so far as ledger and log say.
    pub party_heard: bool,
}

/// Fixes a hearing and tells everybody concerned.
///
/// # Errors
/// Not found, not permitted, refused by a rule, or fields that are wrong.
pub async fn fix(
    hub: &Hub,
    actor: &Actor,
    number: CaseNumber,
    fixing: Fixing,
    once: Option<&Once>,
) -> Result<Hearing, ServiceError> {
    match fix_once(hub, actor, number, fixing.clone(), once).await {
        Err(error) if once::may_be_done_elsewhere(&error, once) => fix_once(hub, actor, number, fixing, once).await,
        outcome => outcome,
    }
}

async fn fix_once(
    hub: &Hub,
    actor: &Actor,
    number: CaseNumber,
    fixing: Fixing,
    key: Option<&Once>,
) -> Result<Hearing, ServiceError> {
    let now = hub.clock.now();
    let mut tx = hub.store.write().await?;
    if let Some(id) = once::seen(&mut tx, key).await? {
        let id = id.parse().map_err(|_| ServiceError::NotFound)?;
        return store::by_id(&mut tx, &id).await?.ok_or(ServiceError::NotFound);
    }
    let case = casework::readable(&mut tx, actor, number).await?;
    if !actor.may(Act::Hear, &case) {
        return Err(ServiceError::Forbidden);
    }
    let rooms = desks::rooms(&mut tx).await?;
    let said = fixing.control_room.filter(|c| !c.trim().is_empty()).map(|c| c.trim().to_uppercase());
    let known = said.as_ref().is_none_or(|code| rooms.iter().any(|r| r.code == *code));
    let of_state = || rooms.iter().find(|r| r.state == case.state).map(|r| r.code.clone());
    let needed = fixing.medium == Medium::ControlRoom;
    let control_room = said.or_else(|| if needed { of_state() } else { None });
    Check::default()
        .that(known, "control_room", "error-control-room")
        .that(!needed || control_room.is_some(), "control_room", "error-control-room-missing")
        .that(fixing.starts_at >= now.plus_millis(-GRACE_MILLIS), "starts_at", "error-date-past")
        .done()?;

    let id = HearingId::generate(now.millis());
    let hearing = Hearing::fix(id.clone(), case.id.clone(), fixing.medium, fixing.starts_at, control_room);
    let by = author(actor);
    store::insert(&mut tx, &hearing).await?;
    let event = HearingEvent::Fixed { medium: hearing.medium, starts_at: hearing.starts_at };
    store::append(&mut tx, &id, 0, now, &by, &event).await?;
    let command = Command::FixHearing { hearing: id, starts_at: hearing.starts_at };
    let case = casework::apply(&mut tx, hub, case, command, &by, now).await?;
    Post { tx: &mut tx, links: &hub.links, now }.hearing_fixed(&case, &hearing, &actor.name).await?;
    once::keep(&mut tx, key, hearing.id.as_str(), now).await?;
    tx.commit().await?;
    Ok(hearing)
}

/// A hearing with its file, for somebody who may read the case.
///
/// # Errors
/// [`ServiceError::NotFound`] also where the person may not read it.
pub async fn read(hub: &Hub, actor: &Actor, id: &HearingId) -> Result<HearingFile, ServiceError> {
    let file = open(hub, id).await?;
    if actor.may(Act::Read, &file.case) { Ok(file) } else { Err(ServiceError::NotFound) }
}

/// A hearing with its file, for somebody whose permission was checked otherwise, such as the holder of its link.
///
/// # Errors
/// [`ServiceError::NotFound`] when there is none.
pub async fn open(hub: &Hub, id: &HearingId) -> Result<HearingFile, ServiceError> {
    let mut tx = hub.store.read().await?;
    let (hearing, case) = load(&mut tx, id).await?;
    let presence = store::party_presence(&mut tx, id).await?;
    let ledger = store::ledger(&mut tx, id).await?;
    Ok(HearingFile {
        log: store::log(&mut tx, id).await?,
        lines: lines::of_hearing(&mut tx, &hearing, &ledger, hub.clock.now()).await?,
        ledger,
        recordings: recordings::of_hearing(&mut tx, id).await?,
        party_heard: hearing.was_party_heard(presence),
        hearing,
        case,
    })
}

/// Does something in a hearing.
///
/// # Errors
/// Not found, not permitted, refused by a rule, fields that are wrong, or a recording that cannot begin.
pub async fn act(hub: &Hub, actor: &Actor, id: &HearingId, action: HearingAction) -> Result<Hearing, ServiceError> {
    let (hearing, case) = {
        let mut tx = hub.store.read().await?;
        load(&mut tx, id).await?
    };
    if !actor.may(Act::Read, &case) {
        return Err(ServiceError::NotFound);
    }
    if !actor.may(Act::Hear, &case) {
        return Err(ServiceError::Forbidden);
    }
    match action {
        HearingAction::Step(command) => {
            check(&command)?;
            step(hub, id, command, &author(actor)).await
        }
        HearingAction::Admit { member } => admit(hub, &hearing, &member).await.map(|()| hearing),
        HearingAction::SendBack { member } => rooms::send_back(hub, &hearing.room, &member).await.map(|()| hearing),
        HearingAction::Mute { member } => rooms::mute(hub, &hearing.room, &member).await.map(|()| hearing),
    }
}

/// Takes a step that the hub itself takes, such as noting that a notice went out.
///
/// # Errors
/// As [`act`].
pub async fn by_the_hub(hub: &Hub, id: &HearingId, command: HearingCommand) -> Result<(), ServiceError> {
    step(hub, id, command, &super::system()).await.map(|_| ())
}

/// Takes a step of a hearing's life. The recording begins, or goes on, before the step is stored; everything else in the room follows it.
pub(super) async fn step(
    hub: &Hub,
    id: &HearingId,
    command: HearingCommand,
    by: &Author,
) -> Result<Hearing, ServiceError> {
    let now = hub.clock.now();
    let mut tx = hub.store.write().await?;
    let (hearing, case) = load(&mut tx, id).await?;
    let presence = store::party_presence(&mut tx, id).await?;
    let before = hearing.phase;
    let (hearing, event) = decide(hearing, command, presence, now)?;
    store::update(&mut tx, &hearing).await?;
    store::append(&mut tx, id, hearing.version, now, by, &event).await?;
    let began = before == Phase::NotStarted && hearing.phase == Phase::InSession;
    if began {
        rooms::begin(hub, &mut tx, &hearing, &case, now).await?;
    }
    let resumed = before == Phase::Paused && hearing.phase == Phase::InSession;
    if resumed {
        rooms::resume(hub, &hearing).await?;
    }
    match tx.commit().await {
        Ok(()) => {}
        Err(error) => {
            if began {
                rooms::stop_recording(hub, &hearing.room).await;
            }
            if resumed {
                rooms::pause(hub, &hearing).await;
            }
            return Err(error.into());
        }
    }
    if hearing.phase != before {
        rooms::follow(hub, &hearing).await;
    }
    Ok(hearing)
}

/// Lets somebody in. The line of the ledger is written here, not when the room tells of it: it proves that the unit was heard.
async fn admit(hub: &Hub, hearing: &Hearing, member: &str) -> Result<(), ServiceError> {
    if hearing.phase != Phase::InSession {
        return Err(Refusal::NotInSession.into());
    }
    let line = knock(hub, &hearing.id, member).await?.ok_or(ServiceError::Refused(Refusal::NotWaiting))?;
    let now = hub.clock.now();
    let mut tx = hub.store.write().await?;
    rooms::admit(hub, &hearing.room, member).await?;
    let line = LedgerLine { at: now, what: Presence::Admitted, phase: hearing.phase, detail: String::new(), ..line };
    rooms::write_line(&mut tx, &hearing.id, &line).await?;
    Ok(tx.commit().await?)
}

/// How somebody knocked, as the ledger tells it. The ledger follows the room by a moment, and an officer may be quicker.
async fn knock(hub: &Hub, hearing: &HearingId, member: &str) -> Result<Option<LedgerLine>, ServiceError> {
    for look in 0..LOOKS_FOR_A_KNOCK {
        if look > 0 {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        let ledger = store::ledger(&mut hub.store.read().await?, hearing).await?;
        let knock = ledger.into_iter().rev().find(|l| l.member == member && l.what == Presence::Knocked);
        if knock.is_some() {
            return Ok(knock);
        }
    }
    Ok(None)
}

/// The city of the control room that a hearing is held at, if any.
///
/// # Errors
/// When the database does not answer.
pub async fn place(hub: &Hub, hearing: &Hearing) -> Result<Option<String>, ServiceError> {
    let Some(code) = &hearing.control_room else { return Ok(None) };
    Ok(desks::room(&mut hub.store.read().await?, code).await?.map(|r| r.city))
}

pub(super) async fn load(tx: &mut Tx, id: &HearingId) -> Result<(Hearing, Case), ServiceError> {
    let hearing = store::by_id(tx, id).await?.ok_or(ServiceError::NotFound)?;
    let case = cases::by_id(tx, &hearing.case).await?.ok_or(ServiceError::NotFound)?;
    Ok((hearing, case))
}

fn check(command: &HearingCommand) -> Result<(), ServiceError> {
    let words = |text: &str| !text.trim().is_empty();
    let short = |text: &str| text.chars().count() <= LONGEST_WORDS;
    let mut check = Check::default();
    match command {
        HearingCommand::Serve { .. } | HearingCommand::Start | HearingCommand::Resume | HearingCommand::End => {
            &mut check
        }
        HearingCommand::Pause { reason } | HearingCommand::ExParte { reason } => {
            check.that(words(reason), "reason", "error-reason-missing").that(short(reason), "reason", "error-long")
        }
        HearingCommand::Attempt { channel, result } => check
            .that(words(channel), "channel", "error-channel-missing")
            .that(words(result), "result", "error-result-missing")
            .that(short(channel) && short(result), "result", "error-long"),
        HearingCommand::Record { text } => {
            check.that(words(text), "text", "error-words-missing").that(short(text), "text", "error-long")
        }
        HearingCommand::Order { findings, reasons } => check
            .that(!findings.is_empty() && findings.len() <= MOST_FINDINGS, "findings", "error-findings-missing")
            .that(
                findings
                    .iter()
                    .all(|Finding { issue, finding }| words(issue) && words(finding) && short(issue) && short(finding)),
                "findings",
                "error-finding-empty",
            )
            .that(short(reasons), "reasons", "error-long"),
    }
    .done()
}
