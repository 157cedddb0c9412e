//! Reads transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1).
//!
//! Our own reader: it allocates nothing, so a few hostile bytes that claim 65,535 arrivals cost nothing.

/// Feedback on more packets than this is refused: no more are ever remembered as sent ([`super::sent::MOST`]).
const MOST_STATUSES: u16 = 4096;
/// The receiver's reference time counts steps of 64 ms.
const REFERENCE_STEP: i64 = 64_000;
/// Arrival deltas count steps of 250 µs.
const DELTA_STEP: i64 = 250;

/// One feedback message. Its body is checked to be whole when it is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Feedback<'a> {
    /// The transport-wide number of the first packet it tells of.
    pub base: u16,
    /// How many packets it tells of.
    pub count: u16,
    /// The receiver's clock in steps of 64 ms, 24 bits.
    pub reference: u32,
    chunks: &'a [u8],
    deltas: &'a [u8],
}

/// What became of one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Lost,
    /// Arrived this many microseconds after the message's reference time.
    Arrived(i64),
    /// Arrived, but the receiver does not tell when.
    ArrivedSometime,
}

impl<'a> Feedback<'a> {
    /// `body` is the RTCP packet after its 4-byte header and the two SSRCs. None when it is cut short or claims too much.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let (head, rest) = body.split_first_chunk::<8>()?;
        let [b1, b0, c1, c0, r2, r1, r0, _feedback_count] = *head;
        let (base, count) = (u16::from_be_bytes([b1, b0]), u16::from_be_bytes([c1, c0]));
        if count == 0 || count > MOST_STATUSES {
            return None;
        }
        let mut told = 0_u16;
        let mut chunks_end = 0;
        for chunk in rest.chunks_exact(2) {
            if told >= count {
                break;
            }
            told = told.saturating_add(symbols_in(chunk_value(chunk)));
            chunks_end += 2;
        }
        if told < count {
            return None;
        }
        let (chunks, deltas) = rest.split_at_checked(chunks_end)?;
        let feedback = Self { base, count, reference: u32::from_be_bytes([0, r2, r1, r0]), chunks, deltas };
        feedback.walk(|_, _| ()).then_some(feedback)
    }

    /// Calls `told` with each packet's place after [`Self::base`] and what became of it, in order.
    pub fn each(&self, told: impl FnMut(u16, Status)) {
        self.walk(told);
    }

    /// False when the deltas run out before the packets do.
    fn walk(&self, mut told: impl FnMut(u16, Status)) -> bool {
        let mut deltas = self.deltas;
        let mut arrival = 0_i64;
        let mut place = 0_u16;
        for chunk in self.chunks.chunks_exact(2) {
            let value = chunk_value(chunk);
            for index in 0..symbols_in(value) {
                if place >= self.count {
                    return true;
                }
                let status = match symbol(value, index) {
                    1 => {
                        let Some((delta, rest)) = deltas.split_first() else { return false };
                        deltas = rest;
                        arrival += i64::from(*delta) * DELTA_STEP;
                        Status::Arrived(arrival)
                    }
                    2 => {
                        let Some((delta, rest)) = deltas.split_first_chunk::<2>() else { return false };
                        deltas = rest;
                        arrival += i64::from(i16::from_be_bytes(*delta)) * DELTA_STEP;
                        Status::Arrived(arrival)
                    }
                    3 => Status::ArrivedSometime,
                    _ => Status::Lost,
                };
                told(place, status);
                place += 1;
            }
        }
        true
    }
}

/// Gives the receiver's 24-bit reference times one line that never wraps, in microseconds.
#[derive(Debug, Default)]
pub(super) struct ReferenceClock {
    last: Option<(u32, i64)>,
}

impl ReferenceClock {
    pub fn unwrap(&mut self, reference: u32) -> i64 {
        let line = match self.last {
            None => i64::from(reference),
            Some((last, line)) => {
                let ahead = reference.wrapping_sub(last) & 0x00ff_ffff;
                let ahead = i64::from(ahead);
                line + if ahead < 0x0080_0000 { ahead } else { ahead - 0x0100_0000 }
            }
        };
        self.last = Some((reference, line));
        line * REFERENCE_STEP
    }
}

fn chunk_value(chunk: &[u8]) -> u16 {
    chunk.first_chunk::<2>().map_or(0, |two| u16::from_be_bytes(*two))
}

/// How many packets a chunk tells of: a run, fourteen in one bit each or seven in two bits each.
fn symbols_in(chunk: u16) -> u16 {
    match chunk >> 14 {
        0 | 1 => chunk & 0x1fff,
        2 => 14,
        _ => 7,
    }
}

