//! Fitting what is sent to each viewer's line, and what is published to what anybody watches.

use super::Plane;
use crate::QualityLevel;
use crate::media::allocate::{Wish, is_audio_only};
use crate::media::dispatch::Job;
use crate::media::egress::EgressStats;
use crate::media::forward::StreamKey;
use crate::media::peer::{Peer, PeerId, Side};
use crate::media::receive::ReceiveStats;
use crate::media::source::{MAX_LAYERS, Source};
use crate::media::{MediaEvent, MediaEventKind};
use crate::message::Kind;
use crate::{MemberId, RoomId};
use std::time::{Duration, Instant};

/// What one voice takes, headers included, in bits a second: Opus at 32 kbit/s in packets of 20 ms.
const VOICE_BITS: u64 = 60_000;
/// What a layer is taken for before it flows, smallest first, in bits a second: what our client sends.
const USUAL_BITS: [u64; MAX_LAYERS] = [90_000, 300_000, 900_000];
/// A layer that is asked for so long and does not come is not to be had: the sender's line or processor is too weak.
const LAYER_PATIENCE: Duration = Duration::from_secs(4);
/// So long after its first picture a viewer's line is taken to carry at least the smallest of each.
const TRIAL: Duration = Duration::from_secs(5);
/// After a full queue a single layer has to fit the estimate for so long.
const RELIEF: Duration = Duration::from_secs(10);
/// A layer that nobody wants any more is still asked for so long: layouts change to and fro.
const LINGER: Duration = Duration::from_secs(2);

impl Plane {
    /// Chooses layers for everybody and tells publishers what is watched.
    pub(super) fn adapt(&mut self, now: Instant) {
        self.measure_layers(now);
        for id in self.peers.keys().copied().collect::<Vec<_>>() {
            self.choose_layers(id, now);
        }
        self.demand(now);
    }

    fn measure_layers(&mut self, now: Instant) {
        for state in self.rooms.values_mut() {
            for ((_, kind), source) in &mut state.sources {
                let Some(publish) = self.peers.get_mut(&source.peer).and_then(Peer::publish_mut) else { continue };
                let layers = publish.receiver.layers(*kind, now);
                source.layers = publish.rids(*kind).len().clamp(1, MAX_LAYERS);
                for (layer, rate) in source.rates.iter_mut().enumerate().take(source.layers) {
                    let heard = layers.iter().find(|heard| heard.layer == layer && heard.alive);
                    let measured = heard.map_or(0, |heard| heard.bits_per_second);
                    let usual = USUAL_BITS.get(layer).copied().unwrap_or(0);
                    let asked_long = source
                        .demanded_since
                        .get(layer)
                        .copied()
                        .flatten()
                        .is_some_and(|since| now.saturating_duration_since(since) > LAYER_PATIENCE);
                    *rate = match (measured, asked_long) {
                        // A picture that stands still is one all the same, when there is no other layer.
                        (0, true) if source.layers > 1 => 0,
                        (0, _) => usual,
                        (measured, _) => measured,
                    };
                }
            }
        }
    }

