//! Identifiers: one newtype for each thing, a UUIDv7 behind a short prefix, so that a number in a log or an address says
//! what it names. Making one needs the time and randomness; both are kept here, out of the pure domain.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::{NoContext, Uuid};

/// The text was not an identifier of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {expected} identifier")]
pub struct InvalidId {
    /// The prefix that was expected.
    pub expected: &'static str,
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// A new identifier; `millis` (Unix epoch) makes identifiers sort by time.
            #[must_use]
            pub fn generate(millis: i64) -> Self {
                Self(format!("{}_{}", $prefix, time_ordered(millis).simple()))
            }

            /// The text as stored and shown.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = InvalidId { expected: $prefix };
                let tail = text.strip_prefix(concat!($prefix, "_")).ok_or_else(|| invalid.clone())?;
                Uuid::try_parse(tail).map_err(|_| invalid)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl From<&$name> for String {
            fn from(id: &$name) -> String {
                id.0.clone()
            }
        }
    )*};
}

identifiers! {
    /// A case, in every series.
    CaseId = "case";
    /// A person with an account: officer, head, control room, Secretary, administrator.
    AccountId = "acc";
    /// A branch, bureau, office or outside body that deals with cases.
    DeskId = "desk";
    /// A hearing of one case.
    HearingId = "hrg";
    /// Something kept beside a case: the sound of a call, a photograph.
    AttachmentId = "att";
    /// The folder of one hearing's recording.
    RecordingId = "rec";
    /// A telephone call.
    CallId = "call";
    /// A message to a person.
    MessageId = "msg";
    /// A line of a hearing's ledger of presence.
    LedgerLineId = "line";
    /// A change of somebody's line in a hearing.
    LineReadingId = "quality";
    /// A routing rule.
    RuleId = "rule";
    /// A stored event from a provider.
    InboundId = "inb";
    /// A piece of follow-up work.
    JobId = "job";
}

fn time_ordered(millis: i64) -> Uuid {
    let millis = u64::try_from(millis).unwrap_or(0);
    let nanos = u32::try_from(millis % 1_000).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, millis / 1_000, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_reads_back_and_refuses_another_kind() {
        let id = CaseId::generate(1_795_000_000_000);
        assert_eq!(id.as_str().parse::<CaseId>().unwrap(), id);
        assert!(id.as_str().parse::<HearingId>().is_err());
        assert!("case_../../etc".parse::<CaseId>().is_err());
    }

    #[test]
    fn later_identifiers_sort_later() {
        assert!(CaseId::generate(1_000_000) < CaseId::generate(1_000_005));
    }
}
