//! Sender reports (RFC 3550, section 6.4.1): which moment a stream's timestamps mean, and the round trip from their answers.
//!
//! Both streams of a member are told in the publisher's own NTP time, which keeps lips and sound together at the viewer.

use rtc::rtcp::sender_report::SenderReport;

/// Microseconds between a stream's reports …
const INTERVAL: i64 = 1_000_000;
/// … and after its clocks have jumped: libwebrtc believes a jump only when three reports tell it.
const HURRIED_INTERVAL: i64 = 100_000;
const HURRIED: u8 = 2;
/// After so many intervals without a packet a stream is reported no more.
const IDLE: i64 = 3 * INTERVAL;
/// More than this between what the last packet let expect and what this one says is a jump: 30 ms in NTP's 32.32 seconds.
const JUMP: u64 = (30 << 32) / 1_000;
/// The hub's own clock, for publishers that never told theirs: NTP seconds of 1 January 2020, plus the time since the viewer came.
const HUB_EPOCH: u64 = 3_786_825_600 << 32;
/// Reports that are remembered for their answers.
const REMEMBERED: usize = 4;

#[derive(Debug)]
pub(super) struct Reporter {
    packets: u32,
    octets: u32,
    last: Option<Mapping>,
    due: Option<i64>,
    hurried: u8,
    /// The middle 32 bits of a report's NTP time and when it left.
    sent: [(u32, i64); REMEMBERED],
    next_slot: usize,
}

/// The packet with this timestamp was sampled at this NTP time and left at this microsecond.
#[derive(Debug, Clone, Copy)]
struct Mapping {
    timestamp: u32,
    ntp: u64,
    at: i64,
}

impl Reporter {
    pub fn new() -> Self {
        Self { packets: 0, octets: 0, last: None, due: None, hurried: 0, sent: [(0, 0); REMEMBERED], next_slot: 0 }
    }

    /// True when the next report is due at once.
    pub fn sent(&mut self, timestamp: u32, captured: Option<u64>, octets: usize, clock_rate: u32, now: i64) -> bool {
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(u32::try_from(octets).unwrap_or(0));
        let Some(last) = &mut self.last else {
            self.last = Some(Mapping { timestamp, ntp: captured.unwrap_or_else(|| hub_time(now)), at: now });
            self.due = Some(now);
            return true;
        };
        let ahead = timestamp.wrapping_sub(last.timestamp);
        if ahead == 0 || ahead > u32::MAX / 2 {
            return false;
        }
        let expected = last.ntp.wrapping_add((u64::from(ahead) << 32) / u64::from(clock_rate.max(1)));
        let ntp = captured.unwrap_or(expected);
        let has_jumped = expected.abs_diff(ntp) > JUMP;
        *last = Mapping { timestamp, ntp, at: now };
        if has_jumped {
            self.hurried = HURRIED;
        }
        let is_first_again = self.due.is_none();
        if has_jumped || is_first_again {
            self.due = Some(now);
        }
        has_jumped || is_first_again
    }

    pub fn packets(&self) -> u32 {
        self.packets
    }

    pub fn last_timestamp(&self) -> u32 {
        self.last.map_or(0, |last| last.timestamp)
    }

    /// Microseconds.
    pub fn due(&self) -> Option<i64> {
        self.due
    }

    /// The report, when it is due.
    pub fn report(&mut self, ssrc: u32, clock_rate: u32, now: i64) -> Option<SenderReport> {
        let last = self.last?;
        if self.due? > now {
            return None;
        }
        let passed = now - last.at;
        if passed > IDLE {
            self.due = None;
            return None;
        }
        let interval = if self.hurried > 0 { HURRIED_INTERVAL } else { INTERVAL };
        self.hurried = self.hurried.saturating_sub(1);
        self.due = Some(now + interval);
        let ntp_time = last.ntp.wrapping_add(ntp_of(passed));
        if let Some(slot) = self.sent.get_mut(self.next_slot) {
            *slot = (middle(ntp_time), now);
        }
        self.next_slot = (self.next_slot + 1) % REMEMBERED;
        Some(SenderReport {
            ssrc,
            ntp_time,
            rtp_time: last.timestamp.wrapping_add(ticks_of(passed, clock_rate)),
            packet_count: self.packets,
            octet_count: self.octets,
            ..SenderReport::default()
        })
    }

    /// Microseconds, from the answer to one of our reports: its NTP middle and how long the viewer held it (1/65,536 s).
    pub fn round_trip(&self, last_report: u32, delay: u32, now: i64) -> Option<i64> {
        let (_, sent) = self.sent.iter().find(|(middle, _)| last_report != 0 && *middle == last_report)?;
        let held = (i64::from(delay) * 1_000_000) >> 16;
        let round_trip = now - sent - held;
        (round_trip >= 0).then_some(round_trip)
    }
}

/// What receiver reports say of one stream, made into what was lost since the last one.
#[derive(Debug, Default)]
pub(super) struct Reception {
    last: Option<u32>,
}

