//! Fills an empty database with the demo world. Sample cases go through the same use cases as real ones, at the moments
//! that the world says, so that their histories, clocks and notices are true to the rules.

use anyhow::Context as _;
use std::collections::HashMap;

use super::world::{Sample, World};
use crate::domain::case::{Case, Channel, Command, Grounds, Outcome};
use crate::domain::party::{Applicant, ApplicantKind};
use crate::domain::policy::Role;
use crate::domain::routing::Rule;
use crate::id::{AccountId, DeskId};
use crate::service::filing::{self, Filing};
use crate::service::{Hub, casework, sign_in};
use crate::store::cases::Author;
use crate::store::people::{self, Account};
use crate::store::{Tx, desks};
use crate::time::Timestamp;

/// The password of every account of the demo, which listens on loopback alone.
pub const PASSWORD: &str = "champions-demo";

/// Somebody who can sign in to the demo.
#[derive(Debug, Clone, serde::Serialize)]
pub struct DemoAccount {
    /// Name to sign in with.
    pub username: String,
    /// Password.
    pub password: String,
    /// Role.
    pub role: String,
    /// Name as shown.
    pub name: String,
}

/// Fills the database unless somebody has an account in it already. Answers the accounts of the demo.
///
/// # Errors
/// When the tables or the database do not take it.
pub async fn fill(hub: &Hub) -> anyhow::Result<Vec<DemoAccount>> {
    let world = World::load()?;
    let accounts = world
        .accounts
        .iter()
        .map(|a| DemoAccount {
            username: a.username.clone(),
            password: PASSWORD.to_owned(),
            role: a.role.clone(),
            name: a.name.clone(),
        })
        .collect();
    let mut tx = hub.store.write().await?;
    if people::count(&mut tx).await? > 0 {
        return Ok(accounts);
    }
    let now = hub.clock.now();
    let (desks, people) = staff(&mut tx, &world, now).await?;
    rules(&mut tx, &world, &desks, &people, now).await?;
    let mut samples: Vec<&Sample> = world.samples.iter().collect();
    samples.sort_by_key(|s| std::cmp::Reverse(s.age_hours));
    for sample in samples {
        case(&mut tx, hub, sample, now).await.with_context(|| format!("sample case: {}", sample.text))?;
    }
    tx.commit().await?;
    Ok(accounts)
}

type Ids<T> = HashMap<String, T>;

async fn staff(tx: &mut Tx, world: &World, now: Timestamp) -> anyhow::Result<(Ids<DeskId>, Ids<AccountId>)> {
    for room in &world.control_rooms {
        let room = desks::ControlRoom {
            code: room.code.clone(),
            city: room.city.clone(),
            state: room.state.as_str().to_owned(),
        };
        desks::insert_room(tx, &room).await?;
    }
    for (position, subject) in (1..).zip(world.subjects) {
        let subject = desks::Subject {
            code: subject.code.as_str().to_owned(),
            position,
            name_en: subject.english.clone(),
            name_hi: subject.hindi.clone(),
        };
        desks::insert_subject(tx, &subject).await?;
    }
    let mut desk_ids = HashMap::new();
    for desk in &world.desks {
        let id = DeskId::generate(now.millis());
        desk_ids.insert(desk.code.clone(), id.clone());
        let desk = desks::Desk {
            id,
            code: desk.code.clone(),
            name_en: desk.english.clone(),
            name_hi: desk.hindi.clone(),
            kind: desk.kind.clone(),
        };
        desks::insert_desk(tx, &desk).await?;
    }
    let password_hash = sign_in::hash_password(PASSWORD)?;
    let mut account_ids = HashMap::new();
    for a in &world.accounts {
        let id = AccountId::generate(now.millis());
        account_ids.insert(a.username.clone(), id.clone());
        let account = Account {
            id,
            username: a.username.clone(),
            name: a.name.clone(),
            role: Role::from_code(&a.role).with_context(|| format!("no such role: {}", a.role))?,
            desk: a.desk.as_ref().and_then(|code| desk_ids.get(code)).cloned(),
            control_room: a.control_room.clone(),
            email: Some(a.email.clone()),
            mobile: None,
            password_hash: password_hash.clone(),
            active: true,
        };
        people::insert(tx, &account, now).await?;
    }
    Ok((desk_ids, account_ids))
}

async fn rules(
    tx: &mut Tx,
    world: &World,
    desks: &Ids<DeskId>,
    people: &Ids<AccountId>,
    now: Timestamp,
) -> anyhow::Result<()> {
    for r in &world.rules {
        let rule = Rule {
            priority: r.priority,
            series: r.series.clone(),
            subject: r.subject.map(|s| s.as_str().to_owned()),
            state: r.state.map(|s| s.as_str().to_owned()),
            desk: desks.get(&r.desk).cloned().with_context(|| format!("no such desk: {}", r.desk))?,
            assignee: r.officer.as_ref().and_then(|o| people.get(o)).cloned(),
        };
        let id = crate::id::JobId::generate(now.millis());
        desks::insert_rule(tx, id.as_str(), &rule).await?;
    }
    Ok(())
}

async fn case(tx: &mut Tx, hub: &Hub, sample: &Sample, now: Timestamp) -> anyhow::Result<()> {
    let hours = |h: u32| i64::from(h) * 3_600_000;
    let filed_at = now.plus_millis(-hours(sample.age_hours));
    let filing = Filing {
        series: sample.series.parse()?,
        channel: Channel::from_code(&sample.channel).unwrap_or(Channel::Web),
        text: sample.text.clone(),
        language: Some(sample.language.clone()),
        applicant: Applicant {
            kind: ApplicantKind::from_code(&sample.kind).unwrap_or_default(),
            name: sample.name.clone(),
            mobile: Some(sample.mobile.clone()),
            email: sample.email.clone(),
            unit: sample.unit.clone(),
            udyam: sample.udyam.clone(),
            state: sample.state.map(|s| s.as_str().to_owned()),
            district: sample.district.clone(),
        },
        subject: Some(sample.subject.as_str().to_owned()),
        attachments: Vec::new(),
        author: Author { id: None, name: sample.name.clone(), role: "party".to_owned() },
    };
    let case = filing::file_in(tx, hub, filing, filed_at).await?;
    let by = officer(tx, &case).await?;
    let mut steps: Vec<(Option<u32>, Command)> =
        vec![(sample.attended_hours, Command::Attend { note: sample.note.clone() })];
    if let Some(outcome) = sample.outcome.as_deref().and_then(Outcome::from_code) {
        let has = |name: &str| sample.grounds.iter().any(|g| g == name);
        let grounds = Grounds {
            humanitarian: has("humanitarian"),
            injustice: has("injustice"),
            harassment: has("harassment"),
            undue_delay: has("undue_delay"),
        };
        steps.push((sample.decided_hours, Command::Decide { outcome, reasons: sample.reasons.clone(), grounds }));
        steps.push((sample.closed_hours, Command::Close { text: sample.reasons.clone() }));
    }
    let mut case = case;
    for (at, command) in steps {
        let Some(at) = at else { break };
        case = casework::apply(tx, hub, case, command, &by, filed_at.plus_millis(hours(at))).await?;
    }
    Ok(())
}

async fn officer(tx: &mut Tx, case: &Case) -> anyhow::Result<Author> {
    let account = match &case.assignee {
        Some(id) => people::by_id(tx, id.as_str()).await?,
        None => None,
    };
    Ok(account.map_or_else(crate::service::system, |a| Author {
        id: Some(a.id.into()),
        name: a.name,
        role: a.role.code().to_owned(),
    }))
}
