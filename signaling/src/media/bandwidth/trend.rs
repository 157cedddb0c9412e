//! Does the queue on the way grow? The delay-based half of Google's congestion control: variation of delay between groups of
//! packets, a line through the last twenty and a threshold that adapts (draft-ietf-rmcat-gcc-02, sections 5.1 to 5.4; the line
//! instead of the Kalman filter, and its constants, are libwebrtc's `TrendlineEstimator`).

use std::collections::VecDeque;

/// Packets sent within this of the group's first one are one group, in microseconds.
const GROUP: i64 = 5_000;
/// Packets that arrive bunched belong together for at most this long.
const LONGEST_BUNCH: i64 = 100_000;
/// A pause, or a jump of the receiver's clock, after which everything starts afresh.
const FORGET_AFTER: i64 = 2_000_000;
const WINDOW: usize = 20;
const SMOOTHING: f64 = 0.9;
const GAIN: f64 = 4.0;
const MOST_DELTAS: u32 = 60;
const FIRST_THRESHOLD: f64 = 12.5;
/// For so long, in milliseconds, the line must rise before it is called overuse.
const OVERUSE_TIME: f64 = 10.0;

/// What the network is to our rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    Normal,
    Overusing,
    Underusing,
}

#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: i64,
    last_sent: i64,
    first_arrived: i64,
    last_arrived: i64,
}

#[derive(Debug)]
pub(super) struct Trend {
    group: Option<Group>,
    previous: Option<Group>,
    deltas: u32,
    begun: Option<i64>,
    accumulated: f64,
    smoothed: f64,
    window: VecDeque<(f64, f64)>,
    trend: f64,
    threshold: f64,
    threshold_at: Option<i64>,
    over_for: Option<f64>,
    over_count: u32,
    usage: Usage,
}

impl Trend {
    pub fn new() -> Self {
        Self {
            group: None,
            previous: None,
            deltas: 0,
            begun: None,
            accumulated: 0.0,
            smoothed: 0.0,
            window: VecDeque::with_capacity(WINDOW),
            trend: 0.0,
            threshold: FIRST_THRESHOLD,
            threshold_at: None,
            over_for: None,
            over_count: 0,
            usage: Usage::Normal,
        }
    }

    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// A packet that arrived; both times in microseconds, each on its own clock.
    pub fn arrived(&mut self, sent: i64, arrived: i64) {
        if self.group.is_some_and(|group| (arrived - group.last_arrived).abs() > FORGET_AFTER) {
            *self = Self::new();
        }
        let Some(group) = &mut self.group else {
            self.group = Some(Group::of(sent, arrived));
            return;
        };
        if sent < group.first_sent {
            return;
        }
        if group.takes(sent, arrived) {
            group.last_sent = group.last_sent.max(sent);
            group.last_arrived = group.last_arrived.max(arrived);
            return;
        }
        let complete = *group;
        *group = Group::of(sent, arrived);
        if let Some(previous) = self.previous.replace(complete) {
            let sent_delta = milliseconds(complete.last_sent - previous.last_sent);
            let arrival_delta = milliseconds(complete.last_arrived - previous.last_arrived);
            if arrival_delta >= 0.0 {
                self.delta(arrival_delta - sent_delta, sent_delta, complete.last_arrived);
            }
        }
    }

    fn delta(&mut self, delta: f64, sent_delta: f64, arrived: i64) {
        self.deltas = (self.deltas + 1).min(MOST_DELTAS);
        let begun = *self.begun.get_or_insert(arrived);
        self.accumulated += delta;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.accumulated;
        if self.window.len() >= WINDOW {
            self.window.pop_front();
        }
        self.window.push_back((milliseconds(arrived - begun), self.smoothed));
        let trend = if self.window.len() < WINDOW { self.trend } else { slope(&self.window).unwrap_or(self.trend) };
        self.detect(trend, sent_delta, arrived);
    }

    fn detect(&mut self, trend: f64, sent_delta: f64, now: i64) {
        if self.deltas < 2 {
            self.usage = Usage::Normal;
            return;
        }
        let modified = f64::from(self.deltas) * trend * GAIN;
        if modified > self.threshold {
            let over_for = self.over_for.map_or(sent_delta / 2.0, |over| over + sent_delta);
            self.over_count += 1;
            self.over_for = Some(over_for);
            if over_for > OVERUSE_TIME && self.over_count > 1 && trend >= self.trend {
                self.over_for = Some(0.0);
                self.over_count = 0;
                self.usage = Usage::Overusing;
            }
        } else {
            self.over_for = None;
            self.over_count = 0;
            self.usage = if modified < -self.threshold { Usage::Underusing } else { Usage::Normal };
        }
        self.trend = trend;
        self.adapt(modified.abs(), now);
    }

    /// The threshold follows what is usual on this path, quickly down and slowly up, so that flows that fill queues do not starve us.
    fn adapt(&mut self, modified: f64, now: i64) {
        const UP: f64 = 0.0087;
        const DOWN: f64 = 0.039;
        const JUMP: f64 = 15.0;
        let since = milliseconds(now - self.threshold_at.replace(now).unwrap_or(now)).clamp(0.0, 100.0);
        if modified > self.threshold + JUMP {
            return;
        }
        let gain = if modified < self.threshold { DOWN } else { UP };
        self.threshold = (self.threshold + gain * (modified - self.threshold) * since).clamp(6.0, 600.0);
    }
}

impl Group {
    fn of(sent: i64, arrived: i64) -> Self {
        Self { first_sent: sent, last_sent: sent, first_arrived: arrived, last_arrived: arrived }
    }

    fn takes(&self, sent: i64, arrived: i64) -> bool {
        let arrival_delta = arrived - self.last_arrived;
        let sent_delta = sent - self.last_sent;
        let bunched = sent_delta == 0
            || (arrival_delta < sent_delta && arrival_delta <= GROUP && arrived - self.first_arrived < LONGEST_BUNCH);
        bunched || sent - self.first_sent <= GROUP
    }
}

/// Least squares.
fn slope(points: &VecDeque<(f64, f64)>) -> Option<f64> {
    let (mut count, mut x_sum, mut y_sum) = (0.0, 0.0, 0.0);
    for (x, y) in points {
        count += 1.0;
        x_sum += x;
        y_sum += y;
    }
    let (x_mean, y_mean) = (x_sum / count, y_sum / count);
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in points {
        above += (x - x_mean) * (y - y_mean);
        below += (x - x_mean) * (x - x_mean);
    }
    (below > 0.0).then_some(above / below)
}

fn milliseconds(micros: i64) -> f64 {
    micros as f64 / 1000.0
}
