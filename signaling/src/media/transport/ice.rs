//! ICE as a lite agent does it (RFC 8445, 2.5): we answer checks, and the client chooses the path.
//!
//! Here live the credentials, the paths that a client has proved by its knowledge of our password, and which of them it has chosen.

use crate::media::port::Path;
use bytes::BytesMut;
use rand::Rng as _;
use rand::distr::Alphanumeric;
use rtc::shared::error::Error;
use rtc::stun::attributes::{ATTR_MESSAGE_INTEGRITY, ATTR_USE_CANDIDATE, ATTR_USERNAME, AttrType};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, TransactionId};
use rtc::stun::xoraddr::XorMappedAddress;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use webrtc::peer_connection::crypto::RTCCryptoProvider;

/// Paths that one client may have proved. Past this the oldest that is not in use is forgotten.
const MAX_PATHS: usize = 8;
/// A chosen path on which nothing authentic has come for so long gives way to any other that is proved, chosen or not. Browsers choose again
/// when their address changes; some other stacks choose once and then only check.
const PATH_SILENCE: Duration = Duration::from_secs(3);
/// … and after so long to one by which its media comes: a client sends by the path that it uses. When its address was changed on the way, it
/// may not know, and has no reason to choose again.
const MEDIA_SILENCE: Duration = Duration::from_millis(500);
/// Longest check read, bytes. Browsers send 100 to 200.
const MAX_CHECK: usize = 1500;
/// Transaction ids remembered. A check that comes again by another path was caught and sent again by a stranger, who would lead our media
/// to himself.
const TRANSACTIONS: usize = 128;
/// Letters and digits: 71 bits and 190 bits (RFC 8445, 5.3 asks for 24 and 128).
const UFRAG: usize = 12;
const PWD: usize = 32;
/// What a client behind TCP is told of its own address (RFC 5737): the plane knows connections by number, and a client needs the address
/// for hole punching only.
const BEHIND_TCP: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 9);

/// What a datagram may be, by its first bytes (RFC 7983).
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
        [first @ 0..=3, second, ..] if second & 0x10 != 0 || first & 1 != 0 => Datagram::Known,
        [0..=3, ..] => Datagram::Check,
        [20..=63 | 128..=191, ..] => Datagram::Known,
        _ => Datagram::Junk,
    }
}

