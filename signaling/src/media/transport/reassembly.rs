//! A client's handshake messages, put together from fragments and in order (RFC 6347, 4.2.2 and 4.2.3).
//!
//! The DTLS stack behind this one gets each message once, whole and in order. It has three reasons: the stack stops its timer at every
//! handshake record, also at a repeated one, and then waits for ever; it joins fragments by recursion, so that a thousand fragments of one
//! byte overflow its stack; and it keeps up to 2 MB of what comes out of order.

use std::collections::BTreeMap;

/// type(1) length(3) sequence(2) fragment offset(3) fragment length(3).
pub(super) const HEADER: usize = 12;
/// Longest message taken, bytes. A certificate is the longest; a self-signed one with an RSA key of 4,096 bits has some 1,300.
const MAX_MESSAGE: usize = 8 * 1024;
/// Messages of one handshake. A client sends six: two hellos, certificate, key exchange, certificate verify, finished.
/// With [`MAX_MESSAGE`] it bounds what a connection may make us keep: 64 kB, and only until its handshake is over.
const MAX_MESSAGES: u16 = 8;

/// A whole message: its header as if it had come in one fragment, then the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    pub kind: u8,
    pub bytes: Vec<u8>,
}

impl Message {
    pub fn body(&self) -> &[u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }
}

#[derive(Debug, Default)]
pub(super) struct Reassembly {
    next: u16,
    partial: BTreeMap<u16, Partial>,
}

impl Reassembly {
    /// Takes the body of a handshake record. True when any of it was delivered before: the client repeats itself.
    pub fn push(&mut self, mut record: &[u8]) -> bool {
        let mut repeated = false;
        while let Some((fragment, rest)) = Fragment::read(record) {
            record = rest;
            if fragment.sequence < self.next {
                repeated = true;
            } else if fragment.sequence < MAX_MESSAGES && fragment.length <= MAX_MESSAGE {
                let new = || Partial::new(fragment.kind, fragment.sequence, fragment.length);
                if fragment.bytes.len() == fragment.length {
                    // Whole, as nearly all come: whatever a stranger has begun under its number goes.
                    self.partial.insert(fragment.sequence, new());
                }
                self.partial.entry(fragment.sequence).or_insert_with(new).add(&fragment);
            }
        }
        repeated
    }

    /// The next message, once it is whole.
    pub fn pop(&mut self) -> Option<Message> {
        if self.partial.get(&self.next)?.missing > 0 {
            return None;
        }
        let whole = self.partial.remove(&self.next)?;
        self.next += 1;
        Some(Message { kind: whole.kind, bytes: whole.bytes })
    }

    /// How many messages were delivered.
    pub fn delivered(&self) -> u16 {
        self.next
    }

    /// The handshake is over: what is half there serves nobody.
    pub fn clear(&mut self) {
        self.partial.clear();
    }
}

#[derive(Debug)]
struct Partial {
    kind: u8,
    /// Header and body; the body's bytes that have come are marked in `here`.
    bytes: Vec<u8>,
    here: Vec<bool>,
    missing: usize,
}

impl Partial {
    fn new(kind: u8, sequence: u16, length: usize) -> Self {
        let [_, high, middle, low] = u32::try_from(length).unwrap_or(0).to_be_bytes();
        let [sequence_high, sequence_low] = sequence.to_be_bytes();
        let mut bytes = vec![kind, high, middle, low, sequence_high, sequence_low, 0, 0, 0, high, middle, low];
        bytes.resize(HEADER + length, 0);
        Self { kind, bytes, here: vec![false; length], missing: length }
    }

    fn add(&mut self, fragment: &Fragment<'_>) {
        // A fragment that tells the message otherwise than the first did is not of this message.
        if fragment.kind != self.kind || fragment.length != self.here.len() {
            return;
        }
        let here = self.here.iter_mut().skip(fragment.offset);
        let bytes = self.bytes.iter_mut().skip(HEADER + fragment.offset);
        for ((here, byte), new) in here.zip(bytes).zip(fragment.bytes) {
            if !*here {
                *here = true;
                *byte = *new;
                self.missing -= 1;
            }
        }
    }
}

