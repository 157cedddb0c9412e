//! The DTLS association of one connection: we are the server, the client shows the certificate that its description announced (RFC 8842).
//!
//! rtc's DTLS reads and writes the messages; what gets lost on the way is our own concern. rtc 0.21.1 stops its retransmission timer at
//! every handshake record, a repeated one included, and answers nothing to it: when our certificate flight is lost and the client repeats
//! its hello, as it must, neither side ever speaks again. So the stack gets each message once ([`super::reassembly`]), its timer is never
//! served, and this module keeps the last flight and sends it again, byte for byte: a client that has it drops it by its record number.

use super::identity::Terms;
use super::reassembly::{Message, Reassembly};
use bytes::BytesMut;
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::dtls::state::State;
use rtc::shared::TransportProtocol;
use rtc::shared::error::Error;
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// We and the client, as the stack sees us (RFC 5737): paths change, the association stays.
const US: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9);
const CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), 9);
/// A flight is sent again after so long without progress, then after twice as long, up to the second.
const RESEND: (Duration, Duration) = (Duration::from_millis(400), Duration::from_secs(2));
/// A client's repetition is answered at most this often: it comes in several datagrams, and one answer serves them all.
const ANSWER_GAP: Duration = Duration::from_millis(20);
/// How often the last flight is sent without being asked. Our handshake is over then; the client's may wait for it, and some clients ask
/// only after seconds.
const UNASKED: u8 = 3;
/// Encrypted records kept until the keys are there. The one that counts is the client's Finished.
const MAX_HELD: usize = 4;
/// Encrypted records shown to the stack before the handshake is over, and the longest of them in bytes. Finished has 61. The stack may be
/// made to join as many fragments as fit, each one level of recursion deeper.
const MAX_ENCRYPTED: u16 = 256;
const MAX_ENCRYPTED_RECORD: usize = 96;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
/// Certificate, certificate verify, client key exchange: with the hello all that a client sends in the clear.
const CLIENT_MESSAGES: [u8; 4] = [CLIENT_HELLO, 11, 15, 16];
/// Record header, bytes.
const RECORD_HEADER: usize = 13;

/// What a datagram has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    None,
    /// The handshake is over: keys and certificate are there.
    Complete,
    /// The client has said goodbye.
    Closed,
}

pub(super) struct Association {
    terms: Terms,
    /// Made with the client's first hello, which tells the profile.
    endpoint: Option<Endpoint>,
    messages: Reassembly,
    /// Record numbers of what the stack is given in the clear.
    given: u64,
    held: Vec<BytesMut>,
    /// Encrypted records given before the handshake was over.
    encrypted: u16,
    complete: bool,
    flight: Vec<BytesMut>,
    sent: Option<Instant>,
    resend: Option<Resend>,
    out: VecDeque<BytesMut>,
}

struct Resend {
    at: Instant,
    gap: Duration,
    /// How often still; none before the handshake is over, where the connection's own deadline ends it.
    left: Option<u8>,
}

impl Association {
    pub fn new(terms: Terms) -> Self {
        Self {
            terms,
            endpoint: None,
            messages: Reassembly::default(),
            given: 0,
            held: Vec::new(),
            encrypted: 0,
            complete: false,
            flight: Vec::new(),
            sent: None,
            resend: None,
            out: VecDeque::new(),
        }
    }

    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The stack's state, once there is one; its keys only when the handshake is over.
    pub fn state(&self) -> Option<&State> {
        self.endpoint.as_ref()?.get_connection_state(CLIENT)
    }

    /// SHA-256 of the certificate for which the client has shown that it holds the key.
    pub fn fingerprint(&self) -> Option<Vec<u8>> {
        let certificate = self.state()?.peer_certificates.first()?;
        self.complete.then(|| Sha256::digest(certificate).to_vec())
    }

