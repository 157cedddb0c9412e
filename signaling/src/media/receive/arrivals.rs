//! Transport-wide congestion control: what of a connection's packets arrived when (draft-holmer-rmcat-transport-wide-cc-extensions-01).
//!
//! The sender numbers all its packets in one row, resends and padding too; its bandwidth estimate is made from our answers. A packet that comes after it
//! was reported missing is reported once more, with those behind it, as libwebrtc does.

use super::sequence::{extend, low};
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A report each so often,
const INTERVAL: Duration = Duration::from_millis(100);
/// sooner with many packets,
const MANY: usize = 100;
/// and with other RTCP that goes out anyway when it is due soon.
const SOON: Duration = Duration::from_millis(50);
/// Arrivals that are kept, reported ones among them; when more than these wait for a report, the oldest are lost to it.
const KEPT: usize = 2048;
/// How long what is reported is kept, for packets that come later than those behind them.
const LATE: Duration = Duration::from_millis(500);
/// A longer run of missing packets is not told: the report goes on behind it.
const WIDEST: u64 = 1000;
/// Packets of one report, missing ones included, and its length without RTCP header and SSRCs.
const MOST: u64 = 2000;
const LONGEST: usize = 800;
/// The same with them.
pub(super) const LONGEST_REPORT: usize = LONGEST + 40;
/// 24 bits of 64 ms are 256 units of 250 µs each.
const UNITS_OF_REFERENCE: i64 = 256;

#[derive(Debug, Clone, Copy)]
struct Arrival {
    sequence: u64,
    at: Instant,
}

#[derive(Debug)]
pub(super) struct Arrivals {
    epoch: Instant,
    /// By rising sequence; at most [`KEPT`].
    list: VecDeque<Arrival>,
    highest: Option<u64>,
    /// The next report begins here; none when all is reported.
    from: Option<u64>,
    waiting: usize,
    due: Option<Instant>,
    reports: u8,
}

impl Arrivals {
    pub fn new(now: Instant) -> Self {
        Self { epoch: now, list: VecDeque::new(), highest: None, from: None, waiting: 0, due: None, reports: 0 }
    }

    /// A packet with this number on it has come.
    pub fn record(&mut self, wire: u16, now: Instant) {
        let sequence = self.highest.map_or((1 << 16) + u64::from(wire), |highest| extend(highest, wire));
        let next = self.highest.map(|highest| highest + 1);
        match self.list.binary_search_by_key(&sequence, |arrival| arrival.sequence) {
            Ok(_) => return,
            Err(at) if at == self.list.len() => self.list.push_back(Arrival { sequence, at: now }),
            // Older than all that is remembered: its turn is over.
            Err(0) if self.list.len() >= KEPT || self.highest.is_some_and(|highest| highest - sequence > MOST) => {
                return;
            }
            Err(at) => self.list.insert(at, Arrival { sequence, at: now }),
        }
        // What was skipped since the last report is missing, and is told with it.
        self.from = Some(self.from.or(next).map_or(sequence, |from| from.min(sequence)));
        self.highest = Some(self.highest.map_or(sequence, |highest| highest.max(sequence)));
        if self.list.len() > KEPT {
            let lost = self.list.pop_front().map(|arrival| arrival.sequence + 1);
            self.from = self.from.max(lost);
        }
        self.waiting += 1;
        let due = if self.waiting >= MANY { now } else { now + INTERVAL };
        self.due = Some(self.due.map_or(due, |set| set.min(due)));
    }

