//! Whose is a datagram? Kinds by first byte (RFC 7983); STUN checks by user name and password (RFC 8445, 7.3).

use rtc::stun::attributes::{ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, Message};

/// What a datagram may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Datagram {
    Stun,
    /// DTLS, SRTP or SRTCP: taken only from an address that a check has proved.
    Secured,
    Junk,
}

pub(crate) fn classify(datagram: &[u8]) -> Datagram {
    match datagram.first() {
        Some(0..=3) => Datagram::Stun,
        Some(20..=63 | 128..=191) => Datagram::Secured,
        _ => Datagram::Junk,
    }
}

/// A binding request, its password not yet checked.
#[derive(Debug)]
pub(crate) struct Check {
    message: Message,
    /// Our half of the user name.
    pub ufrag: String,
    /// The client has chosen this path.
    pub use_candidate: bool,
}

impl Check {
    /// Reads a binding request with a user name; none for anything else.
    pub fn read(datagram: &[u8]) -> Option<Self> {
        let mut message = Message::new();
        message.unmarshal_binary(datagram).ok()?;
        if message.typ != BINDING_REQUEST {
            return None;
        }
        let name = String::from_utf8(message.get(ATTR_USERNAME).ok()?).ok()?;
        let ufrag = name.split(':').next()?.to_owned();
        let use_candidate = message.contains(ATTR_USE_CANDIDATE);
        Some(Self { message, ufrag, use_candidate })
    }

    /// The sender knows our password.
    pub fn is_authentic(&mut self, password: &str) -> bool {
        let Ok(provider) = rtc::crypto::default_provider() else { return false };
        MessageIntegrity::check(&mut self.message, password.as_bytes(), provider.crypto()).is_ok()
    }
}
