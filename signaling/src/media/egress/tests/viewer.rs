//! What a simulated viewer gets and says: feedback, NACKs, reports.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a simulation of seconds and kilobytes stays far from every limit"
)]

use super::link::{AUDIO, RTX, VIDEO};
use rtc::rtcp::packet::Packet as Rtcp;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, StatusChunkTypeTcc, StatusVectorChunk, SymbolSizeTypeTcc, SymbolTypeTcc,
    TransportLayerCc,
};
use rtc::rtcp::transport_feedbacks::transport_layer_nack::{TransportLayerNack, nack_pairs_from_sequence_numbers};
use std::collections::{BTreeMap, BTreeSet};

/// What the viewer keeps of the packets it got.
#[derive(Debug, Default)]
pub struct Viewer {
    arrived: BTreeMap<u64, i64>,
    highest: Option<u64>,
    told_up_to: Option<u64>,
    feedback_count: u8,
    /// Extended sequence numbers of the video.
    pub video: BTreeSet<u64>,
    /// Those that did not need a second try.
    first_time: u64,
    video_highest: Option<u64>,
    missing: BTreeMap<u64, (i64, u8)>,
    pub audio: BTreeSet<u16>,
    last_report: Option<(u32, i64)>,
    reported: (u64, u64),
}

impl Viewer {
    pub fn take(&mut self, datagram: &[u8], at: i64) {
        let word = |place: usize| u32::from_be_bytes(datagram[place..place + 4].try_into().unwrap());
        if datagram[1] == 200 {
            self.last_report = Some((word(10), at));
            return;
        }
        let number = extend(self.highest, u16::from_be_bytes([datagram[17], datagram[18]]));
        self.highest = self.highest.max(Some(number));
        self.arrived.insert(number, at);
        let sequence = u16::from_be_bytes([datagram[2], datagram[3]]);
        match word(8) {
            AUDIO => _ = self.audio.insert(sequence),
            VIDEO => {
                self.first_time += 1;
                self.take_video(sequence, at);
            }
            RTX if datagram[0] & 0x20 == 0 => {
                self.take_video(u16::from_be_bytes([datagram[20], datagram[21]]), at);
            }
            _ => (),
        }
    }

    fn take_video(&mut self, sequence: u16, at: i64) {
        let sequence = extend(self.video_highest, sequence);
        if let Some(highest) = self.video_highest {
            for missing in highest + 1..sequence {
                self.missing.insert(missing, (at, 0));
            }
        }
        self.video_highest = self.video_highest.max(Some(sequence));
        self.missing.remove(&sequence);
        self.video.insert(sequence);
    }

    pub fn nack(&mut self, now: i64) -> Option<Box<dyn Rtcp>> {
        self.missing.retain(|_, (_, tries)| *tries < 10);
        let mut sequences = Vec::new();
        for (sequence, (asked, tries)) in &mut self.missing {
            if *tries == 0 || now - *asked > 60_000 {
                *tries += 1;
                *asked = now;
                sequences.push(*sequence as u16);
            }
        }
        let nacks = nack_pairs_from_sequence_numbers(&sequences);
        (!nacks.is_empty()).then(|| Box::new(TransportLayerNack { sender_ssrc: 7, media_ssrc: VIDEO, nacks }) as _)
    }

    pub fn transport_feedback(&mut self) -> Option<Box<dyn Rtcp>> {
        let highest = self.highest?;
        let base = self.told_up_to.map_or_else(|| *self.arrived.keys().next().unwrap(), |told| told + 1);
        if base > highest {
            return None;
        }
        self.told_up_to = Some(highest);
        let first = *self.arrived.range(base..).next()?.1;
        let reference = first / 64_000;
        let mut before = reference * 64_000;
        let (mut symbols, mut recv_deltas) = (Vec::new(), Vec::new());
        for number in base..=highest {
            let Some(at) = self.arrived.get(&number) else {
                symbols.push(SymbolTypeTcc::PacketNotReceived);
                continue;
            };
            let delta = (at - before) / 250 * 250;
            before += delta;
            let is_small = (0..=63_750).contains(&delta);
            let type_tcc_packet = if is_small {
                SymbolTypeTcc::PacketReceivedSmallDelta
            } else {
                SymbolTypeTcc::PacketReceivedLargeDelta
            };
            symbols.push(type_tcc_packet);
            recv_deltas.push(RecvDelta { type_tcc_packet, delta });
        }
        let chunks = symbols.chunks(7).map(|seven| {
            let mut symbol_list = seven.to_vec();
            symbol_list.resize(7, SymbolTypeTcc::PacketNotReceived);
            PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
                type_tcc: StatusChunkTypeTcc::StatusVectorChunk,
                symbol_size: SymbolSizeTypeTcc::TwoBit,
                symbol_list,
            })
        });
        self.feedback_count = self.feedback_count.wrapping_add(1);
        Some(Box::new(TransportLayerCc {
            sender_ssrc: 7,
            media_ssrc: VIDEO,
            base_sequence_number: base as u16,
            packet_status_count: symbols.len() as u16,
            reference_time: (reference & 0xff_ffff) as u32,
            fb_pkt_count: self.feedback_count,
            packet_chunks: chunks.collect(),
            recv_deltas,
        }))
    }

    pub fn report(&mut self, now: i64) -> Option<Box<dyn Rtcp>> {
        let highest = self.video_highest?;
        let got = self.first_time;
        let (last_highest, last_got) = std::mem::replace(&mut self.reported, (highest, got));
        let expected = highest.saturating_sub(last_highest).max(1);
        let lost = expected.saturating_sub(got - last_got);
        let (last_sender_report, delay) =
            self.last_report.map_or((0, 0), |(middle, at)| (middle, ((now - at) * 65_536 / 1_000_000) as u32));
        let reception = ReceptionReport {
            ssrc: VIDEO,
            fraction_lost: (lost * 256 / expected).min(255) as u8,
            last_sequence_number: highest as u32,
            last_sender_report,
            delay,
            ..ReceptionReport::default()
        };
        Some(Box::new(ReceiverReport { ssrc: 7, reports: vec![reception], ..ReceiverReport::default() }))
    }
}

fn extend(highest: Option<u64>, number: u16) -> u64 {
    let Some(highest) = highest else { return u64::from(number) + 65_536 };
    let ahead = number.wrapping_sub(highest as u16) as i16;
    highest.saturating_add_signed(i64::from(ahead))
}
