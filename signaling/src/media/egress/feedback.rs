//! What a viewer says in RTCP, one message after the other, as far as it matters on the way out.
//!
//! Own readers where the library's are no good against strangers: its transport-wide feedback allocates a megabyte for thirty bytes,
//! and its REMB takes a rate of zero for eight megabits a second.

use crate::media::bandwidth::twcc;
use rtc::rtcp::header::{FORMAT_FIR, FORMAT_PLI, FORMAT_REMB, FORMAT_TCC, FORMAT_TLN, Header, PacketType};
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::receiver_report::ReceiverReport;
use rtc::rtcp::reception_report::ReceptionReport;
use rtc::rtcp::sender_report::SenderReport;
use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;
use rtc::shared::marshal::Unmarshal;

/// Messages of one datagram beyond these are not looked at.
const MOST_MESSAGES: usize = 64;
const MOST_TRANSPORT_CC: usize = 8;
/// Sequence numbers of one datagram beyond these are not looked up.
const MOST_NACKED: usize = 1024;
const HEADER: usize = 4;

#[derive(Debug)]
pub(super) enum Message<'a> {
    Reception(ReceptionReport),
    /// A lost packet of this stream.
    Nack(u32, u16),
    TransportCc(twcc::Feedback<'a>),
    /// Bits a second.
    Remb(u64),
    /// A whole picture of this stream is wanted (PLI, FIR).
    Keyframe(u32),
}

/// Calls `heard` for each message that can be understood; those that cannot are passed over.
pub(super) fn each<'a>(compound: &'a [u8], mut heard: impl FnMut(Message<'a>)) {
    let mut rest = compound;
    let (mut transport_cc, mut nacked) = (0, 0);
    for _ in 0..MOST_MESSAGES {
        let Ok(header) = Header::unmarshal(&mut &*rest) else { return };
        let length = HEADER * (usize::from(header.length) + 1);
        let Some((packet, after)) = rest.split_at_checked(length) else { return };
        rest = after;
        match (header.packet_type, header.count) {
            (PacketType::ReceiverReport, _) => {
                let Ok(report) = ReceiverReport::unmarshal(&mut &*packet) else { continue };
                report.reports.into_iter().for_each(|reception| heard(Message::Reception(reception)));
            }
            (PacketType::SenderReport, _) => {
                let Ok(report) = SenderReport::unmarshal(&mut &*packet) else { continue };
                report.reports.into_iter().for_each(|reception| heard(Message::Reception(reception)));
            }
            (PacketType::TransportSpecificFeedback, FORMAT_TLN) => {
                let Ok(nack) = TransportLayerNack::unmarshal(&mut &*packet) else { continue };
                for sequence in nack.nacks.into_iter().flatten() {
                    nacked += 1;
                    if nacked > MOST_NACKED {
                        break;
                    }
                    heard(Message::Nack(nack.media_ssrc, sequence));
                }
            }
            (PacketType::TransportSpecificFeedback, FORMAT_TCC) => {
                transport_cc += 1;
                if transport_cc <= MOST_TRANSPORT_CC
                    && let Some(feedback) = packet.get(HEADER + 8..).and_then(twcc::Feedback::read)
                {
                    heard(Message::TransportCc(feedback));
                }
            }
            (PacketType::PayloadSpecificFeedback, FORMAT_PLI) => {
                if let Some(ssrc) = word(packet, 2) {
                    heard(Message::Keyframe(ssrc));
                }
            }
            (PacketType::PayloadSpecificFeedback, FORMAT_FIR) => {
                let Ok(request) = FullIntraRequest::unmarshal(&mut &*packet) else { continue };
                request.fir.iter().for_each(|entry| heard(Message::Keyframe(entry.ssrc)));
            }
            (PacketType::PayloadSpecificFeedback, FORMAT_REMB) => {
                if let Some(rate) = remb(packet) {
                    heard(Message::Remb(rate));
                }
            }
            _ => (),
        }
    }
}

/// draft-alvestrand-rmcat-remb-03, section 2.2.
fn remb(packet: &[u8]) -> Option<u64> {
    if word(packet, 3)? != u32::from_be_bytes(*b"REMB") {
        return None;
    }
    let value = word(packet, 4)?;
    let (exponent, mantissa) = ((value >> 18) & 0x3f, u64::from(value & 0x3_ffff));
    Some(if mantissa.leading_zeros() < exponent { u64::MAX } else { mantissa << exponent })
}

/// The packet's 32-bit word at this place.
fn word(packet: &[u8], place: usize) -> Option<u32> {
    packet.get(4 * place..)?.first_chunk::<4>().map(|four| u32::from_be_bytes(*four))
}
