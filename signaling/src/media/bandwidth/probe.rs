//! Short bursts above the estimate find out whether more goes through, long before growth by eight in a hundred would
//! (libwebrtc's `ProbeController` and `ProbeBitrateEstimator`).

/// A burst lasts at least this many microseconds, longer on slow ways, where a radio's jitter would else pass for speed …
const LASTS: f64 = 20_000.0;
const LASTS_SLOW: f64 = 40_000.0;
const SLOW: f64 = 2_000_000.0;
/// … and has at least this many packets.
const FEWEST: u32 = 6;
/// A burst tries twice the estimate.
const STEP: f64 = 2.0;
/// After a burst that proved its rate the next one follows at once, else after this many microseconds, doubled each time up to the last.
const AGAIN: i64 = 200_000;
const FIRST_WAIT: i64 = 2_000_000;
const LONGEST_WAIT: i64 = 6_000_000;
/// So long after the last word on a burst its queue may still be seen.
const DISTURBS: i64 = 300_000;
/// A burst of which nothing is heard is over.
const GIVE_UP: i64 = 1_500_000;
/// So much of a burst must have been told of before it says anything.
const ENOUGH: f64 = 0.8;

#[derive(Debug)]
pub(super) struct Prober {
    wanted: f64,
    burst: Option<Burst>,
    last_id: u16,
    next_at: i64,
    wait: i64,
    ended: i64,
}

#[derive(Debug, Clone, Copy)]
struct Burst {
    id: u16,
    /// Bits a second.
    rate: f64,
    began: i64,
    bytes: u64,
    packets: u32,
    enough_bytes: u64,
    told_packets: u32,
    arrived: Option<Span>,
}

/// What a burst has shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Proof {
    /// Bits a second that go through.
    pub rate: f64,
    /// And no more than that.
    pub is_full: bool,
}

/// The packets of a burst that arrived, each end by its own clock in microseconds.
#[derive(Debug, Clone, Copy)]
struct Span {
    packets: u32,
    bytes: u64,
    first_sent: i64,
    last_sent: i64,
    last_sent_bytes: u64,
    first_arrived: i64,
    first_arrived_bytes: u64,
    last_arrived: i64,
}

impl Prober {
    pub fn new() -> Self {
        Self { wanted: 0.0, burst: None, last_id: 0, next_at: 0, wait: FIRST_WAIT, ended: i64::MIN / 2 }
    }

    pub fn want(&mut self, rate: f64) {
        self.wanted = rate;
    }

    pub fn wanted(&self) -> f64 {
        self.wanted
    }

    /// No burst before that.
    pub fn not_before(&mut self, at: i64) {
        self.next_at = self.next_at.max(at);
    }

    /// Something has changed: ask soon, however long the wait had become.
    pub fn soon(&mut self, now: i64) {
        self.wait = FIRST_WAIT;
        self.next_at = self.next_at.min(now + AGAIN);
    }

    /// Begins a burst when one is due.
    pub fn begin(&mut self, estimate: f64, ceiling: f64, now: i64) {
        let target = self.wanted.min(ceiling);
        if self.burst.is_some() || now < self.next_at || estimate >= 0.95 * target {
            return;
        }
        let rate = (STEP * estimate).min(1.15 * target);
        let lasts = if rate < SLOW { LASTS_SLOW } else { LASTS };
        self.last_id = self.last_id.wrapping_add(1).max(1);
        self.burst = Some(Burst {
            id: self.last_id,
            rate,
            began: now,
            bytes: 0,
            packets: 0,
            enough_bytes: super::whole(rate * lasts / 8_000_000.0),
            told_packets: 0,
            arrived: None,
        });
    }

    /// When a burst is to begin or is to be given up; microseconds.
    pub fn due(&self, estimate: f64, ceiling: f64, may_begin: bool) -> Option<i64> {
        match &self.burst {
            Some(burst) => Some(burst.began + GIVE_UP),
            None if may_begin && estimate < 0.95 * self.wanted.min(ceiling) => Some(self.next_at),
            None => None,
        }
    }

    /// When the burst wants its next packet.
    pub fn packet_due(&self) -> Option<i64> {
        self.burst.filter(Burst::is_sending).map(|burst| burst.next_at())
    }

