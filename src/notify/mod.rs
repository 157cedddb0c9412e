//! How messages leave the hub: e-mail and text messages.

pub mod email;
pub mod sms;

/// Why a message did not leave.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// It will not leave however often it is tried: a wrong address, a refused sender.
    #[error("refused for good: {0}")]
    Permanent(String),
    /// It may leave later.
    #[error("{0}")]
    Passing(String),
}
