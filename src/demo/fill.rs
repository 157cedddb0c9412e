//! Fills an empty database with the demo world. Sample cases go through the same use cases as real ones, at the moments
//! that the world says, so that their histories, clocks and notices are true to the rules.

use anyhow::Context as _;
use std::collections::HashMap;

use super::world::{Sample, World};
use crate::domain::case::{Case, Channel, Command, Grounds, Outcome};
use crate::domain::party::{Applicant, ApplicantKind};
use crate::domain::policy::Role;
use crate::id::{AccountId, DeskId};
use crate::service::filing::{self, Filing};
use crate::service::reference::{self, Tables};
use crate::service::{Hub, casework, sign_in};
use crate::store::Tx;
use crate::store::cases::Author;
use crate::store::people::{self, Account};
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
    let tables =
        Tables { control_rooms: world.control_rooms.clone(), desks: world.desks.clone(), rules: world.rules.clone() };
    let desks = reference::store_desks(&mut tx, &tables, now).await?;
    staff(&mut tx, &world, &desks, now).await?;
    reference::store_rules(&mut tx, &tables, &desks, now).await?;
    let mut samples: Vec<&Sample> = world.samples.iter().collect();
    samples.sort_by_key(|s| std::cmp::Reverse(s.age_hours));
    for sample in samples {
        case(&mut tx, hub, sample, now).await.with_context(|| format!("sample case: {}", sample.text))?;
    }
    tx.commit().await?;
    Ok(accounts)
}

async fn staff(tx: &mut Tx, world: &World, desks: &HashMap<String, DeskId>, now: Timestamp) -> anyhow::Result<()> {
    let password_hash = sign_in::hash_password(PASSWORD)?;
    for a in &world.accounts {
        let account = Account {
            id: AccountId::generate(now.millis()),
            username: a.username.clone(),
            name: a.name.clone(),
            role: Role::from_code(&a.role).with_context(|| format!("no such role: {}", a.role))?,
            desk: a.desk.as_ref().and_then(|code| desks.get(code)).cloned(),
            control_room: a.control_room.clone(),
            email: Some(a.email.clone()),
            mobile: None,
            password_hash: password_hash.clone(),
            active: true,
        };
        people::insert(tx, &account, now).await?;
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
