//! What comes from the network into the media plane.

mod call;
mod egress;
mod handshake;
mod receive;

pub use call::call;
pub use egress::egress;
pub use handshake::{dtls, stun};
pub use receive::receive;

use super::sdp::standing::{Change, StandingOffer, restart_fragment};
use super::sdp::{self, Local, Slot};
use super::{Codec, av1, h264, port, vp8, vp9};
use crate::fuzz::Input;
use crate::message::{Direction, Kind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tokio::io::{AsyncReadExt as _, BufReader};

/// Session descriptions and fragments.
pub fn sdp(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let candidates = ["candidate:1 1 udp 2130706431 192.0.2.1 7000 typ host".to_owned()];
    let fingerprint = ["sha-256 00", &":00".repeat(31)].concat();
    let local = Local {
        ufrag: "ourFragment",
        pwd: "ourPasswordOf22Letters",
        fingerprint: &fingerprint,
        candidates: &candidates,
    };
    if let Ok(offer) = sdp::read_offer(&text) {
        let slots: Vec<_> =
            offer.sections.iter().zip(1..).map(|(section, n)| slot(&section.mid, section.kind, 2 * n)).collect();
        let answer = sdp::write_answer(&offer, local, &slots);
        let sections = |text: &str| text.lines().filter(|line| line.starts_with("m=")).count();
        assert!(sections(&answer) <= sdp::MAX_SECTIONS);
        assert!(answer.len() <= 4 * text.len() + 4096, "{} bytes ask for {}", text.len(), answer.len());
        // The client would have to read it: as an offer it must at least be one.
        for section in &offer.sections {
            assert!(section.rids.len() <= sdp::MAX_LAYERS && section.ssrcs.len() <= sdp::MAX_SSRCS);
        }
        let is_alive = offer.sections.iter().any(|section| !section.codecs.is_empty());
        assert!(restart_fragment(&answer).is_some() || !is_alive, "our own answer");
    }
    let slots = [slot("0", Kind::Audio, 7), slot("1", Kind::Video, 20), slot("2", Kind::Screen, 30)];
    for count in 1..=slots.len() {
        let slots = slots.get(..count).unwrap_or_default();
        if let Ok(answer) = sdp::read_answer(&text, slots) {
            assert_eq!(answer.sections.len(), slots.len());
            assert!(answer.sections.iter().all(|section| section.takes != section.codecs.is_empty()));
        }
    }
    // What follows the first empty line is a fragment.
    let (offer, fragment) = text.split_once("\n\n").unwrap_or((&text, &text));
    for direction in [Direction::Publish, Direction::Subscribe] {
        let Ok(standing) = StandingOffer::read(offer.to_owned(), direction) else { continue };
        if let Ok(Change::Restart(restarted)) = standing.change(fragment) {
            assert_eq!(restarted.change(fragment), Ok(Change::Candidates), "it has these credentials now");
            assert_eq!(StandingOffer::read(restarted.text().to_owned(), direction), Ok(restarted));
        }
    }
    let _ = restart_fragment(&text);
}

fn slot(mid: &str, kind: Kind, ssrc: u32) -> Slot {
    let rtx_ssrc = (kind != Kind::Audio).then_some(ssrc + 1);
    Slot { mid: mid.to_owned(), kind, msid: "podium".to_owned(), ssrc, rtx_ssrc, active: true }
}

/// The payload formats: what they say, moving their numbers, and putting pictures together.
pub fn codecs(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (by, tl0_by) = (input.short(), input.byte());
    let payload = input.rest();
    for codec in [Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1] {
        codec.starts_key_frame(payload);
        codec.picture_size(payload);
    }
    let (mut moved, before) = (payload.to_vec(), vp8::picture_ids(payload));
    let told = vp8::move_picture_ids(&mut moved, by, tl0_by);
    let data = vp8::descriptor(payload).map_or(payload.len(), |descriptor| descriptor.data);
    check_moved(payload, &moved, data, before, told, vp8::picture_ids(&moved));
    let (mut moved, before) = (payload.to_vec(), vp9::picture_ids(payload));
    let told = vp9::move_picture_ids(&mut moved, by, tl0_by);
    let data = vp9::descriptor(payload).map_or(payload.len(), |descriptor| descriptor.data);
    check_moved(payload, &moved, data, before, told, vp9::picture_ids(&moved));
    h264::sps_size(payload);
    temporal_units(payload);
    let mut assembler = h264::Assembler::default();
    let mut pieces = Input::new(payload);
    let mut pushed = 0;
    while !pieces.is_over() {
        let piece = pieces.piece();
        assembler.push(piece);
        pushed += piece.len();
        if pieces.byte() == 0
            && let Some(units) = assembler.take()
        {
            assert!(units.iter().map(Vec::len).sum::<usize>() <= pushed, "more comes out than went in");
            pushed = 0;
        }
    }
}

/// AV1, from packets to what a file holds.
fn temporal_units(payload: &[u8]) {
    let mut assembler = av1::Assembler::default();
    let mut pieces = Input::new(payload);
    let mut pushed = 0;
    while !pieces.is_over() {
        let piece = pieces.piece();
        if !assembler.push(piece) {
            (assembler, pushed) = (av1::Assembler::default(), 0);
            continue;
        }
        pushed += piece.len();
        if pieces.byte() == 0
            && let Some(obus) = assembler.take()
        {
            let bytes: usize = obus.iter().map(Vec::len).sum();
            assert!(bytes <= pushed, "more comes out than went in");
            pushed = 0;
            if let Some(unit) = av1::low_overhead(&obus) {
                // Each OBU's size takes at most four bytes.
                assert!(unit.data.len() <= bytes + 4 * obus.len(), "it grew by more than its sizes");
            }
        }
    }
}

type Ids = Option<(u16, u8)>;

/// Only numbers move, and to where it is told.
fn check_moved(payload: &[u8], moved: &[u8], data: usize, before: Ids, told: Ids, after: Ids) {
    assert_eq!(payload.len(), moved.len());
    assert_eq!(payload.get(data..), moved.get(data..), "the picture itself was changed");
    assert_eq!(before.is_some(), after.is_some());
    // Where the second number is absent it is told, and cannot be read back.
    assert_eq!(told.map(|(picture, _)| picture), after.map(|(picture, _)| picture));
}

/// Frames on a TCP connection (RFC 4571), in whatever pieces they come.
pub fn tcp(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let cut = usize::from(input.short());
    let stream = input.rest();
    let (first, second) = stream.split_at(cut.min(stream.len()));
    let mut reader = BufReader::with_capacity(64, first.chain(second));
    let mut expected = stream;
    loop {
        let got = {
            // Memory is always ready.
            let Poll::Ready(got) = pin!(port::tcp::read_one(&mut reader)).poll(&mut Context::from_waker(Waker::noop()))
            else {
                return;
            };
            got
        };
        let frame = next_frame(&mut expected);
        assert_eq!(got.ok().as_deref(), frame);
        if frame.is_none() {
            return;
        }
    }
}

fn next_frame<'a>(stream: &mut &'a [u8]) -> Option<&'a [u8]> {
    loop {
        let (length, rest) = stream.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (frame, rest) = rest.split_at_checked(length).filter(|_| length <= 2048)?;
        *stream = rest;
        if length > 0 {
            return Some(frame);
        }
    }
}
