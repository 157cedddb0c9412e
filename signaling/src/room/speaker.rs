//! Who speaks, from the loudness that senders write beside their packets (RFC 6464).

use crate::MemberId;

/// Who speaks now. The plane reports it to the room and picks voices by it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Speakers {
    /// Speaks, or did last.
    pub active: Option<MemberId>,
    /// The loudest, at most three.
    pub loud: Vec<MemberId>,
}