    /// One viewer's layers, by its line.
    pub(super) fn choose_layers(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let Some(state) = self.rooms.get(&peer.room) else { return };
        let Side::Subscribe(subscribe) = &mut peer.side else { return };
        let mut voices = 0;
        let (mut places, mut wishes) = (Vec::new(), Vec::new());
        for (at, slot) in subscribe.slots.iter_mut().enumerate() {
            let Some(stream) = &slot.carries else { continue };
            if stream.1 == Kind::Audio {
                slot.output.aim(Some(0));
                voices += 1;
            } else if let Some(source) = state.sources.get(stream) {
                let flows = state.table.route(&stream.0).is_some_and(|route| route.is_on(stream.1));
                if !flows {
                    continue;
                }
                places.push(at);
                let layers = source.rates.iter().take(source.layers).copied().collect();
                wishes.push(Wish { size: slot.size, layers, current: slot.output.target() });
            }
        }
        let wanted: u64 = wishes.iter().map(Wish::most).sum();
        let mut for_pictures = subscribe.estimate.saturating_sub(voices * VOICE_BITS);
        let within =
            |at: Option<Instant>, time: Duration| at.is_some_and(|at| now.saturating_duration_since(at) < time);
        let flows =
            places.iter().any(|at| subscribe.slots.get(*at).is_some_and(|slot| slot.output.current().is_some()));
        if flows && subscribe.worker.is_some() {
            subscribe.tried.get_or_insert(now);
        }
        // Nothing is known of a line on which nothing flowed: the smallest pictures are given a try, which is what it is measured by.
        if subscribe.tried.is_none() || within(subscribe.tried, TRIAL) {
            for_pictures = for_pictures.max(wishes.iter().map(Wish::least).sum::<u64>().saturating_mul(2));
        }
        // An encoder's one layer is all or nothing, and a line is measured by what flows: it goes on until the line shows that it is too much.
        if !within(subscribe.overflowed, RELIEF) {
            let single = wishes.iter().filter(|wish| wish.layers.len() == 1).count();
            let share = for_pictures / 10 * 9 / u64::try_from(single.max(1)).unwrap_or(1);
            for bits in wishes.iter_mut().filter(|wish| wish.layers.len() == 1).flat_map(|wish| &mut wish.layers) {
                *bits = (*bits).min(share);
            }
        }
        let choices = subscribe.allocator.step(now, for_pictures, &wishes);
        subscribe.audio_only = is_audio_only(&wishes, &choices);
        let mut fresh = Vec::new();
        for (at, choice) in places.iter().zip(&choices) {
            let Some(slot) = subscribe.slots.get_mut(*at) else { continue };
            if slot.output.target() != *choice {
                slot.output.aim(*choice);
                fresh.extend(slot.carries.clone().zip(*choice));
            }
        }
        // What the line would have to carry for everything that is wished, with the room that the allocator leaves before it goes up.
        let wanted = wanted.max(wishes.iter().map(Wish::most).sum());
        if let Some(worker) = subscribe.worker {
            self.workers.order(worker, Job::Want { peer: id, bits: (wanted + voices * VOICE_BITS) / 4 * 5 });
        }
        let room = peer.room.clone();
        for (stream, layer) in fresh {
            self.ask_keyframe(&room, &stream, layer, now);
        }
    }

    /// Tells publishers which of their layers anybody watches.
    fn demand(&mut self, now: Instant) {
        let mut told = Vec::new();
        for (room, state) in &mut self.rooms {
            let recorded = state.is_recorded();
            for (stream, source) in &mut state.sources {
                if stream.1 == Kind::Audio {
                    continue;
                }
                let bits = watched(&self.peers, source, recorded, now);
                if recorded {
                    source.recorder.aim(best_layer(source));
                }
                if source.demanded != Some(bits) {
                    let before = source.demanded.replace(bits).unwrap_or(0);
                    for (layer, since) in source.demanded_since.iter_mut().enumerate() {
                        let (was, is) = (before & (1 << layer) != 0, bits & (1 << layer) != 0);
                        if is != was || !is {
                            *since = is.then_some(now);
                        }
                    }
                    told.push((room.clone(), stream.clone(), source.peer, bits));
                }
            }
        }
        for (room, stream, publisher, bits) in told {
            self.tell_demand(&room, &stream, publisher, bits, now);
        }
    }

    fn tell_demand(&mut self, room: &RoomId, stream: &StreamKey, publisher: PeerId, bits: u8, now: Instant) {
        let Some(peer) = self.peers.get_mut(&publisher) else { return };
        let (member, connection) = (peer.member.clone(), peer.connection);
        let Some(publish) = peer.publish_mut() else { return };
        let rids = (0..MAX_LAYERS)
            .filter(|layer| bits & (1 << layer) != 0)
            .filter_map(|layer| publish.rid(stream.1, layer, now))
            .collect();
        let kind = MediaEventKind::Demand { kind: stream.1, on: bits != 0, rids };
        self.report(room, MediaEvent { member, connection, kind });
    }