    /// When a report has to go out.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// A report would be due so soon that it may go with something else.
    pub fn is_soon(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now + SOON)
    }

    /// The next report, from the base sequence number on; what did not fit into it is due at once.
    pub fn report(&mut self, now: Instant) -> Option<Vec<u8>> {
        let from = self.from?;
        let start = self.list.partition_point(|arrival| arrival.sequence < from);
        let mut arrivals = self.list.iter().skip(start).copied().peekable();
        let Some(first) = arrivals.peek().copied() else {
            (self.from, self.due, self.waiting) = (None, None, 0);
            return None;
        };
        let base = from.max(first.sequence.saturating_sub(WIDEST));
        let reference = self.units(first.at) / UNITS_OF_REFERENCE;
        let (mut symbols, mut deltas) = (Vec::new(), Vec::new());
        let (mut next, mut clock) = (base, reference * UNITS_OF_REFERENCE);
        while let Some(arrival) = arrivals.peek() {
            let skipped = arrival.sequence - next;
            let at = self.units(arrival.at);
            let Ok(delta) = i16::try_from(at - clock) else { break };
            // Symbols in the worst case take two bits each, and one status chunk more for what is begun.
            let length = 10 + deltas.len() + symbols.len() * 2 / 7;
            if skipped > WIDEST || arrival.sequence - base >= MOST || length > LONGEST {
                break;
            }
            symbols.extend((0..skipped).map(|_| Symbol::Missing));
            match u8::try_from(delta) {
                Ok(small) => {
                    symbols.push(Symbol::Small);
                    deltas.push(small);
                }
                Err(_) => {
                    symbols.push(Symbol::Large);
                    deltas.extend_from_slice(&delta.to_be_bytes());
                }
            }
            (next, clock) = (arrival.sequence + 1, at);
            arrivals.next();
        }
        let rest = arrivals.count();
        self.from = (rest > 0).then_some(next);
        self.due = (rest > 0).then_some(now);
        self.waiting = rest;
        self.forget(now);

        let mut body = Vec::with_capacity(10 + deltas.len() + symbols.len());
        body.extend_from_slice(&low(base).to_be_bytes());
        body.extend_from_slice(&u16::try_from(symbols.len()).unwrap_or_default().to_be_bytes());
        let [.., a, b, c] = reference.to_be_bytes();
        body.extend_from_slice(&[a, b, c, self.reports]);
        self.reports = self.reports.wrapping_add(1);
        chunks(&symbols, &mut body);
        body.extend_from_slice(&deltas);
        Some(body)
    }

    /// 250 µs since the beginning.
    fn units(&self, at: Instant) -> i64 {
        i64::try_from(at.saturating_duration_since(self.epoch).as_micros() / 250).unwrap_or_default()
    }

    fn forget(&mut self, now: Instant) {
        let from = self.from.unwrap_or(u64::MAX);
        while self
            .list
            .front()
            .is_some_and(|oldest| oldest.sequence < from && now.saturating_duration_since(oldest.at) > LATE)
        {
            self.list.pop_front();
        }
    }
}

/// A packet's status (3.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Missing,
    Small,
    Large,
}

impl Symbol {
    fn bits(self) -> u16 {
        match self {
            Self::Missing => 0,
            Self::Small => 1,
            Self::Large => 2,
        }
    }
}

/// Run lengths (3.1.3) for what is long and the same, else vectors of fourteen symbols of one bit or seven of two (3.1.4).
fn chunks(mut symbols: &[Symbol], out: &mut Vec<u8>) {
    while let Some(&first) = symbols.first() {
        let run = symbols.iter().take(0x1fff).take_while(|symbol| **symbol == first).count();
        let one_bit = symbols.iter().take(14).all(|symbol| *symbol != Symbol::Large);
        let (chunk, taken) = if run >= 14 || (run >= 7 && !one_bit) {
            (first.bits() << 13 | u16::try_from(run).unwrap_or_default(), run)
        } else if one_bit {
            (0x8000 | vector(symbols, 14, 1), 14)
        } else {
            (0xc000 | vector(symbols, 7, 2), 7)
        };
        out.extend_from_slice(&chunk.to_be_bytes());
        symbols = symbols.get(taken..).unwrap_or_default();
    }
}

/// Symbols from the highest of 14 bits on; what is behind the end counts as missing.
fn vector(symbols: &[Symbol], count: usize, width: u32) -> u16 {
    let filled = symbols.iter().map(|symbol| symbol.bits()).chain(std::iter::repeat(0)).take(count);
    filled.fold(0, |vector, bits| vector << width | bits)
}

#[cfg(test)]
mod tests {
    use super::super::control::transport_feedback;
    use super::*;
    use proptest::prelude::*;
    use rtc::rtcp::packet::unmarshal;
    use rtc::rtcp::transport_feedbacks::transport_layer_cc::{PacketStatusChunk, SymbolTypeTcc, TransportLayerCc};
    use std::collections::BTreeMap;

    /// What a sender reads out of a report: sequence number on the wire and arrival in units of 250 µs.
    fn told(body: &[u8]) -> Vec<(u16, Option<i64>)> {
        let mut out = Vec::new();
        transport_feedback(&mut out, 1, 2, body);
        assert!(out.len() <= LONGEST + 40, "{}", out.len());
        let packets = unmarshal(&mut out.as_slice()).unwrap();
        let report = packets[0].as_any().downcast_ref::<TransportLayerCc>().unwrap();
        let symbols = report.packet_chunks.iter().flat_map(|chunk| match chunk {
            PacketStatusChunk::RunLengthChunk(run) => vec![run.packet_status_symbol; run.run_length.into()],
            PacketStatusChunk::StatusVectorChunk(vector) => vector.symbol_list.clone(),
        });
        let mut clock = i64::from(report.reference_time) * UNITS_OF_REFERENCE;
        let mut deltas = report.recv_deltas.iter();
        let told = symbols.take(report.packet_status_count.into()).enumerate().map(|(at, symbol)| {
            let sequence = report.base_sequence_number.wrapping_add(at.try_into().unwrap());
            if symbol == SymbolTypeTcc::PacketNotReceived {
                return (sequence, None);
            }
            clock += deltas.next().unwrap().delta / 250;
            (sequence, Some(clock))
        });
        let told: Vec<_> = told.collect();
        assert_eq!(told.len(), usize::from(report.packet_status_count));
        assert!(deltas.next().is_none());
        told
    }

