//! Datagrams that wait for the port, sorted by destination as they come. What goes to one destination keeps its order; different destinations may
//! overtake each other. That freedom is what makes long runs, and a run is one system call (UDP segmentation offload, Linux 4.18 and later).

use bytes::BytesMut;
use std::collections::HashMap;
use std::net::SocketAddr;

/// Datagrams in a batch. More are lost and counted: 120 viewers with some thirty each.
pub(crate) const MAX_DATAGRAMS: usize = 4096;
/// Bytes in one run: below what an IPv6 packet carries (65,535 with its headers) by room for options.
const MAX_RUN_BYTES: usize = 65_000;

/// Fill it with [`Batch::push`], empty it with [`super::udp::UdpSender::flush`], use it again: it keeps its memory.
/// Memory: at most [`MAX_DATAGRAMS`] datagrams and one scratch buffer of 64 KiB.
#[derive(Debug)]
pub(crate) struct Batch {
    datagrams: Vec<Waiting>,
    lanes: Vec<Lane>,
    lane_of: HashMap<SocketAddr, usize>,
    scratch: Vec<u8>,
    lost: usize,
}

#[derive(Debug)]
struct Waiting {
    bytes: BytesMut,
    /// The next one to the same destination.
    next: Option<usize>,
}

/// What waits for one destination: a list through [`Batch::datagrams`].
#[derive(Debug)]
struct Lane {
    to: SocketAddr,
    first: usize,
    last: usize,
}

/// Datagrams of one size, the last perhaps shorter, that follow each other to one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run<'a> {
    pub to: SocketAddr,
    /// All of them, end to end.
    pub bytes: &'a [u8],
    /// Bytes in each but the last.
    pub size: usize,
    pub count: usize,
}

impl Default for Batch {
    fn default() -> Self {
        Self::new()
    }
}

impl Batch {
    pub fn new() -> Self {
        Self {
            datagrams: Vec::new(),
            lanes: Vec::new(),
            lane_of: HashMap::new(),
            scratch: Vec::with_capacity(MAX_RUN_BYTES),
            lost: 0,
        }
    }

