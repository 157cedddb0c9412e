//! The transport of one peer connection: ICE-lite, DTLS and SRTP, without input or output of its own.
//!
//! * [`ice`] answers checks and follows the client from path to path; [`dtls`] does the handshake over [`reassembly`] on the terms
//!   of [`identity`], and [`srtp`] seals and opens packets with the keys that it gives.
//! * What the packets mean is not known here.

mod dtls;
mod ice;
mod identity;
mod reassembly;
mod srtp;
#[cfg(test)]
mod tests;

pub(crate) use ice::{Datagram, claimed_ufrag, classify};
pub(crate) use identity::Identity;
pub(crate) use srtp::Sealer;

use super::port::Path;
use super::sdp;
use bytes::BytesMut;
use dtls::{Association, Progress};
use ice::Ice;
use identity::Terms;
use rtc::rtp::Header;
use rtc::shared::error::Error;
use srtp::Opener;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Without anything authentic for so long a connection counts as silent, and as lost.
const SILENT: Duration = Duration::from_secs(5);
const LOST: Duration = Duration::from_secs(25);
/// A handshake that is not over so long after the first check never will be.
const HANDSHAKE: Duration = Duration::from_secs(25);
/// Datagrams waiting to be sent. The plane takes them after each input, so that more is a fault; it is dropped as a line would drop it.
const MAX_OUT: usize = 64;

#[derive(Debug, thiserror::Error)]
#[error("transport: {0}")]
pub(crate) struct TransportError(#[from] Error);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody has proved a path yet.
    New,
    /// A path is proved, keys are not agreed, or the client's description is not there to compare its certificate with.
    Connecting,
    Up,
    /// Was up, and nothing authentic has come for 5 s. Comes up again with the first that does.
    Silent,
    /// Nothing authentic for 25 s, no keys within 25 s, or the wrong ones. It stays so.
    Failed,
    /// Either side has said goodbye. It stays so.
    Closed,
}

/// What a STUN request was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// The wrong password, not a binding request, or sent again by a stranger.
    Refused,
    Ok {
        /// A path whose datagrams are no longer this connection's.
        forgotten: Option<Path>,
        /// [`Transport::path`] is another now.
        moved: bool,
    },
}

/// What a datagram was.
#[derive(Debug, PartialEq)]
pub(crate) enum Read {
    Nothing,
    /// The header, and the whole packet in the clear.
    Rtp(Header, BytesMut),
    /// A compound packet in the clear, its parts not yet looked at.
    Rtcp(BytesMut),
    /// Why; a word for the counters.
    Refused(&'static str),
}

pub(crate) struct Transport {
    terms: Terms,
    ice: Ice,
    dtls: Association,
    /// SHA-256 of the certificate that the client's description announces.
    announced: Option<Vec<u8>>,
    opener: Option<Opener>,
    sealer: Option<Sealer>,
    state: State,
    /// When the last authentic datagram came; at first, when we began to wait for one.
    heard: Instant,
    /// When the first check came.
    began: Option<Instant>,
    out: VecDeque<(BytesMut, Path)>,
}

impl Transport {
    pub fn new(identity: &Identity, now: Instant) -> Self {
        let terms = identity.terms();
        Self {
            ice: Ice::new(terms.provider.clone()),
            dtls: Association::new(terms.clone()),
            terms,
            announced: None,
            opener: None,
            sealer: None,
            state: State::New,
            heard: now,
            began: None,
            out: VecDeque::new(),
        }
    }

    pub fn ufrag(&self) -> &str {
        self.ice.ufrag()
    }

    pub fn pwd(&self) -> &str {
        self.ice.pwd()
    }

    #[cfg(test)]
    /// Checks with this user name are for us: the present one, or the one before a restart until the client has used the present one.
    pub fn owns(&self, ufrag: &str) -> bool {
        self.ice.owns(ufrag)
    }

    /// New ICE credentials, to be told in our next description. DTLS, SRTP and the path stay.
    pub fn restart(&mut self) {
        self.ice.restart();
    }

    /// Takes the client's description. Another certificate than the one of a finished handshake is a failure (RFC 8842, 5: it would take a
    /// new association, which no browser asks for on a connection that lives).
    pub fn set_remote(&mut self, remote: &sdp::Remote, now: Instant) {
        self.announced = Some(remote.fingerprint.clone());
        if self.dtls.is_complete() && !self.is_over() {
            self.verify(now);
        }
    }

    /// A STUN request: [`claimed_ufrag`] is one that we own.
    pub fn check(&mut self, datagram: &[u8], from: Path, now: Instant) -> Checked {
        if self.is_over() {
            return Checked::Refused;
        }
        let Some(answered) = self.ice.check(datagram, from, now) else { return Checked::Refused };
        self.send(answered.answer, from);
        self.began.get_or_insert(now);
        self.hear(now);
        if self.state == State::New {
            self.state = State::Connecting;
        }
        Checked::Ok { forgotten: answered.forgotten, moved: answered.moved }
    }