fn symbol(chunk: u16, index: u16) -> u16 {
    match chunk >> 14 {
        0 | 1 => (chunk >> 13) & 3,
        2 => (chunk >> 13_u16.saturating_sub(index)) & 1,
        _ => (chunk >> 12_u16.saturating_sub(2 * index)) & 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
        PacketStatusChunk, RecvDelta, RunLengthChunk, StatusChunkTypeTcc, StatusVectorChunk, SymbolSizeTypeTcc,
        SymbolTypeTcc, TransportLayerCc,
    };
    use rtc::shared::marshal::Marshal;

    fn symbol_of(kind: u8) -> SymbolTypeTcc {
        u16::from(kind).into()
    }

    /// A message of the library's, and what it says.
    fn message(chunks: &[(u8, Vec<u8>)]) -> (Vec<u8>, Vec<u8>) {
        let (mut packet_chunks, mut kinds) = (Vec::new(), Vec::new());
        for (form, content) in chunks {
            let list: Vec<u8> = match form {
                0 => vec![content[0] % 3; content.len()],
                1 => (0..14).map(|at| content[at % content.len()] % 2).collect(),
                _ => (0..7).map(|at| content[at % content.len()] % 3).collect(),
            };
            let symbol_list = list.iter().map(|kind| symbol_of(*kind)).collect();
            let type_tcc = StatusChunkTypeTcc::StatusVectorChunk;
            packet_chunks.push(match form {
                0 => PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                    type_tcc: StatusChunkTypeTcc::RunLengthChunk,
                    packet_status_symbol: symbol_of(list[0]),
                    run_length: u16::try_from(list.len()).unwrap(),
                }),
                1 => PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
                    type_tcc,
                    symbol_size: SymbolSizeTypeTcc::OneBit,
                    symbol_list,
                }),
                _ => PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
                    type_tcc,
                    symbol_size: SymbolSizeTypeTcc::TwoBit,
                    symbol_list,
                }),
            });
            kinds.extend(list);
        }
        let recv_deltas = (0_i64..).zip(&kinds).filter(|(_, kind)| **kind != 0).map(|(at, kind)| RecvDelta {
            type_tcc_packet: symbol_of(*kind),
            delta: if *kind == 1 { at % 256 * DELTA_STEP } else { (at - 300) * DELTA_STEP },
        });
        let feedback = TransportLayerCc {
            base_sequence_number: 65_530,
            packet_status_count: u16::try_from(kinds.len()).unwrap(),
            reference_time: 0x00ab_cdef,
            fb_pkt_count: 9,
            packet_chunks,
            recv_deltas: recv_deltas.collect(),
            ..TransportLayerCc::default()
        };
        (feedback.marshal().unwrap().to_vec(), kinds)
    }

    proptest! {
        #[test]
        fn what_the_library_writes_is_read(
            chunks in prop::collection::vec((0_u8..3, prop::collection::vec(any::<u8>(), 1..30)), 1..20)
        ) {
            let (bytes, kinds) = message(&chunks);
            let feedback = Feedback::read(&bytes[12..]).unwrap();
            prop_assert_eq!((feedback.base, usize::from(feedback.count)), (65_530, kinds.len()));
            prop_assert_eq!(feedback.reference, 0x00ab_cdef);
            let mut told = Vec::new();
            feedback.each(|place, status| told.push((i64::from(place), status)));
            let mut arrival = 0;
            let expected: Vec<_> = (0_i64..).zip(&kinds).map(|(at, kind)| {
                let delta = if *kind == 1 { at % 256 } else { at - 300 };
                if *kind == 0 {
                    return (at, Status::Lost);
                }
                arrival += delta * DELTA_STEP;
                (at, Status::Arrived(arrival))
            }).collect();
            prop_assert_eq!(told, expected);
        }

        #[test]
        fn what_is_cut_short_is_refused(cut in 1_usize..20) {
            let (bytes, _) = message(&[(2, vec![1, 2, 1]), (0, vec![1; 20])]);
            let whole = 8 + 4 + 7 + 20 + 2;
            prop_assert!(Feedback::read(&bytes[12..12 + whole]).is_some());
            prop_assert!(Feedback::read(&bytes[12..12 + whole - cut]).is_none());
        }

        #[test]
        fn no_bytes_are_trouble(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(feedback) = Feedback::read(&bytes) {
                let mut told = 0;
                feedback.each(|_, _| told += 1);
                prop_assert_eq!(told, feedback.count);
            }
        }
    }

    #[test]
    fn a_claim_of_too_many_packets_is_refused() {
        let mut bytes = vec![0, 0, 0xff, 0xff, 0, 0, 0, 0];
        bytes.extend([0x1f, 0xff].repeat(9));
        assert_eq!(Feedback::read(&bytes), None);
    }

    #[test]
    fn the_reference_time_goes_on_over_its_wrap_and_may_step_back() {
        let mut clock = ReferenceClock::default();
        let start = clock.unwrap(0x00ff_ffff);
        assert_eq!(clock.unwrap(1) - start, 2 * REFERENCE_STEP);
        assert_eq!(clock.unwrap(0x00ff_fffe) - start, -REFERENCE_STEP);
    }
}
