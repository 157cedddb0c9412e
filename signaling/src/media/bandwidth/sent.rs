//! What was sent under which transport-wide number, until feedback has told what became of it.

use std::collections::VecDeque;

/// The most packets that are remembered: 4 s of 8 Mbit/s. Older ones are forgotten unheard.
pub(super) const MOST: usize = 4096;
/// A packet that feedback has told of is kept for this long, in microseconds: a later message may find it after all.
const KEPT_AFTER_REPORT: i64 = 500_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Unknown,
    Lost,
    Arrived,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    /// Microseconds on the estimator's clock.
    pub at: i64,
    /// On the wire, with what IP and UDP add.
    pub bytes: u32,
    /// The probe it belongs to; 0 is none.
    pub probe: u16,
    pub fate: Fate,
}

/// Numbers are given without holes, so a packet's place follows from its number.
#[derive(Debug)]
pub(super) struct SentLog {
    packets: VecDeque<Sent>,
    next: u16,
}

impl SentLog {
    pub fn new() -> Self {
        Self { packets: VecDeque::new(), next: 0 }
    }

    /// The number the next packet will have.
    pub fn next(&self) -> u16 {
        self.next
    }

    pub fn push(&mut self, sent: Sent) {
        if self.packets.len() >= MOST {
            self.packets.pop_front();
        }
        self.packets.push_back(sent);
        self.next = self.next.wrapping_add(1);
    }

    /// The packet left once more under the same number: from now on that is when it was sent.
    pub fn sent_again(&mut self, number: u16, at: i64) {
        if let Some(sent) = self.find(number)
            && sent.fate != Fate::Arrived
        {
            sent.at = at;
        }
    }

    /// What the receiver says of one packet. None when it is not remembered or nothing new was said, else what was known before.
    pub fn tell(&mut self, number: u16, arrived: bool) -> Option<Sent> {
        let sent = self.find(number)?;
        let before = *sent;
        let fate = if arrived { Fate::Arrived } else { Fate::Lost };
        if before.fate == Fate::Arrived || before.fate == fate {
            return None;
        }
        sent.fate = fate;
        Some(before)
    }

    pub fn forget_before(&mut self, now: i64) {
        while self.packets.front().is_some_and(|sent| {
            let age = now - sent.at;
            age > KEPT_AFTER_REPORT && (sent.fate != Fate::Unknown || age > 4 * KEPT_AFTER_REPORT)
        }) {
            self.packets.pop_front();
        }
    }

    fn find(&mut self, number: u16) -> Option<&mut Sent> {
        let behind = usize::from(self.next.wrapping_sub(number));
        let place = self.packets.len().checked_sub(behind)?;
        self.packets.get_mut(place)
    }
}
