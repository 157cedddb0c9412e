//! A client of rtc's parts against our transport, over a line in virtual time that loses, doubles and reorders.

mod handshake;
mod packets;
mod paths;

use super::*;
use crate::media::egress::Seal as _;
use crate::media::sdp::Remote;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rtc::dtls::cipher_suite::CipherSuiteId;
use rtc::dtls::config::{ConfigBuilder, ExtendedMasterSecretType, HandshakeConfig};
use rtc::dtls::crypto::Certificate;
use rtc::dtls::endpoint::{Endpoint, EndpointEvent};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc::shared::TransportProtocol;
use rtc::shared::marshal::Marshal as _;
use rtc::srtp::context::Context;
use rtc::srtp::protection_profile::ProtectionProfile;
use rtc::stun::attributes::{ATTR_USE_CANDIDATE, ATTR_USERNAME};
use rtc::stun::fingerprint::FINGERPRINT;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, BINDING_SUCCESS, Message, Setter, TransactionId};
use rtc::stun::textattrs::TextAttribute;
use rtc::stun::xoraddr::XorMappedAddress;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

const GCM: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm;
const SHA1: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80;

/// The plane and the workers that seal for it are threads of their own.
const _: fn() = || {
    fn moves_between_threads<T: Send>() {}
    moves_between_threads::<Transport>();
    moves_between_threads::<Sealer>();
};

/// Making certificates is the slow part of these tests.
static HUB: LazyLock<Identity> = LazyLock::new(|| Identity::generate().unwrap());
static CLIENT: LazyLock<Certificate> = LazyLock::new(certificate);

fn certificate() -> Certificate {
    let provider = rtc::crypto::default_provider().unwrap();
    Certificate::generate_self_signed(vec!["client".to_owned()], provider.crypto()).unwrap()
}

fn path(last: u8) -> Path {
    Path::Udp(SocketAddr::from(([10, 0, 0, last], 5000)))
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn remote(certificate: &Certificate) -> Remote {
    Remote {
        ufrag: "them".to_owned(),
        pwd: "their password".to_owned(),
        fingerprint: Sha256::digest(&certificate.certificate[0]).to_vec(),
    }
}

/// A connectivity check as a browser makes it.
fn check(ufrag: &str, pwd: &str, chooses: bool) -> Vec<u8> {
    let provider = rtc::crypto::default_provider().unwrap();
    let mut setters: Vec<Box<dyn Setter>> = vec![
        Box::new(BINDING_REQUEST),
        Box::new(TransactionId::new()),
        Box::new(TextAttribute::new(ATTR_USERNAME, format!("{ufrag}:them"))),
    ];
    if chooses {
        setters.push(Box::new(Flag));
    }
    let integrity = MessageIntegrity::new_short_term_integrity_with_provider(pwd.to_owned(), provider.crypto());
    let mut message = Message::new();
    message.build(&setters).unwrap();
    integrity.add_to(&mut message).unwrap();
    FINGERPRINT.add_to(&mut message).unwrap();
    message.raw
}

struct Flag;

impl Setter for Flag {
    fn add_to(&self, message: &mut Message) -> rtc::shared::error::Result<()> {
        message.add(ATTR_USE_CANDIDATE, &[]);
        Ok(())
    }
}

/// How a client repeats a flight that got no answer.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Repeats {
    /// As rtc's own client does, by its own timer.
    Rtc,
    /// As browsers and OpenSSL do: first after so many milliseconds, then doubling.
    Doubling(u64),
}

/// The client's side of a handshake.
struct Client {
    endpoint: Endpoint,
    repeats: Repeats,
    flight: Vec<BytesMut>,
    at: Option<Instant>,
    gap: Duration,
    /// Numbers of our repeated records in the clear.
    renumbered: u64,
    seen: HashSet<Vec<u8>>,
    out: VecDeque<BytesMut>,
    complete: bool,
    closed: bool,
}

impl Client {
    const HUB: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

    fn config(certificate: &Certificate, profiles: Vec<SrtpProtectionProfile>, mtu: usize) -> Arc<HandshakeConfig> {
        let config = ConfigBuilder::default()
            .with_crypto_provider(rtc::crypto::default_provider().unwrap())
            .with_certificates(vec![certificate.clone()])
            .with_cipher_suites(vec![CipherSuiteId::Tls_Ecdhe_Ecdsa_With_Aes_128_Gcm_Sha256])
            .with_srtp_protection_profiles(profiles)
            .with_insecure_skip_verify(true)
            .with_extended_master_secret(ExtendedMasterSecretType::Require)
            .with_mtu(mtu)
            .build(true, None);
        Arc::new(config.unwrap())
    }