/// Our half of a check's user name, unproved: whose connection it means.
pub(crate) fn claimed_ufrag(datagram: &[u8]) -> Option<&str> {
    let length = usize::from(u16::from_be_bytes([*datagram.get(2)?, *datagram.get(3)?]));
    let mut attributes = datagram.get(20..)?.get(..length)?;
    while let Some((&[kind_high, kind_low, high, low], rest)) = attributes.split_first_chunk::<4>() {
        let length = usize::from(u16::from_be_bytes([high, low]));
        if AttrType(u16::from_be_bytes([kind_high, kind_low])) == ATTR_USERNAME {
            return std::str::from_utf8(rest.get(..length)?).ok()?.split(':').next();
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// A check that was authentic.
#[derive(Debug)]
pub(super) struct Answered {
    pub answer: BytesMut,
    pub forgotten: Option<Path>,
    pub moved: bool,
}

pub(super) struct Ice {
    provider: Arc<dyn RTCCryptoProvider>,
    current: Credentials,
    /// Those before the last restart, until a check with the new ones comes.
    previous: Option<Credentials>,
    paths: Vec<Proven>,
    chosen: Option<Path>,
    /// Newest last, at most [`TRANSACTIONS`].
    transactions: VecDeque<(TransactionId, Path)>,
}

impl Ice {
    pub fn new(provider: Arc<dyn RTCCryptoProvider>) -> Self {
        Self {
            provider,
            current: Credentials::random(),
            previous: None,
            paths: Vec::new(),
            chosen: None,
            transactions: VecDeque::new(),
        }
    }

    pub fn ufrag(&self) -> &str {
        &self.current.ufrag
    }

    pub fn pwd(&self) -> &str {
        &self.current.pwd
    }

    #[cfg(test)]
    pub fn owns(&self, ufrag: &str) -> bool {
        self.current.ufrag == ufrag || self.previous.as_ref().is_some_and(|previous| previous.ufrag == ufrag)
    }

    pub fn chosen(&self) -> Option<Path> {
        self.chosen
    }

    pub fn is_proven(&self, path: Path) -> bool {
        self.paths.iter().any(|proven| proven.path == path)
    }

    /// New credentials (RFC 8445, 9). Paths stay as they are until checks with the new ones choose otherwise.
    pub fn restart(&mut self) {
        self.previous = Some(std::mem::replace(&mut self.current, Credentials::random()));
    }

    /// Something authentic that is no check came by a path. It may be the chosen one from now on.
    pub fn heard(&mut self, path: Path, now: Instant) {
        let Some(proven) = self.paths.iter_mut().find(|proven| proven.path == path) else { return };
        proven.heard = now;
        if self.chosen != Some(path) && !self.chosen_lives(MEDIA_SILENCE, now) {
            self.chosen = Some(path);
        }
    }

    /// A path is gone, as a closed TCP connection is.
    pub fn forget(&mut self, path: Path) {
        self.paths.retain(|proven| proven.path != path);
        if self.chosen == Some(path) {
            self.chosen = None;
        }
    }

    /// Answers a binding request (RFC 8445, 7.3); none when it is not one of a client who knows our password.
    pub fn check(&mut self, datagram: &[u8], from: Path, now: Instant) -> Option<Answered> {
        let (request, pwd) = self.authentic(datagram, from)?;
        let answer = self.answer(&request, pwd, from).ok()?;
        let forgotten = self.prove(from, now);
        let chooses = before_integrity(&request, ATTR_USE_CANDIDATE).is_some();
        let moved = self.chosen != Some(from) && (chooses || !self.chosen_lives(PATH_SILENCE, now));
        if moved {
            self.chosen = Some(from);
        }
        Some(Answered { answer, forgotten, moved })
    }

    /// The request and the password it was signed with, if its integrity holds and nobody has sent it again by another path.
    fn authentic(&mut self, datagram: &[u8], from: Path) -> Option<(Message, String)> {
        if datagram.len() > MAX_CHECK {
            return None;
        }
        let mut request = Message::new();
        request.unmarshal_binary(datagram).ok()?;
        if request.typ != BINDING_REQUEST {
            return None;
        }
        let name = std::str::from_utf8(before_integrity(&request, ATTR_USERNAME)?).ok()?;
        let ufrag = name.split(':').next()?;
        let is_current = self.current.ufrag == ufrag;
        let pwd = match &self.previous {
            _ if is_current => self.current.pwd.clone(),
            Some(previous) if previous.ufrag == ufrag => previous.pwd.clone(),
            _ => return None,
        };
        MessageIntegrity::check(&mut request, pwd.as_bytes(), self.provider.crypto()).ok()?;
        match self.transactions.iter().find(|(id, _)| *id == request.transaction_id) {
            Some((_, path)) if *path != from => return None,
            Some(_) => {}
            None => {
                if self.transactions.len() >= TRANSACTIONS {
                    self.transactions.pop_front();
                }
                self.transactions.push_back((request.transaction_id, from));
            }
        }
        if is_current {
            self.previous = None;
        }
        Some((request, pwd))
    }

    fn answer(&self, request: &Message, pwd: String, to: Path) -> Result<BytesMut, Error> {
        let address = match to {
            Path::Udp(address) => address,
            Path::Tcp(_) => BEHIND_TCP,
        };
        let integrity = MessageIntegrity::new_short_term_integrity_with_provider(pwd, self.provider.crypto());
        let mut answer = Message::new();
        answer.build(&[
            Box::new(BINDING_SUCCESS),
            Box::new(request.transaction_id),
            Box::new(XorMappedAddress { ip: address.ip().to_canonical(), port: address.port() }),
            Box::new(integrity),
            Box::new(FINGERPRINT),
        ])?;
        Ok(BytesMut::from(answer.raw.as_slice()))
    }

    /// Remembers a path, and tells which one was forgotten for it.
    fn prove(&mut self, path: Path, now: Instant) -> Option<Path> {
        if let Some(proven) = self.paths.iter_mut().find(|proven| proven.path == path) {
            proven.heard = now;
            return None;
        }
        let mut forgotten = None;
        if self.paths.len() >= MAX_PATHS {
            let oldest =
                self.paths.iter().filter(|proven| Some(proven.path) != self.chosen).min_by_key(|proven| proven.heard);
            forgotten = oldest.map(|proven| proven.path);
            self.paths.retain(|proven| Some(proven.path) != forgotten);
        }
        self.paths.push(Proven { path, heard: now });
        forgotten
    }

    fn chosen_lives(&self, silence: Duration, now: Instant) -> bool {
        self.paths
            .iter()
            .any(|proven| Some(proven.path) == self.chosen && now.saturating_duration_since(proven.heard) < silence)
    }
}

/// A path from which a check with our password has come.
#[derive(Debug)]
struct Proven {
    path: Path,
    heard: Instant,
}

#[derive(Debug)]
struct Credentials {
    ufrag: String,
    pwd: String,
}

impl Credentials {
    fn random() -> Self {
        let text = |length| rand::rng().sample_iter(Alphanumeric).take(length).map(char::from).collect();
        Self { ufrag: text(UFRAG), pwd: text(PWD) }
    }
}

/// An attribute that the integrity covers: what follows MESSAGE-INTEGRITY anybody may have added (RFC 8489, 14.5).
fn before_integrity(message: &Message, wanted: AttrType) -> Option<&[u8]> {
    let covered = message.attributes.0.iter().take_while(|attribute| attribute.typ != ATTR_MESSAGE_INTEGRITY);
    covered.into_iter().find(|attribute| attribute.typ == wanted).map(|attribute| attribute.value.as_slice())
}
