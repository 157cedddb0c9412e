//! A publisher's connection as browsers, encoders and the network treat it, in virtual time.

mod hostile;
mod loss;
mod places;
mod reports;

use super::*;
use crate::media::Codec;
use crate::media::sdp::{CodecEntry, Extension};
use bytes::Buf;
use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rtc::rtcp::goodbye::Goodbye;
use rtc::rtcp::packet::{Packet, marshal, unmarshal};
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::shared::marshal::{Marshal, Unmarshal};
use std::collections::BTreeMap;

const LEVEL: u8 = 1;
const TRANSPORT: u8 = 3;
const MID: u8 = 4;
const RID: u8 = 10;
const REPAIRED: u8 = 11;
const OPUS: u8 = 111;
const VP8: u8 = 96;
const RESEND: u8 = 97;

/// The first bytes of a VP8 key frame and of another frame, behind a descriptor without anything.
const KEY_FRAME: [u8; 11] = [0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01];

const FRAME: [u8; 4] = [0x10, 0x11, 0x02, 0x00];

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn section(mid: &str, kind: Kind, rids: &[&str]) -> Section {
    let codec = match kind {
        Kind::Audio => CodecEntry { payload_type: OPUS, codec: Codec::Opus, rtx: None },
        Kind::Video | Kind::Screen => CodecEntry { payload_type: VP8, codec: Codec::Vp8, rtx: Some(RESEND) },
    };
    Section {
        mid: mid.to_owned(),
        kind,
        sends: true,
        takes: false,
        codecs: vec![codec],
        extensions: vec![
            (LEVEL, Extension::AudioLevel),
            (TRANSPORT, Extension::TransportCc),
            (MID, Extension::Mid),
            (RID, Extension::Rid),
            (REPAIRED, Extension::RepairedRid),
        ],
        rids: rids.iter().map(|rid| (*rid).to_owned()).collect(),
        ssrcs: Vec::new(),
        rtx_ssrcs: Vec::new(),
    }
}

fn audio() -> Section {
    Section { ssrcs: vec![1], ..section("0", Kind::Audio, &[]) }
}

fn camera() -> Section {
    Section { ssrcs: vec![2], rtx_ssrcs: vec![(3, 2)], ..section("1", Kind::Video, &[]) }
}

/// A packet in the making.
#[derive(Debug, Clone)]
struct Sent {
    header: Header,
    payload: Vec<u8>,
    padding: u8,
}

fn sent(ssrc: u32, payload_type: u8, sequence: u16, timestamp: u32, payload: &[u8]) -> Sent {
    let header = Header {
        version: 2,
        ssrc,
        payload_type,
        sequence_number: sequence,
        timestamp,
        marker: true,
        ..Header::default()
    };
    Sent { header, payload: payload.to_vec(), padding: 0 }
}

impl Sent {
    fn with(mut self, id: u8, value: &[u8]) -> Self {
        self.header.set_extension(id, Bytes::copy_from_slice(value)).unwrap();
        self
    }

    fn padded(mut self, padding: u8) -> Self {
        (self.padding, self.header.padding) = (padding, padding > 0);
        self
    }

    /// As a resend: under its own SSRC and number, the original number before the payload (RFC 4588).
    fn again(&self, ssrc: u32, sequence: u16) -> Self {
        let mut again = self.clone();
        (again.header.ssrc, again.header.payload_type, again.header.sequence_number) = (ssrc, RESEND, sequence);
        again.payload.splice(0..0, self.header.sequence_number.to_be_bytes());
        again
    }

    fn to(&self, receiver: &mut Receiver, now: Instant) -> Option<(Kind, MediaPacket)> {
        let mut bytes = BytesMut::from(&self.header.marshal().unwrap()[..]);
        bytes.extend_from_slice(&self.payload);
        bytes.extend_from_slice(&vec![self.padding; self.padding.into()]);
        let header = Header::unmarshal(&mut &bytes[..]).unwrap();
        receiver.rtp(&header, bytes, now)
    }
}

/// What goes back to the sender now.
fn feedback(receiver: &mut Receiver, now: Instant) -> Vec<Box<dyn Packet>> {
    let mut all = Vec::new();
    while let Some(compound) = receiver.poll_rtcp(now) {
        assert!(compound.len() <= control::LONGEST, "{}", compound.len());
        all.extend(unmarshal(&mut &compound[..]).unwrap());
    }
    assert!(receiver.deadline() > now);
    all
}

fn of<P: 'static>(packets: &[Box<dyn Packet>]) -> impl Iterator<Item = &P> {
    packets.iter().filter_map(|packet| packet.as_any().downcast_ref())
}

fn nacks(packets: &[Box<dyn Packet>]) -> Vec<u16> {
    of::<TransportLayerNack>(packets).flat_map(|nack| &nack.nacks).flat_map(|pair| pair.packet_list()).collect()
}

fn report(receiver: &mut Receiver, ssrc: u32, ntp: u64, timestamp: u32, now: Instant) {
    let report = SenderReport { ssrc, ntp_time: ntp, rtp_time: timestamp, ..Default::default() };
    receiver.rtcp(&marshal(&[Box::new(report)]).unwrap(), now);
}
