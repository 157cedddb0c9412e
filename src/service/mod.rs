//! The use cases: one function each, one transaction each. A function loads, lets the domain decide, and stores the
//! outcome with its history and its follow-up in the same transaction. HTTP, telephone and jobs all come through here.

pub mod casework;
pub mod error;
pub mod feeds;
pub mod files;
pub mod filing;
pub mod hearings;
mod lines;
pub mod links;
pub mod notices;
pub mod once;
pub mod recordings;
pub mod reference;
pub mod restart;
pub mod review;
pub mod rooms;
pub mod sign_in;
pub mod sounds;
pub mod sweep;
pub mod track;
pub mod turn;

pub use error::{Problem, ServiceError};

use crate::domain::policy::Actor;
use crate::store::Store;
use crate::store::cases::Author;
use crate::time::Clock;
use files::Files;
use links::Links;
use rooms::Rooms;
use std::sync::Arc;
use turn::Turn;

/// What every use case works with.
#[derive(Debug)]
pub struct Hub {
    /// The database.
    pub store: Store,
    /// The clock.
    pub clock: Arc<Clock>,
    /// Sounds, pictures, recordings.
    pub files: Files,
    /// The media rooms.
    pub rooms: Rooms,
    /// The way in for offices that let no UDP out, if there is one.
    pub turn: Option<Turn>,
    /// Signs and checks links and tokens.
    pub links: Links,
    /// Slows down those who guess passwords.
    pub throttle: sign_in::Throttle,
}

/// The hub itself as author of a step.
pub(crate) fn system() -> Author {
    Author { id: None, name: "Champions Hub".to_owned(), role: "system".to_owned() }
}

/// The unit as author of a step.
pub(crate) fn party(name: &str) -> Author {
    Author { id: None, name: name.to_owned(), role: "party".to_owned() }
}

/// Somebody signed in as author of a step.
pub(crate) fn author(actor: &Actor) -> Author {
    Author { id: Some(actor.account.as_str().to_owned()), name: actor.name.clone(), role: actor.role.code().to_owned() }
}
