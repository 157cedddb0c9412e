//! Reference data: subjects, control rooms, desks and routing rules, loaded from tables (CSV with a header; lines that
//! begin with `#` are comments). Loading again brings what is there up to date by its code; rules are replaced as a whole.

use anyhow::Context as _;
use serde::{Deserialize, de::DeserializeOwned};
use std::collections::HashMap;
use std::path::Path;

use crate::domain::routing;
use crate::id::{DeskId, RuleId};
use crate::insight::state::StateCode;
use crate::insight::subject::{self, SubjectCode};
use crate::store::{Tx, desks, people};
use crate::time::Timestamp;

/// A control room.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ControlRoom {
    /// Three capital letters.
    pub code: String,
    /// Its city.
    pub city: String,
    /// Its state.
    #[serde(rename = "state_code")]
    pub state: StateCode,
}

/// A branch, bureau, office or outside body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Desk {
    /// Short code.
    pub code: String,
    /// `branch`, `bureau`, `office`, `external` or `triage`.
    pub kind: String,
    /// Name in English.
    pub english: String,
    /// Name in Hindi.
    pub hindi: String,
}

/// A routing rule. What is empty fits everything.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Rule {
    /// Smaller comes first.
    pub priority: i64,
    /// Series letters.
    pub series: Option<String>,
    /// Subject.
    pub subject: Option<SubjectCode>,
    /// State.
    pub state: Option<StateCode>,
    /// Code of the desk that takes it.
    pub desk: String,
    /// Username of the person responsible; the desk's own order decides when empty.
    pub officer: Option<String>,
}

/// The tables.
#[derive(Debug, Clone)]
pub struct Tables {
    /// `control-rooms.csv`: code, city, `state_code`.
    pub control_rooms: Vec<ControlRoom>,
    /// `desks.csv`: code, kind, english, hindi.
    pub desks: Vec<Desk>,
    /// `rules.csv`: priority, series, subject, state, desk, officer.
    pub rules: Vec<Rule>,
}

impl Tables {
    /// Reads the tables of a folder.
    ///
    /// # Errors
    /// Which file is missing or which line is wrong.
    pub fn of_folder(folder: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            control_rooms: file(folder, "control-rooms.csv")?,
            desks: file(folder, "desks.csv")?,
            rules: file(folder, "rules.csv")?,
        })
    }
}

fn file<T: DeserializeOwned>(folder: &Path, name: &str) -> anyhow::Result<Vec<T>> {
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    rows(&text).with_context(|| format!("{} is not as it should be", path.display()))
}

/// Reads a table.
///
/// # Errors
/// Which line is wrong.
pub fn rows<T: DeserializeOwned>(table: &str) -> Result<Vec<T>, csv::Error> {
    csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(table.as_bytes()).deserialize().collect()
}

/// Stores subjects, control rooms and desks; answers the desks by code.
///
/// # Errors
/// What the database says.
pub async fn store_desks(tx: &mut Tx, tables: &Tables, now: Timestamp) -> anyhow::Result<HashMap<String, DeskId>> {
    for (position, subject) in (1..).zip(subject::subjects()) {
        let subject = desks::Subject {
            code: subject.code.as_str().to_owned(),
            position,
            name_en: subject.english.clone(),
            name_hi: subject.hindi.clone(),
        };
        desks::put_subject(tx, &subject).await?;
    }
    for room in &tables.control_rooms {
        let state = room.state.as_str().to_owned();
        desks::put_room(tx, &desks::ControlRoom { code: room.code.clone(), city: room.city.clone(), state }).await?;
    }
    for desk in &tables.desks {
        let desk = desks::Desk {
            id: DeskId::generate(now.millis()),
            code: desk.code.clone(),
            name_en: desk.english.clone(),
            name_hi: desk.hindi.clone(),
            kind: desk.kind.clone(),
        };
        desks::put_desk(tx, &desk).await?;
    }
    Ok(desks::desks(tx).await?.into_iter().map(|d| (d.code, d.id)).collect())
}

/// Replaces the routing rules. Desks and the people that rules name must be there.
///
/// # Errors
/// Which desk or person is missing, or what the database says.
pub async fn store_rules(
    tx: &mut Tx,
    tables: &Tables,
    by_code: &HashMap<String, DeskId>,
    now: Timestamp,
) -> anyhow::Result<()> {
    let everybody = people::all(tx).await?;
    desks::clear_rules(tx).await?;
    for r in &tables.rules {
        let officer = r.officer.as_ref().map(|name| {
            let found = everybody.iter().find(|a| a.username == *name);
            found.map(|a| a.id.clone()).with_context(|| format!("a rule names {name}, who has no account"))
        });
        let rule = routing::Rule {
            priority: r.priority,
            series: r.series.clone(),
            subject: r.subject.map(|s| s.as_str().to_owned()),
            state: r.state.map(|s| s.as_str().to_owned()),
            desk: by_code
                .get(&r.desk)
                .cloned()
                .with_context(|| format!("a rule names the desk {}, which is not there", r.desk))?,
            assignee: officer.transpose()?,
        };
        desks::insert_rule(tx, RuleId::generate(now.millis()).as_str(), &rule).await?;
    }
    Ok(())
}