    /// Reads a datagram of DTLS records. An error ends the association.
    pub fn read(&mut self, datagram: &[u8], now: Instant) -> Result<Progress, &'static str> {
        let mut progress = Progress::None;
        let mut repeated = false;
        for record in records(datagram) {
            match (record.kind, record.epoch) {
                (HANDSHAKE, 0) => {
                    repeated |= self.messages.push(record.body);
                    while progress == Progress::None
                        && let Some(message) = self.messages.pop()
                    {
                        progress = self.give_message(message, now)?;
                    }
                }
                // The client's Finished again: ours was lost.
                (HANDSHAKE, 1) if self.complete => repeated = true,
                (HANDSHAKE, 1) if record.whole.len() <= MAX_ENCRYPTED_RECORD => {
                    progress = self.give_encrypted(record.whole, now)?;
                }
                (ALERT, 1) if self.complete => progress = self.give(record.whole, now)?,
                // Change cipher spec: the first encrypted record says the same, and cannot be forged. Alerts in the clear can be. Data
                // channels we have none.
                _ => {}
            }
            if progress != Progress::None {
                break;
            }
        }
        let answered = self.sent.is_some_and(|sent| now.saturating_duration_since(sent) < ANSWER_GAP);
        if repeated && !answered {
            self.send_flight(now);
        }
        Ok(progress)
    }

    /// The client has used its keys: it has our last flight.
    pub fn confirm(&mut self) {
        if self.complete {
            self.resend = None;
        }
    }

    pub fn tick(&mut self, now: Instant) {
        let Some(resend) = self.resend.as_mut().filter(|resend| resend.at <= now) else { return };
        resend.gap = (resend.gap * 2).min(RESEND.1);
        resend.at = now + resend.gap;
        if let Some(left) = &mut resend.left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.resend = None;
            }
        }
        self.send_flight(now);
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.resend.as_ref().map(|resend| resend.at)
    }

    pub fn poll_transmit(&mut self) -> Option<BytesMut> {
        self.out.pop_front()
    }

    /// Says goodbye (RFC 5246, 7.2.1).
    pub fn close(&mut self, now: Instant) {
        if let Some(endpoint) = &mut self.endpoint {
            // It fails for no reason of its own.
            let _ = endpoint.close(now);
        }
        self.collect(now);
        self.resend = None;
    }

    fn give_message(&mut self, message: Message, now: Instant) -> Result<Progress, &'static str> {
        if self.complete || !CLIENT_MESSAGES.contains(&message.kind) {
            return Ok(Progress::None);
        }
        if self.endpoint.is_none() {
            let terms = self.terms.suiting(message.body());
            self.endpoint = Some(Endpoint::new(US, TransportProtocol::UDP, Some(terms)));
        }
        let record = self.plain_record(HANDSHAKE, &message.bytes);
        let progress = self.give(&record, now)?;
        if progress == Progress::None && !self.held.is_empty() && self.has_keys() {
            for record in std::mem::take(&mut self.held) {
                let progress = self.give_encrypted(&record, now)?;
                if progress != Progress::None {
                    return Ok(progress);
                }
            }
        }
        Ok(progress)
    }

    fn give_encrypted(&mut self, record: &[u8], now: Instant) -> Result<Progress, &'static str> {
        if !self.has_keys() {
            if self.held.len() < MAX_HELD {
                self.held.push(BytesMut::from(record));
            }
            return Ok(Progress::None);
        }
        if self.encrypted >= MAX_ENCRYPTED {
            return Err("too many encrypted records");
        }
        if self.encrypted == 0 {
            let change = self.plain_record(CHANGE_CIPHER_SPEC, &[1]);
            self.give(&change, now)?;
        }
        self.encrypted += 1;
        self.give(record, now)
    }

    fn give(&mut self, record: &[u8], now: Instant) -> Result<Progress, &'static str> {
        let Some(endpoint) = &mut self.endpoint else { return Ok(Progress::None) };
        let events = endpoint.read(now, CLIENT, None, BytesMut::from(record));
        self.collect(now);
        match events {
            Ok(events) => Ok(self.progress(&events)),
            Err(Error::ErrAlertFatalOrClose) => Err("fatal alert"),
            // A warning; nothing of the handshake is given to the stack any more.
            Err(_) if self.complete => Ok(Progress::None),
            Err(_) => Err("handshake refused"),
        }
    }

    fn progress(&mut self, events: &[EndpointEvent]) -> Progress {
        let mut progress = Progress::None;
        for event in events {
            match event {
                EndpointEvent::HandshakeComplete => {
                    self.complete = true;
                    self.messages.clear();
                    self.held = Vec::new();
                    if let Some(resend) = &mut self.resend {
                        resend.left = Some(UNASKED);
                    }
                    progress = Progress::Complete;
                }
                EndpointEvent::PeerClosed => return Progress::Closed,
                _ => {}
            }
        }
        progress
    }

    /// Takes what the stack wants sent. Until the handshake is over it is the next flight.
    fn collect(&mut self, now: Instant) {
        let Some(endpoint) = &mut self.endpoint else { return };
        let mut flight = Vec::new();
        while let Some(transmit) = endpoint.poll_transmit() {
            flight.push(transmit.message);
        }
        if flight.is_empty() {
            return;
        }
        self.out.extend(flight.iter().cloned());
        if self.complete {
            return;
        }
        self.flight = flight;
        self.sent = Some(now);
        // A verify request is never repeated unasked (RFC 6347, 4.2.4): it is our answer to the first message.
        self.resend = (self.messages.delivered() > 1).then(|| Resend { at: now + RESEND.0, gap: RESEND.0, left: None });
    }

    fn send_flight(&mut self, now: Instant) {
        self.sent = Some(now);
        self.out.extend(self.flight.iter().cloned());
    }

    fn has_keys(&self) -> bool {
        self.state().and_then(State::cipher_suite).is_some_and(|suite| suite.is_initialized())
    }

    /// A record in the clear as the stack takes it (RFC 6347, 4.1).
    fn plain_record(&mut self, kind: u8, body: &[u8]) -> Vec<u8> {
        let mut record = Vec::with_capacity(RECORD_HEADER + body.len());
        // Version 1.2, epoch 0, six bytes of number.
        record.extend_from_slice(&[kind, 254, 253, 0, 0]);
        let [_, _, number @ ..] = self.given.to_be_bytes();
        record.extend_from_slice(&number);
        record.extend_from_slice(&u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes());
        record.extend_from_slice(body);
        self.given += 1;
        record
    }
}

struct Record<'a> {
    kind: u8,
    epoch: u16,
    body: &'a [u8],
    whole: &'a [u8],
}

/// The records of a datagram, up to the first that is malformed (RFC 6347, 4.1.2.7: dropped in silence).
fn records(mut datagram: &[u8]) -> impl Iterator<Item = Record<'_>> {
    std::iter::from_fn(move || {
        let (&[kind, major, _, e0, e1, _, _, _, _, _, _, high, low], rest) =
            datagram.split_first_chunk::<RECORD_HEADER>()?;
        let body = rest.get(..usize::from(u16::from_be_bytes([high, low])))?;
        let (whole, rest) = datagram.split_at_checked(RECORD_HEADER + body.len())?;
        datagram = rest;
        (major == 254).then_some(Record { kind, epoch: u16::from_be_bytes([e0, e1]), body, whole })
    })
}
