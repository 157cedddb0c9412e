//! The figures of the media plane for `/metrics`: what it counted, and how rooms and lines are at the moment of asking. Nothing here
//! names a room, a member or an address: figures go to monitoring, which nobody was asked about.

use metrics::{counter, gauge};
use signaling::{MediaCounters, MediaSurvey};

use crate::service::Hub;

/// Steps of the estimate, bits a second: sound alone, the low layer, the middle one, the large one, several pictures.
const ESTIMATE_STEPS: [f64; 6] = [60_000.0, 150_000.0, 400_000.0, 1_000_000.0, 2_000_000.0, 4_000_000.0];
/// Steps of loss: speech suffers from 3 % on, and ends at 10 %.
const LOSS_STEPS: [f64; 4] = [0.01, 0.03, 0.1, 0.2];
/// Steps of the round trip, milliseconds: people notice from 250 on.
const ROUND_TRIP_STEPS: [f64; 5] = [50.0, 100.0, 250.0, 500.0, 1_000.0];
/// Steps of jitter, milliseconds.
const JITTER_STEPS: [f64; 4] = [10.0, 30.0, 60.0, 120.0];

/// Brings the figures up to date, just before they are read.
pub(super) async fn collect(hub: &Hub) {
    counted(&hub.rooms.counters());
    // No answer means no media: `/readyz` says so. Gauges must not go on showing what was.
    seen(&hub.rooms.survey().await.unwrap_or_default());
}

fn counted(media: &MediaCounters) {
    counter!("hub_media_packets_received").absolute(media.received);
    counter!("hub_media_packets_forwarded").absolute(media.forwarded);
    counter!("hub_media_datagrams_sent").absolute(media.sent);
    counter!("hub_media_send_calls").absolute(media.send_calls);
    counter!("hub_media_packets_dropped").absolute(media.dropped);
    counter!("hub_media_packets_refused").absolute(media.refused);
    counter!("hub_media_strangers").absolute(media.strangers);
    counter!("hub_media_checks_refused").absolute(media.bad_checks);
    counter!("hub_media_recorder_drops").absolute(media.tap_dropped);
    counter!("hub_media_keyframes_asked").absolute(media.keyframes_asked);
    counter!("hub_media_path_changes").absolute(media.path_changes);
}

fn seen(media: &MediaSurvey) {
    gauge!("hub_rooms").set(number(media.rooms));
    gauge!("hub_rooms_recorded").set(number(media.recorded_rooms));
    gauge!("hub_room_members").set(number(media.members));
    gauge!("hub_room_members_most").set(number(media.largest_room));
    gauge!("hub_media_connections", "over" => "udp").set(number(media.over_udp));
    gauge!("hub_media_connections", "over" => "tcp").set(number(media.over_tcp));
    gauge!("hub_media_self_tests").set(number(media.probes));
    gauge!("hub_media_viewers_sound_only").set(number(media.downlinks.iter().filter(|line| line.sound_only).count()));

    let down = &media.downlinks;
    spread("hub_media_viewers_by_estimate", None, &ESTIMATE_STEPS, down.iter().map(|line| bits(line.bits_per_second)));
    spread("hub_media_lines_by_loss", Some("down"), &LOSS_STEPS, down.iter().map(|line| line.loss));
    let round_trips = down.iter().filter_map(|line| line.round_trip_ms);
    spread("hub_media_lines_by_round_trip_ms", Some("down"), &ROUND_TRIP_STEPS, round_trips);
    let up = &media.uplinks;
    spread("hub_media_lines_by_loss", Some("up"), &LOSS_STEPS, up.iter().map(|line| line.loss));
    spread("hub_media_lines_by_round_trip_ms", Some("up"), &ROUND_TRIP_STEPS, up.iter().map(|line| line.round_trip_ms));
    spread("hub_media_lines_by_jitter_ms", Some("up"), &JITTER_STEPS, up.iter().map(|line| line.jitter_ms));
}

/// How many are at or below each step, as the buckets of a histogram are counted: `histogram_quantile` of Prometheus reads them. They are
/// gauges, because lines come and go.
fn spread(name: &'static str, direction: Option<&'static str>, steps: &[f64], values: impl Iterator<Item = f64>) {
    let values: Vec<f64> = values.collect();
    let set = |step: String, count: usize| match direction {
        Some(direction) => gauge!(name, "direction" => direction, "le" => step).set(number(count)),
        None => gauge!(name, "le" => step).set(number(count)),
    };
    for step in steps {
        set(step.to_string(), values.iter().filter(|value| *value <= step).count());
    }
    set("+Inf".to_owned(), values.len());
}

/// Figures of Prometheus are floating point; nothing here comes near what they hold exactly.
fn number(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}

fn bits(bits_per_second: u64) -> f64 {
    u32::try_from(bits_per_second).unwrap_or(u32::MAX).into()
}
