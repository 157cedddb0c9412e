//! The demo world as plain data: control rooms, desks, people, routing rules and sample cases, read from the tables beside this file.
//! States and subjects are not the demo's own; they come from [`crate::insight`].
//!
//! Nothing here touches a database or a clock: ages are hours before the moment at which the world is filled.

use serde::{Deserialize, Deserializer};

use crate::service::reference::rows;
pub use crate::service::reference::{ControlRoom, Desk, Rule};

use crate::insight::{
    state::{State, StateCode, states},
    subject::{Subject, SubjectCode, subjects},
};

/// Everything that fills an empty hub.
#[derive(Debug, Clone)]
pub struct World {
    /// The 36 states and union territories.
    pub states: &'static [State],
    /// The default subjects, in order.
    pub subjects: &'static [Subject],
    /// Control rooms, in the order of the list.
    pub control_rooms: Vec<ControlRoom>,
    /// Branches, bureaux, offices, outside bodies and triage.
    pub desks: Vec<Desk>,
    /// Officers, heads, the Secretary, the administrator, and a coordinator for each control room.
    pub accounts: Vec<Account>,
    /// Routing rules.
    pub rules: Vec<Rule>,
    /// Sample cases.
    pub samples: Vec<Sample>,
}

/// Somebody who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Name to sign in with.
    pub username: String,
    /// Name as shown.
    pub name: String,
    /// `officer`, `head`, `room`, `secretary` or `admin`.
    pub role: String,
    /// Code of the desk of an officer or head.
    pub desk: Option<String>,
    /// Code of a coordinator's control room.
    pub control_room: Option<String>,
    /// Where mail reaches them.
    pub email: String,
}

/// A sample case and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sample {
    /// Series letters: `GR`, `CP`, `CO`, `IN` or `VI`.
    pub series: String,
    /// How it came in: `web`, `telephone`, `sms`, `walk_in` or `api`.
    pub channel: String,
    /// Language of the text, a BCP-47 tag.
    pub language: String,
    /// `unit_with_udyam`, `unit`, `individual` or `association`.
    pub kind: String,
    /// The person's name.
    pub name: String,
    /// The unit's name.
    pub unit: Option<String>,
    /// Udyam number.
    pub udyam: Option<String>,
    /// Mobile in E.164.
    pub mobile: String,
    /// E-mail address.
    pub email: Option<String>,
    /// State.
    pub state: Option<StateCode>,
    /// District.
    pub district: Option<String>,
    /// Subject.
    pub subject: SubjectCode,
    /// Hours from filing to now.
    pub age_hours: u32,
    /// Hours from filing to the officer's attending; `None` while nobody has.
    pub attended_hours: Option<u32>,
    /// Hours from filing to the decision.
    pub decided_hours: Option<u32>,
    /// Hours from filing to closing.
    pub closed_hours: Option<u32>,
    /// `favourable`, `partly` or `adverse`, once decided.
    pub outcome: Option<String>,
    /// The grounds that hold: `humanitarian`, `injustice`, `harassment`, `undue_delay`.
    #[serde(deserialize_with = "several")]
    pub grounds: Vec<String>,
    /// What was said.
    pub text: String,
    /// What the officer wrote on attending.
    pub note: String,
    /// Reasons of the decision.
    pub reasons: String,
}

/// How far a sample has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Received and at a desk.
    Filed,
    /// Taken up by a person.
    Attended,
    /// Decided; where the unit must be heard first, it still has to be.
    Decided,
    /// Concluded.
    Closed,
}

impl Sample {
    /// How far the case has come.
    #[must_use]
    pub const fn stage(&self) -> Stage {
        match (self.attended_hours, self.decided_hours, self.closed_hours) {
            (_, _, Some(_)) => Stage::Closed,
            (_, Some(_), None) => Stage::Decided,
            (Some(_), None, None) => Stage::Attended,
            (None, None, None) => Stage::Filed,
        }
    }
}

impl World {
    /// Reads the tables.
    ///
    /// # Errors
    /// A table that does not say what it should; the tables are part of the program, so a test would have failed first.
    pub fn load() -> Result<Self, csv::Error> {
        let control_rooms: Vec<ControlRoom> = rows(include_str!("control-rooms.csv"))?;
        let officers: Vec<Officer> = rows(include_str!("officers.csv"))?;
        let accounts =
            officers.into_iter().map(Officer::account).chain(control_rooms.iter().map(coordinator)).collect();
        Ok(Self {
            states: states(),
            subjects: subjects(),
            control_rooms,
            desks: rows(include_str!("desks.csv"))?,
            accounts,
            rules: rows(include_str!("rules.csv"))?,
            samples: rows(include_str!("samples.csv"))?,
        })
    }
}

#[derive(Deserialize)]
struct Officer {
    username: String,
    role: String,
    desk: Option<String>,
    name: String,
}

impl Officer {
    fn account(self) -> Account {
        Account {
            email: format!("{}@hub.example", self.username),
            username: self.username,
            name: self.name,
            role: self.role,
            desk: self.desk,
            control_room: None,
        }
    }
}

/// The account of a control room's coordinator: `room.mum` for the room of code MUM.
fn coordinator(room: &ControlRoom) -> Account {
    let username = format!("room.{}", room.code.to_lowercase());
    Account {
        email: format!("{username}@hub.example"),
        username,
        name: format!("Control room {}", room.city),
        role: "room".to_owned(),
        desk: None,
        control_room: Some(room.code.clone()),
    }
}

fn several<'de, D: Deserializer<'de>>(cell: D) -> Result<Vec<String>, D::Error> {
    let cell = String::deserialize(cell)?;
    Ok(cell.split('|').filter(|part| !part.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
#[path = "world_tests.rs"]
mod tests;