    /// A worker's measure of a viewer's line.
    pub(super) fn line(&mut self, id: PeerId, estimate: u64, stats: &EgressStats) {
        let Some(peer) = self.peers.get(&id) else { return };
        let (member, connection, room) = (peer.member.clone(), peer.connection, peer.room.clone());
        // The worse direction counts: who is not understood has a bad line, too.
        let up = self.uplink(&room, &member);
        let rtt_ms = stats.rtt_ms.unwrap_or(0.0).max(up.map_or(0.0, |up| up.round_trip_ms));
        let loss = stats.loss.max(up.map_or(0.0, |up| up.fraction_lost));
        let level = QualityLevel::of(rtt_ms, loss);
        let Some(subscribe) = self.peers.get_mut(&id).and_then(Peer::subscribe_mut) else { return };
        subscribe.estimate = estimate;
        (subscribe.loss, subscribe.rtt_ms) = (stats.loss, stats.rtt_ms);
        subscribe.reports = subscribe.reports.wrapping_add(1);
        // A changed level at once, else every few seconds.
        if level == subscribe.level && !subscribe.reports.is_multiple_of(16) {
            return;
        }
        subscribe.level = level;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let (rtt_ms, loss_percent) = (rtt_ms.clamp(0.0, 60_000.0) as u32, (loss.clamp(0.0, 1.0) * 100.0) as u32);
        let kind =
            MediaEventKind::Line { rtt_ms, loss_percent, bits_per_second: estimate, audio_only: subscribe.audio_only };
        self.report(&room, MediaEvent { member, connection, kind });
    }

    fn uplink(&self, room: &RoomId, member: &MemberId) -> Option<ReceiveStats> {
        let id = self.rooms.get(room)?.publish.get(member)?;
        Some(self.peers.get(id)?.publish()?.receiver.stats())
    }

    /// A viewer's queue was full and pictures were dropped: less is sent at once, and begins whole.
    pub(super) fn overflowed(&mut self, id: PeerId, now: Instant) {
        if let Some(subscribe) = self.peers.get_mut(&id).and_then(Peer::subscribe_mut) {
            subscribe.estimate = subscribe.estimate / 5 * 4;
            subscribe.overflowed = Some(now);
        }
        self.choose_layers(id, now);
        self.ask_keyframes_for(id, now);
    }
}

/// The layers that are watched, a bit for each.
fn watched(peers: &std::collections::HashMap<PeerId, Peer>, source: &mut Source, recorded: bool, now: Instant) -> u8 {
    let outputs =
        source.listeners.iter().filter_map(|(id, at)| Some(&peers.get(id)?.subscribe()?.slots.get(*at)?.output));
    // What goes out now goes on until the layer that is aimed at has come.
    let layers = outputs.flat_map(|output| [output.target(), output.current()]).flatten();
    let best = if recorded { [best_layer(source), source.recorder.current()] } else { [None, None] };
    for layer in layers.chain(best.into_iter().flatten()) {
        if let Some(wanted_at) = source.wanted_at.get_mut(layer) {
            *wanted_at = Some(now);
        }
    }
    let recent = |at: &Option<Instant>| at.is_some_and(|at| now.saturating_duration_since(at) < LINGER);
    source.wanted_at.iter().enumerate().filter(|(_, at)| recent(at)).fold(0, |bits, (layer, _)| bits | (1 << layer))
}

/// The largest layer that is to be had.
fn best_layer(source: &Source) -> Option<usize> {
    (0..source.layers).rev().find(|layer| source.rates.get(*layer).is_some_and(|rate| *rate > 0)).or(Some(0))
}
