//! What a use case answers when it does not do what was asked.

use crate::domain::refusal::Refusal;
use crate::store::StoreError;

/// Something wrong with one field of what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The field.
    pub field: &'static str,
    /// Key of the sentence that says what is wrong.
    pub key: &'static str,
}

/// Why a use case did not happen. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// There is no such thing, or none that this person may know of.
    #[error("not found")]
    NotFound,
    /// This person may not do it.
    #[error("not permitted")]
    Forbidden,
    /// A rule stands against it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// What was sent is wrong.
    #[error("{} fields are wrong", .0.len())]
    Invalid(Vec<Problem>),
    /// Tried too often.
    #[error("too many attempts")]
    TooMany,
    /// The room or the recording could not do it.
    #[error("media: {0}")]
    Media(String),
    /// The database could not do it.
    #[error(transparent)]
    Store(StoreError),
    /// A file could not be written or read.
    #[error("file: {0}")]
    File(#[from] std::io::Error),
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        match error {
            // Two people acted at once: the other was first.
            StoreError::Stale => Self::Refused(Refusal::ChangedMeanwhile),
            StoreError::Taken { ref constraint } if constraint.contains("_event") => {
                Self::Refused(Refusal::ChangedMeanwhile)
            }
            other => Self::Store(other),
        }
    }
}

/// Collects what is wrong with a form.
#[derive(Debug, Default)]
pub(crate) struct Check(Vec<Problem>);

impl Check {
    /// Notes a problem unless the condition holds.
    pub(crate) fn that(&mut self, holds: bool, field: &'static str, key: &'static str) -> &mut Self {
        if !holds {
            self.0.push(Problem { field, key });
        }
        self
    }

    /// Nothing wrong, or everything that is.
    pub(crate) fn done(&mut self) -> Result<(), ServiceError> {
        if self.0.is_empty() { Ok(()) } else { Err(ServiceError::Invalid(std::mem::take(&mut self.0))) }
    }
}
