//! Offers of clients that keep no socket (WHIP, RFC 9725; WHEP, draft-ietf-wish-whep): judged before a seat is taken, so that the client learns
//! what is wrong; kept, since such a client restarts ICE by a fragment (RFC 8840) that names nothing but new credentials.

use super::fragment::{read_fragment, write_fragment};
use super::read::{credentials, read_offer};
use super::text::Description;
use super::{Local, SdpError, Section};
use crate::message::Direction;
use std::fmt::Write as _;

/// Why an offer or a fragment was not taken. The texts name technical detail for whoever set the client up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// It is no session description, or no fragment of one.
    #[error("{0}")]
    Malformed(String),
    /// It asks for a session that we cannot have.
    #[error("{0}")]
    Unusable(String),
    /// A section has no codec that we take, or there are more than we take. Sessions with half of what was offered mislead people (RFC 9725 section 4.4.3).
    #[error("{0}")]
    NotTaken(String),
}

impl From<SdpError> for OfferError {
    fn from(error: SdpError) -> Self {
        let text = error.to_string();
        match error {
            SdpError::TooLong
            | SdpError::NoSections
            | SdpError::TooManySections
            | SdpError::TooManyFormats(_)
            | SdpError::TooManyExtensions(_)
            | SdpError::BadSection(_)
            | SdpError::BadMid(_)
            | SdpError::RepeatedMid => Self::Malformed(text),
            SdpError::NotBundled
            | SdpError::NoCredentials
            | SdpError::NoFingerprint
            | SdpError::ClientIsDtlsServer
            | SdpError::AnswerNotActive
            | SdpError::BothLite
            | SdpError::OtherSections { .. }
            | SdpError::OtherSection(_) => Self::Unusable(text),
        }
    }
}

/// A client's offer that can be answered, and was not changed since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingOffer {
    text: String,
    ufrag: String,
    direction: Direction,
}

/// What a fragment changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing for us: candidates, which an ICE-lite agent learns from the checks.
    Candidates,
    /// The client restarts ICE. The same offer with its new credentials, to be answered anew.
    Restart(StandingOffer),
}

impl StandingOffer {
    /// Judges the offer of a client that sends, or that receives.
    ///
    /// # Errors
    /// [`OfferError`]; nothing was kept.
    pub fn read(text: String, direction: Direction) -> Result<Self, OfferError> {
        let offer = read_offer(&text)?;
        let flows = |section: &Section| match direction {
            Direction::Publish => section.sends,
            Direction::Subscribe => section.takes,
        };
        if let Some(section) = offer.sections.iter().find(|section| section.codecs.is_empty()) {
            let why = "has no codec that we take (Opus; VP8, VP9, H.264, AV1), or is one too many";
            return Err(OfferError::NotTaken(format!("media section {} {why}", section.mid)));
        }
        if !offer.sections.iter().any(flows) {
            let (wanted, other) = match direction {
                Direction::Publish => ("sendonly", "recvonly"),
                Direction::Subscribe => ("recvonly", "sendonly"),
            };
            return Err(OfferError::NotTaken(format!(
                "no media section is {wanted}; to offer {other}, ask at the other address"
            )));
        }
        Ok(Self { ufrag: offer.remote.ufrag, text, direction })
    }

    /// The offer.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Which connection it is for.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Reads a fragment of `application/trickle-ice-sdpfrag`.
    ///
    /// # Errors
    /// [`OfferError::Malformed`] when it cannot be read.
    pub fn change(&self, fragment: &str) -> Result<Change, OfferError> {
        let fragment = read_fragment(fragment).map_err(|error| OfferError::Malformed(error.to_string()))?;
        match fragment.credentials {
            Some((ufrag, pwd)) if ufrag != self.ufrag => {
                let text = with_credentials(&self.text, &ufrag, &pwd);
                Ok(Change::Restart(Self { text, ufrag, direction: self.direction }))
            }
            Some(_) | None => Ok(Change::Candidates),
        }
    }
}

/// The offer with all credentials replaced. Its candidates are left out: they are the old generation's, and we need none.
fn with_credentials(offer: &str, ufrag: &str, pwd: &str) -> String {
    let mut text = String::with_capacity(offer.len());
    for line in offer.lines() {
        // Writing to a string cannot fail.
        let _ = if line.starts_with("a=ice-ufrag:") {
            write!(text, "a=ice-ufrag:{ufrag}\r\n")
        } else if line.starts_with("a=ice-pwd:") {
            write!(text, "a=ice-pwd:{pwd}\r\n")
        } else if line.starts_with("a=candidate:") || line == "a=end-of-candidates" {
            Ok(())
        } else {
            write!(text, "{line}\r\n")
        };
    }
    text
}

