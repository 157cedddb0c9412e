//! What strangers send: connectivity checks and DTLS records.

use crate::fuzz::Input;
use crate::fuzz::input::START;
use crate::media::port::Path;
use crate::media::transport::{Checked, Identity, Read, State, Transport, claimed_ufrag, classify};
use rtc::stun::attributes::ATTR_USERNAME;
use rtc::stun::integrity::MessageIntegrity;
use rtc::stun::message::{BINDING_REQUEST, Message, Setter as _, TransactionId};
use rtc::stun::textattrs::TextAttribute;
use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

#[expect(clippy::expect_used, reason = "without an identity there is nothing to fuzz")]
pub(super) static HUB: LazyLock<Identity> = LazyLock::new(|| Identity::generate().expect("a certificate can be made"));

pub(super) fn path(number: u8) -> Path {
    match number % 16 {
        number @ 0..12 => Path::Udp(SocketAddr::from(([10, 0, 0, number], 5000))),
        number => Path::Tcp(u64::from(number)),
    }
}

/// A check with the right password, and whatever attributes; none when they are no attributes.
pub(super) fn check(transport: &Transport, id: u8, attributes: &[u8]) -> Option<Vec<u8>> {
    let provider = rtc::crypto::default_provider().ok()?;
    let mut head = Message::new();
    let name = TextAttribute::new(ATTR_USERNAME, format!("{}:them", transport.ufrag()));
    head.build(&[Box::new(BINDING_REQUEST), Box::new(TransactionId([id; 12])), Box::new(name)]).ok()?;
    let mut raw = head.raw;
    raw.extend_from_slice(attributes);
    let length = u16::try_from(raw.len() - 20).ok()?.to_be_bytes();
    raw.get_mut(2..4)?.copy_from_slice(&length);
    let mut message = Message::new();
    message.unmarshal_binary(&raw).ok()?;
    let integrity =
        MessageIntegrity::new_short_term_integrity_with_provider(transport.pwd().to_owned(), provider.crypto());
    integrity.add_to(&mut message).ok()?;
    Some(message.raw)
}

/// Drops what is to be sent; it must be a bounded number of datagrams that fit.
pub(super) fn drain(transport: &mut Transport) -> Vec<Vec<u8>> {
    let mut sent = Vec::new();
    while let Some((datagram, _)) = transport.poll_transmit() {
        assert!(datagram.len() <= 1500, "a datagram of {} bytes", datagram.len());
        sent.push(datagram.to_vec());
    }
    assert!(sent.len() <= 64);
    sent
}

/// Checks from many paths, true and forged, and anything before a handshake.
pub fn stun(bytes: &[u8]) {
    let mut now = *START;
    let mut transport = Transport::new(&HUB, now);
    let mut input = Input::new(bytes);
    while !input.is_over() {
        let from = path(input.byte());
        match input.byte() % 8 {
            0 | 1 => {
                let datagram = input.piece();
                classify(datagram);
                claimed_ufrag(datagram);
                let before = (transport.path(), transport.state());
                assert_eq!(transport.check(datagram, from, now), Checked::Refused, "nobody guesses the password");
                assert_eq!((transport.path(), transport.state()), before);
            }
            2 | 3 => {
                let (id, attributes) = (input.byte(), input.piece());
                if let Some(request) = check(&transport, id, attributes) {
                    if let Some(ufrag) = claimed_ufrag(&request) {
                        assert_eq!(ufrag, transport.ufrag());
                    }
                    let checked = transport.check(&request, from, now);
                    assert_eq!(drain(&mut transport).len(), usize::from(checked != Checked::Refused));
                }
            }
            4 => {
                let read = transport.read(input.piece(), from, now);
                assert!(matches!(read, Read::Nothing | Read::Refused(_)), "nothing is authentic yet");
            }
            5 => transport.restart(),
            6 => transport.forget(from),
            _ => {
                now += Duration::from_millis(u64::from(input.short()));
            }
        }
        drain(&mut transport);
        assert!(!matches!(transport.state(), State::Up | State::Silent));
        transport.tick(now);
        assert!(transport.deadline().is_none_or(|deadline| deadline > now), "it would be called without end");
    }
}