impl Reception {
    /// Packets expected and lost since the last report.
    pub fn since(&mut self, highest: u32, fraction_lost: u8) -> Option<(u32, u32)> {
        let last = self.last.replace(highest)?;
        let expected = highest.wrapping_sub(last);
        // A receiver that began anew, or nonsense: nobody gets so many packets between two reports.
        if expected == 0 || expected > 1 << 15 {
            return None;
        }
        Some((expected, (expected * u32::from(fraction_lost)) >> 8))
    }
}

fn hub_time(now: i64) -> u64 {
    HUB_EPOCH.wrapping_add(ntp_of(now))
}

/// Microseconds as NTP's 32.32 seconds.
fn ntp_of(micros: i64) -> u64 {
    let micros = u64::try_from(micros).unwrap_or(0);
    ((micros / 1_000_000) << 32).wrapping_add(((micros % 1_000_000) << 32) / 1_000_000)
}

fn ticks_of(micros: i64, clock_rate: u32) -> u32 {
    let micros = u64::try_from(micros).unwrap_or(0);
    u32::try_from((micros.saturating_mul(u64::from(clock_rate)) / 1_000_000) & u64::from(u32::MAX)).unwrap_or(0)
}

fn middle(ntp: u64) -> u32 {
    u32::try_from((ntp >> 16) & u64::from(u32::MAX)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIDEO: u32 = 90_000;

    #[test]
    fn a_report_tells_the_same_clock_relation_however_late_it_is() {
        let mut reporter = Reporter::new();
        let captured = 0x1234_5678_8000_0000_u64;
        assert!(reporter.sent(1_000, Some(captured), 500, VIDEO, 7_000_000));
        let report = reporter.report(9, VIDEO, 7_500_000).unwrap();
        assert_eq!(report.ntp_time - captured, 1 << 31, "half a second on");
        assert_eq!(report.rtp_time, 1_000 + 45_000);
        assert_eq!((report.packet_count, report.octet_count), (1, 500));
        assert_eq!(reporter.report(9, VIDEO, 8_000_000), None, "the next one is due a second later");
    }

    #[test]
    fn sound_and_picture_of_one_member_meet() {
        let (mut sound, mut picture) = (Reporter::new(), Reporter::new());
        let moment = 0xe000_0000_0000_0000_u64;
        sound.sent(48_000, Some(moment), 80, 48_000, 100_000);
        picture.sent(90_000, Some(moment), 900, VIDEO, 170_000);
        let sound = sound.report(1, 48_000, 200_000).unwrap();
        let picture = picture.report(2, VIDEO, 200_000).unwrap();
        let sampled = |report: &SenderReport, timestamp: u32, rate: u32| {
            report.ntp_time - (u64::from(report.rtp_time - timestamp) << 32) / u64::from(rate)
        };
        let apart = sampled(&sound, 48_000, 48_000).abs_diff(sampled(&picture, 90_000, VIDEO));
        assert!(apart < (1 << 32) / 10_000, "{apart}");
    }

    #[test]
    fn the_answer_to_a_report_gives_the_round_trip() {
        let mut reporter = Reporter::new();
        reporter.sent(0, None, 1, VIDEO, 0);
        let report = reporter.report(1, VIDEO, 10_000).unwrap();
        // Held for half a second, heard 80 ms after that.
        assert_eq!(reporter.round_trip(middle(report.ntp_time), 1 << 15, 590_000), Some(80_000));
        assert_eq!(reporter.round_trip(middle(report.ntp_time) + 1, 1 << 15, 590_000), None);
        assert_eq!(reporter.round_trip(middle(report.ntp_time), u32::MAX, 590_000), None);
    }

    #[test]
    fn another_member_in_the_slot_is_reported_at_once_and_three_times() {
        let mut reporter = Reporter::new();
        let first = 0xe000_0000_0000_0000_u64;
        reporter.sent(0, Some(first), 1, VIDEO, 0);
        reporter.report(1, VIDEO, 0).unwrap();
        assert!(!reporter.sent(3_000, Some(first + (1 << 32) / 30), 1, VIDEO, 33_000), "as expected");
        assert!(reporter.sent(6_000, Some(first + (50 << 32)), 1, VIDEO, 66_000));
        let times = [66_000, 166_000, 266_000].map(|at| reporter.report(1, VIDEO, at).is_some());
        assert_eq!(times, [true; 3]);
        assert_eq!(reporter.report(1, VIDEO, 400_000), None);
    }

    #[test]
    fn a_stream_that_stopped_is_reported_no_more_until_it_goes_on() {
        let mut reporter = Reporter::new();
        reporter.sent(0, None, 1, VIDEO, 0);
        assert!(reporter.report(1, VIDEO, 1_000).is_some());
        assert!(reporter.report(1, VIDEO, IDLE + 1_000_001).is_none());
        assert_eq!(reporter.due(), None);
        assert!(reporter.sent(90_000, None, 1, VIDEO, 20_000_000));
    }

    #[test]
    fn loss_is_counted_between_reports() {
        let mut reception = Reception::default();
        assert_eq!(reception.since(1_000, 50), None);
        assert_eq!(reception.since(1_256, 64), Some((256, 64)));
        assert_eq!(reception.since(1_256, 64), None);
        assert_eq!(reception.since(5, 255), None, "it began anew");
    }
}
