//! What an authenticated publisher sends, through the receiver and a viewer's copy of it.

use crate::fuzz::Input;
use crate::fuzz::input::START;
use crate::media::Codec;
use crate::media::forward::{Output, Step};
use crate::media::receive::Receiver;
use crate::media::sdp::{CodecEntry, Extension, Section};
use crate::message::Kind;
use bytes::BytesMut;
use rtc::rtp::Header;
use rtc::shared::marshal::Unmarshal as _;
use std::time::{Duration, Instant};

const TYPES: [u8; 9] = [111, 96, 97, 98, 99, 45, 46, 102, 103];

fn section(mid: &str, kind: Kind, rids: &[&str]) -> Section {
    let entry = |payload_type, codec, rtx| CodecEntry { payload_type, codec, rtx };
    let codecs = match kind {
        Kind::Audio => vec![entry(111, Codec::Opus, None)],
        Kind::Video | Kind::Screen => vec![
            entry(96, Codec::Vp8, Some(97)),
            entry(98, Codec::Vp9, Some(99)),
            entry(45, Codec::Av1, Some(46)),
            entry(102, Codec::H264, Some(103)),
        ],
    };
    Section {
        mid: mid.to_owned(),
        kind,
        sends: true,
        takes: false,
        codecs,
        extensions: vec![
            (1, Extension::AudioLevel),
            (3, Extension::TransportCc),
            (4, Extension::Mid),
            (10, Extension::Rid),
            (11, Extension::RepairedRid),
        ],
        rids: rids.iter().map(|rid| (*rid).to_owned()).collect(),
        ssrcs: Vec::new(),
        rtx_ssrcs: Vec::new(),
    }
}

fn sections(which: u8) -> Vec<Section> {
    let rids: &[&str] = if which & 1 == 0 { &["q", "h", "f"] } else { &[] };
    let mut all = vec![
        Section { ssrcs: vec![1], ..section("0", Kind::Audio, &[]) },
        section("1", Kind::Video, rids),
        Section { ssrcs: vec![5], rtx_ssrcs: vec![(6, 5)], ..section("2", Kind::Screen, &[]) },
    ];
    if which & 2 != 0 {
        all.pop();
    }
    if which & 4 != 0 {
        all.reverse();
    }
    all
}

/// A packet with a true header, told in few bytes.
fn packet(input: &mut Input<'_>, sequence: &mut u16) -> Vec<u8> {
    let flags = input.byte();
    let payload_type = input.one_of(&TYPES);
    let ssrc = u32::from(input.byte() % 24);
    // Mostly the next number, now and then another.
    *sequence = if flags & 1 == 0 { sequence.wrapping_add(input.byte().into()) } else { input.short() };
    let timestamp = if flags & 2 == 0 { u32::from(*sequence).wrapping_mul(960) } else { input.word() };
    let extended = flags & 4 != 0;
    let padded = flags & 8 != 0;
    let mut bytes = vec![0x80 | (u8::from(extended) << 4) | (u8::from(padded) << 5), payload_type | (flags & 0x80)];
    bytes.extend_from_slice(&sequence.to_be_bytes());
    bytes.extend_from_slice(&timestamp.to_be_bytes());
    bytes.extend_from_slice(&ssrc.to_be_bytes());
    if extended {
        let mut block = match flags & 0x30 {
            0x00 => {
                // The mid and rid that places are found by.
                let (mid, rid) = (b'0' + input.byte() % 4, input.one_of(b"qhfx"));
                let name = if flags & 0x40 == 0 { 0xa0 } else { 0xb0 };
                vec![0x40, mid, name, rid]
            }
            0x10 => [&[0x31][..], &input.short().to_be_bytes(), &[0x10, input.byte()]].concat(),
            _ => input.piece().to_vec(),
        };
        block.resize(block.len().next_multiple_of(4), 0);
        let profile: u16 = if flags & 0x20 != 0 && input.flag() { 0x1000 } else { 0xBEDE };
        bytes.extend_from_slice(&profile.to_be_bytes());
        bytes.extend_from_slice(&u16::try_from(block.len() / 4).unwrap_or_default().to_be_bytes());
        bytes.extend_from_slice(&block);
    }
    bytes.extend_from_slice(input.piece());
    bytes
}

/// RTP and RTCP of a publisher, in any order and at any time.
pub fn receive(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mut now = *START;
    let mut receiver = Receiver::new(now);
    receiver.negotiated(&sections(input.byte()));
    let mut outputs = [Output::new(100, Kind::Audio), Output::new(102, Kind::Video), Output::new(104, Kind::Screen)];
    outputs.iter_mut().for_each(|output| output.aim(Some(0)));
    let mut sequence = 0;
    while !input.is_over() {
        match input.byte() % 16 {
            0..=8 => {
                let bytes = packet(&mut input, &mut sequence);
                rtp(&mut receiver, &mut outputs, &bytes, now);
            }
            9 => rtp(&mut receiver, &mut outputs, input.piece(), now),
            10 => receiver.rtcp(input.piece(), now),
            11 => {
                let mut compound = vec![0x80 | (input.byte() & 0x1f), input.one_of(&[200, 203, 201, 202, 205, 206])];
                let body = input.piece();
                compound.extend_from_slice(&u16::try_from(body.len() / 4).unwrap_or_default().to_be_bytes());
                compound.extend_from_slice(body);
                receiver.rtcp(&compound, now);
            }
            12 => receiver.negotiated(&sections(input.byte())),
            13 => {
                let (place, layer) = (usize::from(input.byte() % 3), usize::from(input.byte() % 5));
                if let Some(output) = outputs.get_mut(place) {
                    output.aim((layer < 4).then_some(layer));
                }
            }
            14 => now += Duration::from_millis(input.byte().into()),
            _ => now += Duration::from_millis(input.short().into()),
        }
        feedback(&mut receiver, now);
    }
    let stats = receiver.stats();
    assert!((0.0..=1.0).contains(&stats.fraction_lost));
    assert!(stats.requests <= 200_000);
}

fn rtp(receiver: &mut Receiver, outputs: &mut [Output; 3], bytes: &[u8], now: Instant) {
    // As the transport gives it: a header that can be read, before the whole packet.
    let Ok(header) = Header::unmarshal(&mut &*bytes) else { return };
    let Some((kind, packet)) = receiver.rtp(&header, BytesMut::from(bytes), now) else { return };
    assert!(packet.payload.len() <= bytes.len());
    assert!(packet.layer < 4);
    let [audio, video, screen] = outputs;
    let output = match kind {
        Kind::Audio => audio,
        Kind::Video => video,
        Kind::Screen => screen,
    };
    if let Step::Send(sent) = output.step(&packet, 96, now) {
        assert_eq!(sent.payload.len(), packet.payload.len());
        assert!(!sent.payload.is_empty(), "padding is left out");
    }
}

/// Takes what goes back: whole messages, bounded, and an end to it.
fn feedback(receiver: &mut Receiver, now: Instant) {
    let mut rounds = 0;
    while let Some(compound) = receiver.poll_rtcp(now) {
        assert!(compound.len() <= 1150 && compound.len().is_multiple_of(4));
        assert!(rtc::rtcp::packet::unmarshal(&mut &*compound).is_ok(), "others cannot read it");
        rounds += 1;
        assert!(rounds < 200, "feedback without end");
    }
    assert!(receiver.deadline() > now);
    for kind in [Kind::Audio, Kind::Video, Kind::Screen] {
        assert!(receiver.layers(kind, now).len() <= 4);
        for layer in 0..4 {
            receiver.take_lost(kind, layer);
            receiver.keyframe_request(kind, layer);
        }
    }
}
