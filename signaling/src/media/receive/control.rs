//! RTCP, read and written (RFC 3550, 6; RFC 4585, 6). Only what a receiver needs of it, without memory of its own for each packet.

/// A compound is never longer, so that it fits into one datagram with what encryption adds.
pub(super) const LONGEST: usize = 1150;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;

/// What a publisher says of its own streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// Its clock (NTP, 32.32 bits) and the stream's, at one moment.
    Report {
        ssrc: u32,
        ntp: u64,
        timestamp: u32,
    },
    Goodbye {
        ssrc: u32,
    },
}

/// Reads a compound packet; stops at the first thing that does not hold together.
pub(super) fn read(compound: &[u8], mut each: impl FnMut(Said)) {
    let mut rest = compound;
    while let [first, kind, high, low, ..] = *rest {
        let words = usize::from(u16::from_be_bytes([high, low]));
        if first >> 6 != 2 {
            return;
        }
        let Some((packet, after)) = rest.split_at_checked(4 * (words + 1)) else { return };
        rest = after;
        let Some(body) = packet.get(4..) else { return };
        match kind {
            SENDER_REPORT => {
                let word = |at: usize| body.get(at..)?.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes));
                if let (Some(ssrc), Some(seconds), Some(fraction), Some(timestamp)) =
                    (word(0), word(4), word(8), word(12))
                {
                    each(Said::Report { ssrc, ntp: u64::from(seconds) << 32 | u64::from(fraction), timestamp });
                }
            }
            GOODBYE => {
                for ssrc in body.chunks_exact(4).take(usize::from(first & 0x1f)) {
                    if let Some(ssrc) = ssrc.first_chunk::<4>() {
                        each(Said::Goodbye { ssrc: u32::from_be_bytes(*ssrc) });
                    }
                }
            }
            _ => {}
        }
    }
}

/// How one stream is received (RFC 3550, 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub ssrc: u32,
    /// Of 256, since the last report.
    pub fraction_lost: u8,
    /// 24 bits, with sign.
    pub lost: i32,
    pub highest: u32,
    /// In ticks of the stream's clock.
    pub jitter: u32,
    /// The middle 32 bits of the last sender report's NTP time, and how long ago it came, in 1/65,536 s.
    pub last_report: u32,
    pub delay: u32,
}

/// A receiver report and, since a compound needs it, our name (RFC 3550, 6.1). At most 31 blocks; there are no more streams.
pub(super) fn receiver_report(out: &mut Vec<u8>, sender: u32, cname: &str, blocks: &[Block]) {
    let count = blocks.len().min(31);
    packet(out, RECEIVER_REPORT, u8::try_from(count).unwrap_or_default(), |out| {
        word(out, sender);
        for block in blocks.iter().take(count) {
            word(out, block.ssrc);
            let lost = block.lost.clamp(-0x80_0000, 0x7f_ffff).to_be_bytes();
            out.push(block.fraction_lost);
            out.extend_from_slice(&[lost[1], lost[2], lost[3]]);
            word(out, block.highest);
            word(out, block.jitter);
            word(out, block.last_report);
            word(out, block.delay);
        }
    });
    packet(out, SOURCE_DESCRIPTION, 1, |out| {
        word(out, sender);
        let name = cname.as_bytes();
        let name = name.get(..name.len().min(255)).unwrap_or(name);
        out.extend_from_slice(&[1, u8::try_from(name.len()).unwrap_or_default()]);
        out.extend_from_slice(name);
        // The list of items ends with at least one zero.
        out.push(0);
    });
}

/// Asks for packets again; `wanted` in rising order.
pub(super) fn nack(out: &mut Vec<u8>, sender: u32, media: u32, wanted: &[u16]) {
    packet(out, TRANSPORT_FEEDBACK, 1, |out| {
        word(out, sender);
        word(out, media);
        let mut wanted = wanted.iter().copied().peekable();
        while let Some(first) = wanted.next() {
            let mut others = 0u16;
            while let Some(bit) = wanted.next_if(|next| (1..=16).contains(&next.wrapping_sub(first))) {
                others |= 1 << (bit.wrapping_sub(first) - 1);
            }
            out.extend_from_slice(&first.to_be_bytes());
            out.extend_from_slice(&others.to_be_bytes());
        }
    });
}

/// Asks for a key frame (RFC 4585, 6.3.1).
pub(super) fn picture_loss(sender: u32, media: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(12);
    packet(&mut out, PAYLOAD_FEEDBACK, 1, |out| {
        word(out, sender);
        word(out, media);
    });
    out
}

/// Transport-wide congestion control feedback; `body` is what follows the SSRCs. Its padding is told in the header, as the draft wants it.
pub(super) fn transport_feedback(out: &mut Vec<u8>, sender: u32, media: u32, body: &[u8]) {
    let start = out.len();
    packet(out, TRANSPORT_FEEDBACK, 15, |out| {
        word(out, sender);
        word(out, media);
        out.extend_from_slice(body);
    });
    let padding = body.len().next_multiple_of(4) - body.len();
    if let (Ok(padding @ 1..), [.., last]) = (u8::try_from(padding), out.as_mut_slice()) {
        *last = padding;
        if let Some(first) = out.get_mut(start) {
            *first |= 0x20;
        }
    }
}