    /// Adds a datagram behind the others to the same destination. An empty one, or one too many, is lost and counted by the next flush.
    pub fn push(&mut self, to: SocketAddr, bytes: BytesMut) {
        if bytes.is_empty() || self.is_full() {
            self.lost += 1;
            return;
        }
        let index = self.datagrams.len();
        self.datagrams.push(Waiting { bytes, next: None });
        // Whoever sends to one viewer after the other finds the lane without a look-up.
        let lane = match self.lanes.last_mut() {
            Some(lane) if lane.to == to => Some(lane),
            _ => self.lane_of.get(&to).copied().and_then(|lane| self.lanes.get_mut(lane)),
        };
        let Some(lane) = lane else {
            self.lane_of.insert(to, self.lanes.len());
            self.lanes.push(Lane { to, first: index, last: index });
            return;
        };
        if let Some(before) = self.datagrams.get_mut(lane.last) {
            before.next = Some(index);
        }
        lane.last = index;
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.datagrams.len()
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// Flush before the next push.
    pub fn is_full(&self) -> bool {
        self.datagrams.len() >= MAX_DATAGRAMS
    }

    /// Gives everything to `send`, in runs of at most `segments` datagrams, and empties the batch. Returns how many pushes were lost since the
    /// last time. Single datagrams are given where they lie; longer runs are copied together.
    pub fn drain(&mut self, segments: usize, mut send: impl FnMut(Run<'_>)) -> usize {
        let Self { datagrams, lanes, lane_of, scratch, lost } = self;
        for lane in lanes.drain(..) {
            let mut at = datagrams.get(lane.first);
            while let Some(first) = at {
                let next = |waiting: &Waiting| waiting.next.and_then(|next| datagrams.get(next));
                let size = first.bytes.len();
                let (mut last, mut count, mut total) = (first, 1, size);
                while let Some(candidate) = next(last) {
                    let length = candidate.bytes.len();
                    // Only the last of a run may be shorter.
                    let fits = last.bytes.len() == size && length <= size && total + length <= MAX_RUN_BYTES;
                    if !fits || count >= segments {
                        break;
                    }
                    if count == 1 {
                        scratch.clear();
                        scratch.extend_from_slice(&first.bytes);
                    }
                    scratch.extend_from_slice(&candidate.bytes);
                    (last, count, total) = (candidate, count + 1, total + length);
                }
                let bytes = if count == 1 { &first.bytes } else { &scratch[..] };
                send(Run { to: lane.to, bytes, size, count });
                at = next(last);
            }
        }
        lane_of.clear();
        datagrams.clear();
        std::mem::take(lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn runs(batch: &mut Batch, segments: usize) -> Vec<(u16, usize, usize, usize)> {
        let mut runs = Vec::new();
        batch.drain(segments, |run| runs.push((run.to.port(), run.size, run.count, run.bytes.len())));
        runs
    }

    #[test]
    fn equal_sizes_and_one_shorter_share_a_run() {
        let mut batch = Batch::new();
        for (to, size) in [(1, 100), (2, 50), (1, 100), (1, 30), (1, 30), (2, 60), (1, 30), (1, 40)] {
            batch.push(address(to), BytesMut::zeroed(size));
        }
        assert_eq!(batch.len(), 8);
        assert_eq!(
            runs(&mut batch, 64),
            [(1, 100, 3, 230), (1, 30, 2, 60), (1, 40, 1, 40), (2, 50, 1, 50), (2, 60, 1, 60)]
        );
        assert!(batch.is_empty());
        assert_eq!(runs(&mut batch, 64), []);
    }

    #[test]
    fn runs_end_at_the_kernels_limits() {
        let mut batch = Batch::new();
        (0..5).for_each(|_| batch.push(address(1), BytesMut::zeroed(10)));
        assert_eq!(runs(&mut batch, 2), [(1, 10, 2, 20), (1, 10, 2, 20), (1, 10, 1, 10)]);
        (0..3).for_each(|_| batch.push(address(1), BytesMut::zeroed(30_000)));
        assert_eq!(runs(&mut batch, 64), [(1, 30_000, 2, 60_000), (1, 30_000, 1, 30_000)]);
    }

    #[test]
    fn what_does_not_fit_is_counted_once() {
        let mut batch = Batch::new();
        (0..MAX_DATAGRAMS).for_each(|_| batch.push(address(1), BytesMut::zeroed(1)));
        assert!(batch.is_full());
        batch.push(address(2), BytesMut::zeroed(1));
        assert_eq!(batch.drain(64, |run| assert_eq!(run.to, address(1))), 1);
        batch.push(address(1), BytesMut::new());
        assert_eq!(batch.drain(64, |run| panic!("{run:?}")), 1);
        assert_eq!(batch.drain(64, |run| panic!("{run:?}")), 0);
    }

    proptest! {
        /// Cutting the runs again gives each destination what was pushed for it, in order; no run breaks the kernel's rules.
        #[test]
        fn runs_are_the_datagrams_again(
            pushes in prop::collection::vec((0u16..5, prop_oneof![Just(1200usize), 1usize..1500, Just(20_000)]), 0..200),
            segments in 1usize..70,
        ) {
            let mut batch = Batch::new();
            let mut expected: HashMap<u16, Vec<Vec<u8>>> = HashMap::new();
            for (n, (to, size)) in pushes.into_iter().enumerate() {
                let bytes = vec![u8::try_from(n).unwrap(); size];
                batch.push(address(to), BytesMut::from(&bytes[..]));
                expected.entry(to).or_default().push(bytes);
            }
            let mut seen: HashMap<u16, Vec<Vec<u8>>> = HashMap::new();
            batch.drain(segments, |run| {
                assert!(run.count <= segments && (run.count == 1 || run.bytes.len() <= MAX_RUN_BYTES));
                let parts: Vec<_> = run.bytes.chunks(run.size).map(<[u8]>::to_vec).collect();
                assert_eq!(parts.len(), run.count);
                seen.entry(run.to.port()).or_default().extend(parts);
            });
            prop_assert_eq!(seen, expected);
        }
    }
}
