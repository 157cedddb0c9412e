//! Whose is a datagram? Kinds by first byte (RFC 7983); STUN checks by user name and password (RFC 8445, 7.3).

use rtc::stun::attributes::{ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, Message};

/// What a datagram may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Datagram {
    /// A STUN request: its own user name and password tell whose it is, from any address.
    Check,
    /// DTLS, SRTP, SRTCP, or the answer to a check of ours: taken only from an address that a check has proved.
    Known,
    Junk,
}

pub(crate) fn classify(datagram: &[u8]) -> Datagram {
    match datagram {
        // The two class bits of a STUN message are both 0 in a request (RFC 8489, 5).
        [0..=3, second, ..] if second & 0x10 != 0 || datagram.first().is_some_and(|first| first & 1 != 0) => {
            Datagram::Known
        }
        [0..=3, ..] => Datagram::Check,
        [20..=63 | 128..=191, ..] => Datagram::Known,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_are_told_by_their_first_bytes() {
        assert_eq!(classify(&[0x00, 0x01]), Datagram::Check, "binding request");
        assert_eq!(classify(&[0x01, 0x01]), Datagram::Known, "binding success");
        assert_eq!(classify(&[0x00, 0x11]), Datagram::Known, "indication");
        assert_eq!(classify(&[22, 254]), Datagram::Known, "DTLS");
        assert_eq!(classify(&[0x80, 111]), Datagram::Known, "RTP");
        assert_eq!(classify(&[0x40]), Datagram::Junk);
        assert_eq!(classify(&[]), Datagram::Junk);
        assert!(Check::read(&[0x00, 0x01, 0, 0]).is_none());
    }
}