    /// The rate of the burst that is being sent, bits/s.
    pub fn rate(&self) -> Option<f64> {
        self.burst.filter(Burst::is_sending).map(|burst| burst.rate)
    }

    /// The burst wants one more packet now.
    pub fn wants_packet(&self, now: i64) -> bool {
        self.packet_due().is_some_and(|due| due <= now)
    }

    /// What is heard now may be the burst's own doing.
    pub fn disturbs(&self, now: i64) -> bool {
        self.burst.is_some() || now - self.ended < DISTURBS
    }

    /// Every packet that leaves while a burst is sent belongs to it; 0 is none.
    pub fn sent(&mut self, bytes: u32) -> u16 {
        let Some(burst) = self.burst.as_mut().filter(|burst| burst.is_sending()) else { return 0 };
        burst.bytes += u64::from(bytes);
        burst.packets += 1;
        burst.id
    }

    /// Nothing can fill the burst.
    pub fn cancel(&mut self, now: i64) {
        self.burst = None;
        self.next_at = now + LONGEST_WAIT;
    }

    /// What became of a packet of burst `id`: when it arrived, or that it did not.
    pub fn told(&mut self, id: u16, sent: i64, bytes: u32, arrived: Option<i64>) {
        let Some(burst) = self.burst.as_mut().filter(|burst| burst.id == id) else { return };
        burst.told_packets += 1;
        let Some(arrived) = arrived else { return };
        let bytes = u64::from(bytes);
        let Some(span) = &mut burst.arrived else {
            burst.arrived = Some(Span {
                packets: 1,
                bytes,
                first_sent: sent,
                last_sent: sent,
                last_sent_bytes: bytes,
                first_arrived: arrived,
                first_arrived_bytes: bytes,
                last_arrived: arrived,
            });
            return;
        };
        span.packets += 1;
        span.bytes += bytes;
        span.first_sent = span.first_sent.min(sent);
        if sent >= span.last_sent {
            (span.last_sent, span.last_sent_bytes) = (sent, bytes);
        }
        if arrived < span.first_arrived {
            (span.first_arrived, span.first_arrived_bytes) = (arrived, bytes);
        }
        span.last_arrived = span.last_arrived.max(arrived);
    }

    /// What a finished burst has proved.
    pub fn result(&mut self, now: i64) -> Option<Proof> {
        let burst = self.burst?;
        let is_told = !burst.is_sending() && f64::from(burst.told_packets) >= ENOUGH * f64::from(burst.packets);
        if !is_told && now - burst.began < GIVE_UP {
            return None;
        }
        self.burst = None;
        self.ended = now;
        let proved = burst.proved();
        if proved.is_some_and(|proof| proof.rate > 0.7 * burst.rate) {
            self.wait = FIRST_WAIT;
            self.next_at = now + AGAIN;
        } else {
            self.next_at = now + self.wait;
            self.wait = (2 * self.wait).min(LONGEST_WAIT);
        }
        proved
    }
}

impl Burst {
    fn is_sending(&self) -> bool {
        self.packets < FEWEST || self.bytes < self.enough_bytes
    }

    fn next_at(&self) -> i64 {
        let micros = self.bytes as f64 * 8_000_000.0 / self.rate.max(1.0);
        self.began.saturating_add_unsigned(super::whole(micros))
    }

    fn proved(&self) -> Option<Proof> {
        let span = self.arrived?;
        if span.packets < FEWEST / 2 {
            return None;
        }
        let sent_rate = rate(span.bytes - span.last_sent_bytes, span.last_sent - span.first_sent)?;
        let arrived_rate = rate(span.bytes - span.first_arrived_bytes, span.last_arrived - span.first_arrived)?;
        if arrived_rate > 2.0 * sent_rate {
            return None;
        }
        // Slower out than in, or less out than in: the way is full, and this is what it carries.
        let has_lost = f64::from(span.packets) < ENOUGH * f64::from(self.packets);
        let is_full = has_lost || arrived_rate < 0.9 * sent_rate;
        let rate = if is_full { 0.95 * arrived_rate.min(sent_rate) } else { arrived_rate.min(sent_rate) };
        Some(Proof { rate, is_full })
    }
}

fn rate(bytes: u64, micros: i64) -> Option<f64> {
    (micros > 0 && micros < 1_000_000).then(|| bytes as f64 * 8_000_000.0 / micros as f64)
}