    /// Anything but a STUN request, from one of our proven paths.
    pub fn read(&mut self, datagram: &[u8], from: Path, now: Instant) -> Read {
        if self.is_over() {
            return Read::Nothing;
        }
        if !self.ice.is_proven(from) {
            return Read::Refused("unproven path");
        }
        match datagram {
            // An answer to a check of ours, of which there are none, or an indication, which proves nothing.
            [0..=3, ..] => Read::Nothing,
            [20..=63, ..] => self.read_dtls(datagram, now),
            // RTCP's packet types lie where RTP has its marker and payload types 64 to 95 (RFC 5761, 4).
            [128..=191, 192..=223, ..] => self.open(from, now, |opener| opener.open_rtcp(datagram).map(Read::Rtcp)),
            [128..=191, ..] => self
                .open(from, now, |opener| opener.open_rtp(datagram).map(|(header, packet)| Read::Rtp(header, packet))),
            _ => Read::Refused("junk"),
        }
    }

    pub fn poll_transmit(&mut self) -> Option<(BytesMut, Path)> {
        self.out.pop_front()
    }

    /// The keys to send with; once, when the handshake is over and the certificate the announced one.
    pub fn take_sealer(&mut self) -> Option<Sealer> {
        self.sealer.take()
    }

    /// Where to send.
    pub fn path(&self) -> Option<Path> {
        self.ice.chosen()
    }

    /// A path is no more, as a closed TCP connection is.
    pub fn forget(&mut self, path: Path) {
        self.ice.forget(path);
    }

    pub fn state(&self) -> State {
        self.state
    }

    pub fn tick(&mut self, now: Instant) {
        if self.is_over() {
            return;
        }
        self.dtls.tick(now);
        self.flush();
        if self.fails_at().is_some_and(|at| at <= now) {
            self.state = State::Failed;
        } else if self.state == State::Up && self.heard + SILENT <= now {
            self.state = State::Silent;
        }
    }

    /// When to call [`Self::tick`]; none when it is over.
    pub fn deadline(&self) -> Option<Instant> {
        if self.is_over() {
            return None;
        }
        let silent = (self.state == State::Up).then(|| self.heard + SILENT);
        [self.dtls.deadline(), self.fails_at(), silent].into_iter().flatten().min()
    }

    /// Says goodbye.
    pub fn close(&mut self, now: Instant) {
        if !self.is_over() {
            self.end(State::Closed, now);
        }
    }

    fn read_dtls(&mut self, datagram: &[u8], now: Instant) -> Read {
        let progress = self.dtls.read(datagram, now);
        self.flush();
        match progress {
            Ok(Progress::None) => Read::Nothing,
            Ok(Progress::Complete) => {
                self.verify(now);
                Read::Nothing
            }
            Ok(Progress::Closed) => {
                self.end(State::Closed, now);
                Read::Nothing
            }
            Err(reason) => {
                self.end(State::Failed, now);
                Read::Refused(reason)
            }
        }
    }

    fn open(&mut self, from: Path, now: Instant, open: impl FnOnce(&mut Opener) -> Result<Read, &'static str>) -> Read {
        // Before the handshake is over a client has nothing to send; what overtakes its last flight is lost, as on any line.
        let Some(opener) = &mut self.opener else { return Read::Refused("no keys yet") };
        match open(opener) {
            Ok(read) => {
                self.ice.heard(from, now);
                self.hear(now);
                self.dtls.confirm();
                read
            }
            Err(reason) => Read::Refused(reason),
        }
    }

    /// Gives out the keys if the certificate is the announced one (RFC 8122, 5).
    fn verify(&mut self, now: Instant) {
        let Some(announced) = &self.announced else { return };
        if self.dtls.fingerprint().as_ref() != Some(announced) {
            self.end(State::Failed, now);
            return;
        }
        if self.opener.is_some() {
            return;
        }
        match self.dtls.state().map(|state| srtp::contexts(state, &self.terms.provider)) {
            Some(Ok((sealer, opener))) => {
                self.sealer = Some(sealer);
                self.opener = Some(opener);
                self.state = State::Up;
            }
            Some(Err(_)) | None => self.end(State::Failed, now),
        }
    }

    fn hear(&mut self, now: Instant) {
        self.heard = now;
        if self.state == State::Silent {
            self.state = State::Up;
        }
    }

    fn end(&mut self, state: State, now: Instant) {
        self.dtls.close(now);
        self.flush();
        self.state = state;
        self.opener = None;
        self.sealer = None;
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Failed | State::Closed)
    }

    fn fails_at(&self) -> Option<Instant> {
        match self.state {
            State::New | State::Up | State::Silent => Some(self.heard + LOST),
            State::Connecting => {
                [Some(self.heard + LOST), self.began.map(|began| began + HANDSHAKE)].into_iter().flatten().min()
            }
            State::Failed | State::Closed => None,
        }
    }

    fn flush(&mut self) {
        while let Some(datagram) = self.dtls.poll_transmit() {
            if let Some(path) = self.ice.chosen() {
                self.send(datagram, path);
            }
        }
    }

    fn send(&mut self, datagram: BytesMut, to: Path) {
        if self.out.len() < MAX_OUT {
            self.out.push_back((datagram, to));
        }
    }
}