    #[test]
    fn losses_are_told_and_late_ones_taken_back() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut arrivals = Arrivals::new(start);
        for (ms, sequence) in [(1000, 65_534), (1010, 65_535), (1020, 2)] {
            arrivals.record(sequence, at(ms));
        }
        assert_eq!(arrivals.due(), Some(at(1100)));
        let body = arrivals.report(at(1100)).unwrap();
        let expected = [(65_534, Some(4000)), (65_535, Some(4040)), (0, None), (1, None), (2, Some(4080))];
        assert_eq!(told(&body), expected);
        assert_eq!((arrivals.due(), arrivals.report(at(1101))), (None, None));

        arrivals.record(1, at(1130));
        arrivals.record(4, at(1140));
        arrivals.record(4, at(1150));
        let body = arrivals.report(at(1230)).unwrap();
        assert_eq!(told(&body), [(1, Some(4520)), (2, Some(4080)), (3, None), (4, Some(4560))]);
        assert_eq!(body[7], 1, "the second report");
    }

    #[test]
    fn many_packets_or_company_bring_it_forward() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        arrivals.record(0, start);
        assert!(!arrivals.is_soon(start) && arrivals.is_soon(start + SOON));
        for sequence in 1..100 {
            arrivals.record(sequence, start + Duration::from_millis(5));
        }
        assert_eq!(arrivals.due(), Some(start + Duration::from_millis(5)));
    }

    #[test]
    fn what_is_kept_is_bounded_and_a_long_row_takes_several_reports() {
        let start = Instant::now();
        let mut arrivals = Arrivals::new(start);
        for packet in 0..3000u16 {
            arrivals.record(packet.wrapping_mul(3), start + Duration::from_micros(300) * packet.into());
            assert!(arrivals.list.len() <= KEPT);
        }
        let (mut reports, mut came) = (0, 0);
        while let Some(body) = arrivals.report(start + Duration::from_secs(1)) {
            reports += 1;
            came += told(&body).iter().filter(|(_, at)| at.is_some()).count();
        }
        assert_eq!(came, KEPT);
        assert!((3..20).contains(&reports), "{reports}");
        assert_eq!(arrivals.due(), None);
    }

    proptest! {
        /// Whatever comes in whatever order: of all that is new in a row without jumps, the sender learns arrival or loss, and nothing wrong.
        #[test]
        fn a_sender_learns_what_came_and_when(
            start_at in any::<u16>(),
            packets in prop::collection::vec((0u64..3, 0u64..80_000, prop::bool::weighted(0.2), any::<bool>()), 1..400),
            long_wait in 0u64..20_000_000,
        ) {
            let start = Instant::now();
            let mut arrivals = Arrivals::new(start);
            // Sequence to unit; the waiting of a swapped packet lets its neighbour overtake it.
            let (mut first, mut last) = (None, 0);
            let (mut model, mut told_to, mut micros, mut sequence) = (BTreeMap::new(), BTreeMap::new(), 0, u64::from(start_at));
            let mut held = None;
            let count = packets.len();
            for (number, (skip, wait, report, swap)) in packets.into_iter().enumerate() {
                micros += wait + if number == count / 2 { long_wait } else { 0 };
                sequence += 1 + skip;
                let mut arrive = |sequence: u64| {
                    arrivals.record(low(sequence), start + Duration::from_micros(micros));
                    first.get_or_insert(sequence);
                    last = last.max(sequence);
                    model.entry(low(sequence)).or_insert(i64::try_from(micros / 250).unwrap());
                };
                if swap && held.is_none() {
                    held = Some(sequence);
                    continue;
                }
                arrive(sequence);
                if let Some(held) = held.take() {
                    arrive(held);
                }
                if report {
                    while let Some(body) = arrivals.report(start + Duration::from_micros(micros)) {
                        told_to.extend(told(&body));
                    }
                }
            }
            while let Some(body) = arrivals.report(start + Duration::from_micros(micros)) {
                told_to.extend(told(&body));
            }
            for (sequence, at) in &model {
                prop_assert_eq!(told_to.get(sequence), Some(&Some(*at)), "{}", sequence);
            }
            for sequence in first.unwrap_or(1)..=last {
                prop_assert!(told_to.contains_key(&low(sequence)), "{} is not told of", sequence);
            }
            prop_assert!(told_to.iter().all(|(sequence, at)| at.is_none() || model.contains_key(sequence)));
        }

        #[test]
        fn no_numbers_are_trouble(numbers in prop::collection::vec((any::<u16>(), 0u64..3_000_000), 0..300)) {
            let start = Instant::now();
            let (mut arrivals, mut now) = (Arrivals::new(start), start);
            for (number, wait) in numbers {
                now += Duration::from_micros(wait);
                arrivals.record(number, now);
                if arrivals.due().is_some_and(|due| due <= now)
                    && let Some(body) = arrivals.report(now)
                {
                    told(&body);
                }
            }
        }
    }
}