/// Header, body, zeros up to a whole word.
fn packet(out: &mut Vec<u8>, kind: u8, count: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0x80 | count, kind, 0, 0]);
    body(out);
    while !(out.len() - start).is_multiple_of(4) {
        out.push(0);
    }
    let words = u16::try_from((out.len() - start) / 4 - 1).unwrap_or_default();
    if let Some(length) = out.get_mut(start + 2..start + 4) {
        length.copy_from_slice(&words.to_be_bytes());
    }
}

fn word(out: &mut Vec<u8>, word: u32) {
    out.extend_from_slice(&word.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rtc::rtcp::goodbye::Goodbye;
    use rtc::rtcp::packet::{Packet, marshal, unmarshal};
    use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
    use rtc::rtcp::receiver_report::ReceiverReport;
    use rtc::rtcp::sender_report::SenderReport;
    use rtc::rtcp::source_description::SourceDescription;
    use rtc::rtcp::transport_feedbacks::transport_layer_nack::TransportLayerNack;

    fn said(compound: &[u8]) -> Vec<Said> {
        let mut all = Vec::new();
        read(compound, |said| all.push(said));
        all
    }

    #[test]
    fn reports_and_goodbyes_are_found_among_others() {
        let packets: Vec<Box<dyn Packet>> = vec![
            Box::new(SenderReport { ssrc: 7, ntp_time: 0x0102_0304_0506_0708, rtp_time: 9, ..Default::default() }),
            Box::new(SourceDescription::default()),
            Box::new(PictureLossIndication { sender_ssrc: 1, media_ssrc: 2 }),
            Box::new(Goodbye { sources: vec![7, 8], ..Default::default() }),
        ];
        let compound = marshal(&packets).unwrap();
        let report = Said::Report { ssrc: 7, ntp: 0x0102_0304_0506_0708, timestamp: 9 };
        assert_eq!(said(&compound), [report, Said::Goodbye { ssrc: 7 }, Said::Goodbye { ssrc: 8 }]);
        assert_eq!(said(&compound[..compound.len() - 1]), [report], "what is cut is not read");
    }

    #[test]
    fn what_we_write_is_what_others_read() {
        let mut out = Vec::new();
        let block = Block {
            ssrc: 5,
            fraction_lost: 64,
            lost: -3,
            highest: 0x0001_0002,
            jitter: 17,
            last_report: 0x0304_0506,
            delay: 65_536,
        };
        receiver_report(&mut out, 42, "hub", &[block, Block { ssrc: 6, lost: 0x7fff_ffff, ..block }]);
        nack(&mut out, 42, 5, &[65_530, 65_535, 0, 10, 11, 27]);
        out.extend(picture_loss(42, 5));
        let packets = unmarshal(&mut out.as_slice()).unwrap();
        let report = packets[0].as_any().downcast_ref::<ReceiverReport>().unwrap();
        assert_eq!((report.ssrc, report.reports.len()), (42, 2));
        let first = &report.reports[0];
        assert_eq!((first.ssrc, first.fraction_lost, first.total_lost, first.jitter), (5, 64, 0xff_fffd, 17));
        assert_eq!(
            (first.last_sequence_number, first.last_sender_report, first.delay),
            (0x0001_0002, 0x0304_0506, 65_536)
        );
        assert_eq!(report.reports[1].total_lost, 0x7f_ffff);
        let names = packets[1].as_any().downcast_ref::<SourceDescription>().unwrap();
        assert_eq!((names.chunks[0].source, &names.chunks[0].items[0].text[..]), (42, &b"hub"[..]));
        let nack = packets[2].as_any().downcast_ref::<TransportLayerNack>().unwrap();
        let wanted: Vec<u16> = nack.nacks.iter().flat_map(|pair| pair.packet_list()).collect();
        assert_eq!((nack.media_ssrc, nack.nacks.len(), wanted), (5, 2, vec![65_530, 65_535, 0, 10, 11, 27]));
        let loss = packets[3].as_any().downcast_ref::<PictureLossIndication>().unwrap();
        assert_eq!((loss.sender_ssrc, loss.media_ssrc), (42, 5));
    }

    proptest! {
        #[test]
        fn no_bytes_are_trouble(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(said(&bytes).len() <= bytes.len() / 4);
        }

        #[test]
        fn each_name_length_is_read_by_others(name in "[a-z]{0,20}") {
            let mut out = Vec::new();
            receiver_report(&mut out, 42, &name, &[]);
            let packets = unmarshal(&mut out.as_slice()).unwrap();
            let names = packets[1].as_any().downcast_ref::<SourceDescription>().unwrap();
            prop_assert_eq!(&names.chunks[0].items[0].text[..], name.as_bytes());
        }

        #[test]
        fn each_list_of_losses_is_read_by_others(start in any::<u16>(), steps in prop::collection::vec(1u16..40, 1..60)) {
            let mut wanted = vec![start];
            for step in steps {
                wanted.push(wanted[wanted.len() - 1].wrapping_add(step));
            }
            let mut out = Vec::new();
            nack(&mut out, 1, 2, &wanted);
            let packets = unmarshal(&mut out.as_slice()).unwrap();
            let nack = packets[0].as_any().downcast_ref::<TransportLayerNack>().unwrap();
            prop_assert_eq!(nack.nacks.iter().flat_map(|pair| pair.packet_list()).collect::<Vec<_>>(), wanted);
        }
    }
}
