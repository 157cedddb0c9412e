//! How fast the narrowest link passes a train of packets that left together: what spreads them is that link (packet-train dispersion).
//!
//! It says nothing of who else is on the way, so it makes no estimate; it only frees the pacer where nothing needs to be spread.

/// Packets that leave within this of each other are one train, in microseconds.
const TOGETHER: i64 = 1_000;
/// The wagons of a train that says something.
const FEWEST: u32 = 4;
/// Arrivals are told in steps of this.
const RESOLUTION: i64 = 250;
/// No train proves more than this, bits/s.
const MOST: f64 = 100_000_000.0;
const WEIGHT: f64 = 0.2;

#[derive(Debug, Default)]
pub(super) struct Trains {
    current: Option<Train>,
    rate: Option<f64>,
}

#[derive(Debug, Clone, Copy)]
struct Train {
    packets: u32,
    /// Without the first packet's.
    bytes: u64,
    last_sent: i64,
    first_arrived: i64,
    last_arrived: i64,
}

impl Trains {
    /// Bits a second, once some trains have passed.
    pub fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// Packets in the order of their arrival; microseconds, each time on its own clock.
    pub fn arrived(&mut self, sent: i64, arrived: i64, bytes: u32) {
        if let Some(train) = self.current.as_mut().filter(|train| (sent - train.last_sent).abs() <= TOGETHER) {
            train.packets += 1;
            train.bytes += u64::from(bytes);
            train.last_sent = sent;
            train.last_arrived = arrived;
            return;
        }
        let began = Train { packets: 1, bytes: 0, last_sent: sent, first_arrived: arrived, last_arrived: arrived };
        let Some(train) = self.current.replace(began).filter(|train| train.packets >= FEWEST) else { return };
        let spread = (train.last_arrived - train.first_arrived).max(RESOLUTION);
        let sample = (train.bytes as f64 * 8_000_000.0 / spread as f64).min(MOST);
        self.rate = Some(self.rate.map_or(sample, |rate| rate + WEIGHT * (sample - rate)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Trains of six packets every 33 ms over a link of this rate.
    fn measured(link: f64) -> f64 {
        let mut trains = Trains::default();
        for train in 0..30_i64 {
            for wagon in 0..6_i64 {
                let takes = 1_228.0 * 8_000_000.0 / link;
                let arrived = train * 33_000 + 20_000 + super::super::micros_of(takes) * wagon;
                trains.arrived(train * 33_000, arrived / RESOLUTION * RESOLUTION, 1_228);
            }
        }
        trains.rate().unwrap()
    }

    #[test]
    fn the_narrowest_link_is_measured() {
        for link in [500_000.0, 2_000_000.0, 10_000_000.0] {
            let rate = measured(link);
            assert!((0.85 * link..1.15 * link).contains(&rate), "{rate} for {link}");
        }
        assert!(measured(1_000_000_000.0) > 90_000_000.0);
    }

    #[test]
    fn single_packets_say_nothing() {
        let mut trains = Trains::default();
        for packet in 0..100 {
            trains.arrived(packet * 5_000, packet * 5_000, 1_228);
        }
        assert_eq!(trains.rate(), None);
    }
}
