//! Who may do what, as one table: role × act, each cell saying on which cases. Code and tests read the same table.

use super::case::Case;
use crate::id::{AccountId, DeskId};
use serde::{Deserialize, Serialize};

/// The role of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Deals with the cases of a desk.
    Officer,
    /// Answers for a desk.
    Head,
    /// Coordinates a control room.
    Room,
    /// The Secretary's office.
    Secretary,
    /// Keeps accounts and rules; sees no case.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Officer, Self::Head, Self::Room, Self::Secretary, Self::Admin];

    /// The name in stored data and the interface.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Head => "head",
            Self::Room => "room",
            Self::Secretary => "secretary",
            Self::Admin => "admin",
        }
    }

    /// Reads the stored name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.code() == code)
    }
}

/// Somebody signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The account.
    pub account: AccountId,
    /// Name as shown.
    pub name: String,
    /// Role.
    pub role: Role,
    /// The desk of an officer or a head.
    pub desk: Option<DeskId>,
    /// Code of a coordinator's control room.
    pub control_room: Option<String>,
    /// State of that control room.
    pub state: Option<String>,
}

/// Something one may want to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// File a case for somebody.
    File,
    /// Read a case, its history and files.
    Read,
    /// Attend, reply, interim reply.
    Work,
    /// Hand a case on.
    Transfer,
    /// Decide and close.
    Decide,
    /// Open again or appeal on the unit's behalf.
    Reopen,
    /// Fix and conduct a hearing.
    Hear,
    /// Join a hearing as coordinator.
    Assist,
    /// Read the review's figures.
    Review,
    /// Keep accounts, desks and rules.
    Administer,
}

impl Act {
    /// Every act.
    pub const ALL: [Self; 10] = [
        Self::File,
        Self::Read,
        Self::Work,
        Self::Transfer,
        Self::Decide,
        Self::Reopen,
        Self::Hear,
        Self::Assist,
        Self::Review,
        Self::Administer,
    ];
}

/// On which cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// None.
    Never,
    /// Those at one's own desk or assigned to oneself.
    OwnDesk,
    /// Those of the control room's state.
    OwnState,
    /// All.
    All,
}

/// The table.
#[must_use]
pub const fn scope(role: Role, act: Act) -> Scope {
    match (role, act) {
        (Role::Secretary, Act::Administer) => Scope::Never,
        (Role::Secretary, _) => Scope::All,

        (Role::Officer | Role::Head, Act::File) => Scope::All,
        (
            Role::Officer | Role::Head,
            Act::Read | Act::Work | Act::Transfer | Act::Decide | Act::Reopen | Act::Hear | Act::Assist,
        ) => Scope::OwnDesk,
        (Role::Head, Act::Review) => Scope::All,
        (Role::Officer, Act::Review) | (Role::Officer | Role::Head, Act::Administer) => Scope::Never,

        (Role::Room, Act::File) => Scope::All,
        (Role::Room, Act::Read | Act::Assist | Act::Reopen) => Scope::OwnState,
        (Role::Room, Act::Work | Act::Transfer | Act::Decide | Act::Hear | Act::Review | Act::Administer) => {
            Scope::Never
        }

        (Role::Admin, Act::Administer) => Scope::All,
        (
            Role::Admin,
            Act::File
            | Act::Read
            | Act::Work
            | Act::Transfer
            | Act::Decide
            | Act::Reopen
            | Act::Hear
            | Act::Assist
            | Act::Review,
        ) => Scope::Never,
    }
}

impl Actor {
    /// Whether this person may do this to this case.
    #[must_use]
    pub fn may(&self, act: Act, case: &Case) -> bool {
        match scope(self.role, act) {
            Scope::Never => false,
            Scope::All => true,
            Scope::OwnDesk => {
                case.assignee.as_ref() == Some(&self.account) || (self.desk.is_some() && case.desk == self.desk)
            }
            Scope::OwnState => self.state.as_deref().is_some_and(|s| s == case.state),
        }
    }

    /// Whether this person may do this at all, on some case or none.
    #[must_use]
    pub fn may_ever(&self, act: Act) -> bool {
        scope(self.role, act) != Scope::Never
    }
}