/// What of our answer to a restart the client has to know, as a fragment: credentials and candidates. None when the text is no answer of ours.
#[must_use]
pub fn restart_fragment(answer: &str) -> Option<String> {
    let description = Description::read(answer).ok()?;
    let media = description.media.iter().find(|media| !media.is_refused())?;
    let (ufrag, pwd) = credentials(media.attributes.value("ice-ufrag"), media.attributes.value("ice-pwd")).ok()?;
    let candidates: Vec<_> = media.attributes.values("candidate").map(|line| format!("candidate:{line}")).collect();
    let local = Local { ufrag: &ufrag, pwd: &pwd, fingerprint: "", candidates: &candidates };
    let mids: Vec<_> = description
        .media
        .iter()
        .filter(|media| !media.is_refused())
        .filter_map(|m| m.attributes.value("mid"))
        .collect();
    Some(write_fragment(local, media.kind, &mids))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{AUDIO, VIDEO, answer, offer_of, slot};
    use super::*;
    use crate::message::Kind;
    use proptest::prelude::*;

    fn standing() -> StandingOffer {
        StandingOffer::read(offer_of(&[AUDIO, VIDEO]), Direction::Publish).unwrap()
    }

    #[test]
    fn an_encoder_offers_to_send_and_a_player_to_receive() {
        let sends = offer_of(&[AUDIO, VIDEO]);
        let takes = sends.replace("sendonly", "recvonly");
        assert!(StandingOffer::read(sends.clone(), Direction::Publish).is_ok());
        assert!(StandingOffer::read(takes.clone(), Direction::Subscribe).is_ok());
        assert!(matches!(StandingOffer::read(takes, Direction::Publish), Err(OfferError::NotTaken(_))));
        assert!(matches!(StandingOffer::read(sends, Direction::Subscribe), Err(OfferError::NotTaken(_))));
    }

    #[test]
    fn no_session_has_half_of_what_was_offered() {
        let strange = ("video 9 UDP/TLS/RTP/SAVPF 96", &["sendonly", "rtpmap:96 H265/90000"] as &[&str]);
        let refused = StandingOffer::read(offer_of(&[AUDIO, strange]), Direction::Publish).unwrap_err();
        assert!(matches!(&refused, OfferError::NotTaken(why) if why.starts_with("media section 1 ")), "{refused}");
    }

    #[test]
    fn what_is_wrong_with_an_offer_is_said_in_its_kind() {
        let read = |text: String| StandingOffer::read(text, Direction::Publish).unwrap_err();
        assert!(matches!(read("hello".to_owned()), OfferError::Malformed(_)));
        let passive = offer_of(&[AUDIO]).replace("actpass", "passive");
        assert!(matches!(read(passive), OfferError::Unusable(_)));
    }

    #[test]
    fn candidates_change_nothing() {
        let offer = standing();
        let same = "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n";
        assert_eq!(offer.change(same), Ok(Change::Candidates));
        assert_eq!(offer.change("a=end-of-candidates\r\n"), Ok(Change::Candidates));
        assert!(matches!(offer.change("a=ice-ufrag:efgh\r\n"), Err(OfferError::Malformed(_))));
    }

    #[test]
    fn a_restart_is_the_same_offer_with_other_credentials() {
        let offer = standing();
        let fragment = "a=ice-ufrag:efgh\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\n";
        let Ok(Change::Restart(restarted)) = offer.change(fragment) else { panic!("no restart") };
        let (before, after) = (read_offer(offer.text()).unwrap(), read_offer(restarted.text()).unwrap());
        assert_eq!((after.remote.ufrag.as_str(), after.remote.pwd.as_str()), ("efgh", "abcdefghijklmnopqrstuv"));
        assert_eq!(after.remote.fingerprint, before.remote.fingerprint);
        assert_eq!(after.sections, before.sections);
        assert_eq!(restarted.change(fragment), Ok(Change::Candidates), "it is the present generation now");
    }

    #[test]
    fn our_half_of_a_restart_is_a_fragment() {
        let offer = read_offer(&offer_of(&[AUDIO, VIDEO])).unwrap();
        let fragment = restart_fragment(&answer(&offer, &[slot("0", Kind::Audio, 7)])).unwrap();
        let expected = "a=group:BUNDLE 0 1\r\na=ice-lite\r\na=ice-options:trickle\r\na=ice-ufrag:ourFragment\r\na=ice-pwd:ourPasswordOf22Letters\r\n\
                        m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host\r\na=end-of-candidates\r\n";
        assert_eq!(fragment, expected);
        assert_eq!(restart_fragment("v=0\r\n"), None);
    }

    proptest! {
        #[test]
        fn no_text_is_trouble(text in "[a-z0-9=: \r\n-]{0,400}") {
            let _ = StandingOffer::read(text.clone(), Direction::Publish);
            let _ = standing().change(&text);
            let _ = restart_fragment(&text);
        }
    }
}