struct Fragment<'a> {
    kind: u8,
    /// Of the whole message.
    length: usize,
    sequence: u16,
    offset: usize,
    bytes: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// The first fragment of a record's body, and what follows it.
    fn read(record: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[kind, l0, l1, l2, s0, s1, o0, o1, o2, f0, f1, f2], rest) = record.split_first_chunk::<HEADER>()?;
        let number = |bytes: [u8; 3]| {
            let [a, b, c] = bytes.map(usize::from);
            (a << 16) | (b << 8) | c
        };
        let (length, offset) = (number([l0, l1, l2]), number([o0, o1, o2]));
        let (bytes, rest) = rest.split_at_checked(number([f0, f1, f2]))?;
        if offset + bytes.len() > length {
            return None;
        }
        Some((Self { kind, length, sequence: u16::from_be_bytes([s0, s1]), offset, bytes }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fragment(kind: u8, sequence: u16, body: &[u8], from: usize, to: usize) -> Vec<u8> {
        let number = |n: usize| u32::try_from(n).unwrap().to_be_bytes()[1..].to_vec();
        let mut bytes = vec![kind];
        bytes.extend(number(body.len()));
        bytes.extend(sequence.to_be_bytes());
        bytes.extend(number(from));
        bytes.extend(number(to - from));
        bytes.extend(&body[from..to]);
        bytes
    }

    proptest! {
        #[test]
        fn messages_come_whole_and_in_order_however_they_were_cut(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..8),
            cuts in prop::collection::vec(0_usize..60, 0..12),
            order in any::<u64>(),
        ) {
            let mut fragments = Vec::new();
            for (sequence, body) in bodies.iter().enumerate() {
                let mut edges: Vec<usize> = cuts.iter().copied().filter(|cut| *cut < body.len()).collect();
                edges.extend([0, body.len()]);
                edges.sort_unstable();
                for pair in edges.windows(2) {
                    fragments.push(fragment(11, u16::try_from(sequence).unwrap(), body, pair[0], pair[1]));
                }
            }
            // Shuffled, and each twice.
            let mut shuffled: Vec<_> = fragments.iter().chain(&fragments).enumerate().collect();
            shuffled.sort_by_key(|(index, _)| (*index as u64 + 1).wrapping_mul(order | 1));
            let mut reassembly = Reassembly::default();
            let mut got = Vec::new();
            for (_, fragment) in shuffled {
                reassembly.push(fragment);
                while let Some(message) = reassembly.pop() {
                    got.push(message.body().to_vec());
                }
            }
            prop_assert_eq!(got, bodies);
        }

        #[test]
        fn no_bytes_are_trouble(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..20)) {
            let mut reassembly = Reassembly::default();
            for record in &records {
                reassembly.push(record);
                while reassembly.pop().is_some() {}
            }
            prop_assert!(reassembly.partial.len() <= usize::from(MAX_MESSAGES));
        }
    }

    #[test]
    fn a_repeated_message_is_told_and_not_delivered_again() {
        let hello = fragment(1, 0, b"hello", 0, 5);
        let mut reassembly = Reassembly::default();
        assert!(!reassembly.push(&hello));
        assert_eq!(reassembly.pop().unwrap().bytes, hello);
        assert!(reassembly.push(&hello));
        assert_eq!(reassembly.pop(), None);
        assert_eq!(reassembly.delivered(), 1);
    }

    #[test]
    fn a_whole_message_is_not_hindered_by_what_a_stranger_began() {
        let mut reassembly = Reassembly::default();
        reassembly.push(&fragment(11, 0, &[0; 500], 0, 9));
        let hello = fragment(1, 0, b"hello", 0, 5);
        reassembly.push(&hello);
        assert_eq!(reassembly.pop().unwrap().bytes, hello);
    }

    #[test]
    fn too_long_and_too_far_ahead_is_not_kept() {
        let mut reassembly = Reassembly::default();
        let long = vec![0; MAX_MESSAGE + 1];
        reassembly.push(&fragment(11, 0, &long, 0, 10));
        reassembly.push(&fragment(11, MAX_MESSAGES, b"x", 0, 1));
        assert!(reassembly.partial.is_empty());
    }
}