    fn new(config: Arc<HandshakeConfig>, repeats: Repeats, now: Instant) -> Self {
        let mut endpoint = Endpoint::new(Self::HUB, TransportProtocol::UDP, None);
        endpoint.connect(now, Self::HUB, config, None).unwrap();
        let gap = match repeats {
            Repeats::Rtc => ms(0),
            Repeats::Doubling(first) => ms(first),
        };
        let mut client = Self {
            endpoint,
            repeats,
            flight: Vec::new(),
            at: None,
            gap,
            renumbered: 1000,
            seen: HashSet::new(),
            out: VecDeque::new(),
            complete: false,
            closed: false,
        };
        client.collect(now);
        client
    }

    fn collect(&mut self, now: Instant) {
        let mut flight = Vec::new();
        while let Some(transmit) = self.endpoint.poll_transmit() {
            flight.push(transmit.message);
        }
        if flight.is_empty() {
            return;
        }
        self.out.extend(flight.iter().cloned());
        if let Repeats::Doubling(first) = self.repeats {
            self.flight = flight;
            self.gap = ms(first);
            self.at = Some(now + self.gap);
        }
    }

    fn read(&mut self, datagram: &[u8], now: Instant) {
        // A stack that repeats properly is not thrown off its timer by what it has had already.
        if self.repeats != Repeats::Rtc && !self.seen.insert(datagram.to_vec()) {
            return;
        }
        for event in self.endpoint.read(now, Self::HUB, None, BytesMut::from(datagram)).unwrap_or_default() {
            match event {
                EndpointEvent::HandshakeComplete => self.complete = true,
                EndpointEvent::PeerClosed => self.closed = true,
                _ => {}
            }
        }
        self.collect(now);
        if self.complete {
            self.at = None;
        }
    }

    fn deadline(&self) -> Option<Instant> {
        if self.complete {
            return None;
        }
        match self.repeats {
            Repeats::Rtc => self.endpoint.poll_timeout(&Self::HUB),
            Repeats::Doubling(_) => self.at,
        }
    }

    fn tick(&mut self, now: Instant) {
        if self.deadline().is_none_or(|at| at > now) {
            return;
        }
        if self.repeats == Repeats::Rtc {
            let _ = self.endpoint.handle_timeout(Self::HUB, now);
            self.collect(now);
            return;
        }
        self.gap *= 2;
        self.at = Some(now + self.gap);
        for datagram in self.flight.clone() {
            let repeated = self.renumber(&datagram);
            self.out.push_back(repeated);
        }
    }

    /// The same messages in new records, as RFC 6347, 4.2.4 has it. Encrypted ones stay what they are.
    fn renumber(&mut self, datagram: &[u8]) -> BytesMut {
        let mut renumbered = BytesMut::from(datagram);
        let mut offset = 0;
        while offset + 13 <= renumbered.len() {
            if renumbered[offset + 3..offset + 5] == [0, 0] {
                renumbered[offset + 5..offset + 11].copy_from_slice(&self.renumbered.to_be_bytes()[2..]);
                self.renumbered += 1;
            }
            offset += 13 + usize::from(u16::from_be_bytes([renumbered[offset + 11], renumbered[offset + 12]]));
        }
        renumbered
    }

    /// Sealing and opening contexts.
    fn contexts(&self) -> (Context, Context) {
        let state = self.endpoint.get_connection_state(Self::HUB).unwrap();
        let profile = match state.srtp_protection_profile() {
            GCM => ProtectionProfile::AeadAes128Gcm,
            _ => ProtectionProfile::Aes128CmHmacSha1_80,
        };
        let mut config = rtc::srtp::config::Config { profile, ..Default::default() };
        let label = rtc::srtp::config::LABEL_EXTRACTOR_DTLS_SRTP;
        let material = state.export_keying_material(label, &[], config.keying_material_len()).unwrap();
        config.set_session_keys_from_keying_material(material.as_ref(), true).unwrap();
        let provider = rtc::crypto::default_provider().unwrap();
        let keys = config.keys;
        let context =
            |key: &[u8], salt: &[u8]| Context::new(key, salt, profile, None, None, provider.crypto()).unwrap();
        (
            context(&keys.local_master_key, &keys.local_master_salt),
            context(&keys.remote_master_key, &keys.remote_master_salt),
        )
    }
}

