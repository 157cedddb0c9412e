//! The actions on a case, as the forms of the desk name them.

/// What can be done with a case. The forms go to `POST /desk/cases/{number}/{code}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `note`
    Attend,
    /// `text`
    Reply,
    /// `text`, `expected_at` (a date)
    InterimReply,
    /// `to`, `reason`
    Transfer,
    /// `outcome`, `reasons`, `humanitarian`, `injustice`, `harassment`, `undue_delay` (each `yes` or `no`)
    Decide,
    /// `medium`, `date`, `time`, `control_room`; goes to `…/hearings`
    Hearing,
    /// `text`
    Close,
    /// `reason`
    Reopen,
}

impl Action {
    pub const ALL: [Self; 8] = [
        Self::Attend,
        Self::Reply,
        Self::Decide,
        Self::Hearing,
        Self::Close,
        Self::InterimReply,
        Self::Transfer,
        Self::Reopen,
    ];

    /// The name in the form's address.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Attend => "attend",
            Self::Reply => "reply",
            Self::InterimReply => "interim_reply",
            Self::Transfer => "transfer",
            Self::Decide => "decide",
            Self::Hearing => "hearings",
            Self::Close => "close",
            Self::Reopen => "reopen",
        }
    }

    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.code() == code)
    }

    /// The key that opens its form, if it has one.
    pub(super) fn key(self) -> Option<&'static str> {
        match self {
            Self::Reply => Some("r"),
            Self::Transfer => Some("t"),
            Self::Decide => Some("d"),
            Self::Attend | Self::InterimReply | Self::Hearing | Self::Close | Self::Reopen => None,
        }
    }
}