/// DTLS from a client on a proven path that has no keys: records as they come, and handshake messages in true frames.
pub fn dtls(bytes: &[u8]) {
    let mut now = *START;
    let mut transport = Transport::new(&HUB, now);
    let from = path(1);
    let Some(request) = check(&transport, 0, &[0, 0x25, 0, 0]) else { return };
    transport.check(&request, from, now);
    drain(&mut transport);
    let mut input = Input::new(bytes);
    let (mut sequence, mut record) = (0_u16, 0_u64);
    let mut cookie = Vec::new();
    while !input.is_over() {
        let datagram = match input.byte() % 8 {
            0 => input.long_piece().to_vec(),
            1 => {
                now += Duration::from_millis(u64::from(input.byte()) * 10);
                transport.tick(now);
                drain(&mut transport);
                continue;
            }
            2 => {
                // A record of any kind and epoch.
                let (kind, epoch) = (input.one_of(&[20_u8, 21, 22, 23, 25]), input.flag());
                record += 1;
                framed(kind, epoch.into(), record, input.long_piece())
            }
            3 | 4 => {
                let with_cookie = input.flag();
                let hello = hello(if with_cookie { &cookie } else { &[] }, input.piece());
                let datagram = message(1, sequence, record, &hello);
                (sequence, record) = (sequence.saturating_add(1), record + 1);
                datagram
            }
            _ => {
                let kind = input.one_of(&[1_u8, 11, 12, 14, 15, 16, 20]);
                sequence = sequence.saturating_add(u16::from(input.flag()));
                record += 1;
                message(kind, sequence, record, input.long_piece())
            }
        };
        assert!(matches!(transport.read(&datagram, from, now), Read::Nothing | Read::Refused(_)));
        for sent in drain(&mut transport) {
            // Handshake, hello verify request: the cookie ends it.
            if let (Some(3), Some(found)) = (sent.get(13), sent.get(28..)) {
                cookie = found.to_vec();
            }
        }
        assert!(!matches!(transport.state(), State::Up | State::Silent), "up without keys");
    }
}

fn framed(kind: u8, epoch: u16, record: u64, body: &[u8]) -> Vec<u8> {
    let [_, _, number @ ..] = record.to_be_bytes();
    let mut datagram = vec![kind, 254, 253];
    datagram.extend_from_slice(&epoch.to_be_bytes());
    datagram.extend_from_slice(&number);
    datagram.extend_from_slice(&u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes());
    datagram.extend_from_slice(body);
    datagram
}

fn message(kind: u8, sequence: u16, record: u64, body: &[u8]) -> Vec<u8> {
    let [_, high, middle, low] = u32::try_from(body.len()).unwrap_or_default().to_be_bytes();
    let [sequence_high, sequence_low] = sequence.to_be_bytes();
    let mut bytes = vec![kind, high, middle, low, sequence_high, sequence_low, 0, 0, 0, high, middle, low];
    bytes.extend_from_slice(body);
    framed(22, 0, record, &bytes)
}

/// A client hello up to its extensions, which are the fuzzer's.
fn hello(cookie: &[u8], extensions: &[u8]) -> Vec<u8> {
    let mut hello = vec![254, 253];
    hello.extend_from_slice(&[7; 32]);
    hello.push(0);
    hello.push(u8::try_from(cookie.len()).unwrap_or_default());
    hello.extend_from_slice(cookie);
    // TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256; no compression.
    hello.extend_from_slice(&[0, 2, 0xC0, 0x2B, 1, 0]);
    hello.extend_from_slice(&u16::try_from(extensions.len()).unwrap_or_default().to_be_bytes());
    hello.extend_from_slice(extensions);
    hello
}