/// What a line does to datagrams.
#[derive(Debug, Clone, Copy)]
struct Line {
    lost: f64,
    doubled: f64,
    /// One way, and what comes on top by chance, milliseconds.
    delay: u64,
    jitter: u64,
}

const GOOD: Line = Line { lost: 0.0, doubled: 0.0, delay: 10, jitter: 0 };

/// Both sides and the line between them.
struct World {
    now: Instant,
    hub: Transport,
    client: Client,
    line: Line,
    random: StdRng,
    /// When, to the hub or not, what.
    under_way: Vec<(Instant, bool, BytesMut)>,
}

impl World {
    fn new(line: Line, client: Client, now: Instant, seed: u64) -> Self {
        let mut hub = Transport::new(&HUB, now);
        hub.set_remote(&remote(&CLIENT), now);
        let request = check(hub.ufrag(), hub.pwd(), true);
        assert_eq!(hub.check(&request, path(1), now), Checked::Ok { forgotten: None, moved: true });
        assert_eq!(hub.poll_transmit().map(|(_, to)| to), Some(path(1)));
        Self { now, hub, client, line, random: StdRng::seed_from_u64(seed), under_way: Vec::new() }
    }

    fn up(profile: SrtpProtectionProfile) -> Self {
        let now = Instant::now();
        let client = Client::new(Client::config(&CLIENT, vec![profile], 1200), Repeats::Doubling(50), now);
        let mut world = Self::new(GOOD, client, now, 1);
        world.run(ms(500));
        assert_eq!(world.hub.state(), State::Up);
        world
    }

    /// Lets both speak until both are through, for at most so long. Returns how long it took.
    fn run(&mut self, limit: Duration) -> Option<Duration> {
        let start = self.now;
        loop {
            self.carry();
            if self.hub.state() == State::Up && self.client.complete {
                return Some(self.now - start);
            }
            let arrival = self.under_way.iter().map(|(at, ..)| *at).min();
            let next = [arrival, self.hub.deadline(), self.client.deadline()].into_iter().flatten().min()?;
            // Browsers check their path every 2.5 s (RFC 7675 asks for every 5).
            if self.hub.state() != State::Failed && next >= self.hub.heard + ms(2500) {
                let request = check(self.hub.ufrag(), self.hub.pwd(), true);
                self.hub.check(&request, path(1), self.hub.heard + ms(2500));
                while self.hub.poll_transmit().is_some() {}
            }
            if next > start + limit {
                return None;
            }
            self.now = next;
            let now = self.now;
            while let Some(index) = self.under_way.iter().position(|(at, ..)| *at <= now) {
                let (_, to_hub, datagram) = self.under_way.remove(index);
                if to_hub {
                    self.hub.read(&datagram, path(1), now);
                } else {
                    self.client.read(&datagram, now);
                }
                self.carry();
            }
            self.hub.tick(now);
            self.client.tick(now);
        }
    }

    fn carry(&mut self) {
        while let Some((datagram, to)) = self.hub.poll_transmit() {
            assert_eq!(to, path(1));
            self.launch(false, datagram);
        }
        while let Some(datagram) = self.client.out.pop_front() {
            self.launch(true, datagram);
        }
    }

    fn launch(&mut self, to_hub: bool, datagram: BytesMut) {
        let copies = if self.random.random_bool(self.line.doubled) { 2 } else { 1 };
        for _ in 0..copies {
            if !self.random.random_bool(self.line.lost) {
                let delay = self.line.delay + self.random.random_range(0..=self.line.jitter);
                self.under_way.push((self.now + ms(delay), to_hub, datagram.clone()));
            }
        }
    }
}

/// A packet in the clear.
fn plain_packet(ssrc: u32, sequence_number: u16) -> (Header, Vec<u8>) {
    let header = Header { version: 2, payload_type: 96, sequence_number, ssrc, ..Header::default() };
    let mut packet = header.marshal().unwrap().to_vec();
    packet.extend_from_slice(b"a picture's part");
    (header, packet)
}

/// A packet in the clear and sealed.
fn packet(sealing: &mut Context, ssrc: u32, sequence_number: u16) -> (Vec<u8>, BytesMut) {
    let (_, plain) = plain_packet(ssrc, sequence_number);
    let sealed = sealing.encrypt_rtp(&plain).unwrap();
    (plain, sealed)
}
