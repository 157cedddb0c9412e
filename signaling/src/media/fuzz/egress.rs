//! What a viewer says, and what is sent to one.

use crate::fuzz::Input;
use crate::fuzz::input::START;
use crate::media::egress::{Class, Egress, OutPacket, Seal, Stream};
use bytes::{Bytes, BytesMut};
use std::time::{Duration, Instant};

const AUDIO: u32 = 1;
const VIDEO: u32 = 100;
const RTX: u32 = 101;

/// Encrypts nothing; checks that no number goes out under two contents, which would give AES-GCM's key away (RFC 7714, 8.4).
#[derive(Debug, Default)]
struct Plain {
    sent: std::collections::HashMap<(u32, u16), BytesMut>,
    highest: std::collections::HashMap<u32, u64>,
}

impl Seal for Plain {
    fn seal_rtp(&mut self, header: &rtc::rtp::Header, packet: &[u8]) -> Option<BytesMut> {
        let sequence = header.sequence_number;
        let highest = self.highest.entry(header.ssrc).or_insert(u64::from(sequence));
        let [.., high, low] = highest.to_be_bytes();
        let ahead = sequence.wrapping_sub(u16::from_be_bytes([high, low]));
        if (1..0x8000).contains(&ahead) {
            *highest += u64::from(ahead);
            // The number space has turned: what is half a turn old may come again under the next rollover.
            let newest = sequence;
            let ssrc = header.ssrc;
            self.sent.retain(|(of, number), _| *of != ssrc || newest.wrapping_sub(*number) < 0x8000);
        }
        let before = self.sent.insert((header.ssrc, sequence), BytesMut::from(packet));
        assert!(before.is_none_or(|before| before == packet), "one number, two contents");
        let mut sealed = BytesMut::from(packet);
        sealed.extend_from_slice(&[0; 16]);
        Some(sealed)
    }

    fn seal_rtcp(&mut self, compound: &[u8]) -> Option<BytesMut> {
        assert!(rtc::rtcp::packet::unmarshal(&mut &*compound).is_ok(), "others cannot read it");
        Some(BytesMut::from(compound))
    }
}

fn streams(which: u8) -> Vec<Stream> {
    let audio = Stream { ssrc: AUDIO, clock_rate: 48_000, rtx: None, is_audio: true };
    let rtx = (which & 1 == 0).then(|| (RTX, vec![(96, 97), (98, 99)]));
    let video = Stream { ssrc: VIDEO, clock_rate: 90_000, rtx, is_audio: false };
    if which & 2 == 0 { vec![audio, video] } else { vec![video] }
}

/// Packets, RTCP of any kind, and time.
pub fn egress(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut now = *START;
    let mut egress = Egress::new(Plain::default(), "hub", now);
    egress.negotiated(streams(0), Some(5));
    let (mut audio, mut video, mut left_out) = (0_u16, 0_u16, 0);
    while !input.is_over() {
        match input.byte() % 16 {
            0..=4 => {
                let (choice, size) = (input.byte(), usize::from(input.byte()) * 5);
                let count = if choice & 0x80 == 0 { 1 } else { input.byte() % 64 };
                for _ in 0..count {
                    let is_audio = choice & 1 == 1;
                    let sequence = if is_audio { &mut audio } else { &mut video };
                    *sequence = if choice & 2 == 0 { sequence.wrapping_add(1) } else { input.short() };
                    let packet = OutPacket {
                        ssrc: if is_audio { AUDIO } else { VIDEO },
                        payload_type: if is_audio { 111 } else { 96 },
                        sequence: *sequence,
                        timestamp: u32::from(*sequence) * 3_000,
                        marker: choice & 4 == 0,
                        payload: Bytes::from(vec![choice; size]),
                        captured: (choice & 8 == 0).then_some(u64::from(*sequence) << 28),
                        class: match choice & 0x11 {
                            0 => Class::Video,
                            0x10 => Class::Screen,
                            _ => Class::Audio,
                        },
                    };
                    egress.push(packet, now);
                }
            }
            5 => {
                egress.rtcp(input.piece(), now);
            }
            6..=11 => {
                let compound = feedback(&mut input);
                egress.rtcp(&compound, now);
            }
            12 => {
                // What was left out does not come back.
                left_out |= input.byte() & 2;
                let id = input.one_of(&[Some(5), Some(0), Some(15), Some(200), None]);
                egress.negotiated(streams(left_out | (input.byte() & 1)), id);
            }
            13 => egress.want(u64::from(input.word()) << (input.byte() % 33)),
            14 => now += Duration::from_millis(input.byte().into()),
            _ => now += Duration::from_millis(input.short().into()),
        }
        serve(&mut egress, now);
        let estimate = egress.estimate();
        assert!((50_000..=8_000_000).contains(&estimate), "an estimate of {estimate}");
        while egress.poll_event().is_some() {}
        let stats = egress.stats();
        assert!((0.0..=1.0).contains(&stats.loss) && stats.queue_ms >= 0.0);
    }
}

/// Does all that is due now, which must come to an end.
fn serve(egress: &mut Egress<Plain>, now: Instant) {
    let mut sent = 0;
    for _ in 0..8 {
        egress.tick(now);
        while let Some(datagram) = egress.poll_transmit(now) {
            assert!(datagram.len() <= 1500);
            sent += 1;
            assert!(sent < 5_000, "datagrams without end");
        }
        let deadline = egress.deadline(now);
        assert!(deadline <= now + Duration::from_secs(1));
        if deadline > now {
            return;
        }
    }
    unreachable!("something is due again and again");
}

/// One RTCP message with a true length, of the kinds that are read.
fn feedback(input: &mut Input<'_>) -> Vec<u8> {
    let (kind, count) = input.one_of(&[(205_u8, 15_u8), (205, 1), (206, 15), (206, 1), (206, 4), (201, 1), (200, 1)]);
    let mut body = Vec::new();
    // Who speaks, and of which stream.
    body.extend_from_slice(&[0, 0, 0, 7]);
    body.extend_from_slice(&input.one_of(&[VIDEO, AUDIO, RTX, 0]).to_be_bytes());
    body.extend_from_slice(input.piece());
    body.resize(body.len().next_multiple_of(4), 0);
    let mut message = vec![0x80 | count, kind];
    message.extend_from_slice(&u16::try_from(body.len() / 4).unwrap_or_default().to_be_bytes());
    message.extend_from_slice(&body);
    message
}
