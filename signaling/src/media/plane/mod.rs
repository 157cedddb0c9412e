//! The media plane's state: rooms, connections, streams, and the way of a packet through them. Driven by values; no socket, no clock.
//! [`negotiation`] makes and ends connections, [`traffic`] moves packets between them.

mod negotiation;
mod traffic;

use super::counters::Counters;
use super::forward::{Source, StreamKey};
use super::peer::{Peer, PeerId};
use super::stun::{self, Check, Datagram};
use super::tcp::Path;
use super::{Codec, MediaCommand, MediaEvent};
use crate::message::Kind;
use crate::recording::RecorderInput;
use crate::room::{ForwardingTable, RoomReport};
use crate::{MemberId, RoomId};
use bytes::BytesMut;
use rtc::rtp::Packet;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The stack is asked again after this long at the latest, whatever it says.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// A self-test gets this long, and so many run at a time; past that the oldest ends.
const PROBE_TIME: Duration = Duration::from_secs(15);
const MAX_PROBES: usize = 64;

pub(crate) struct Plane {
    candidates: Vec<String>,
    counters: Arc<Counters>,
    rooms: HashMap<RoomId, MediaRoom>,
    peers: HashMap<PeerId, Peer>,
    next_peer: u64,
    next_ssrc: u32,
    /// STUN user fragment → connection and password. Old ones stay after an ICE restart until the connection ends.
    fragments: HashMap<String, (PeerId, String)>,
    paths: HashMap<Path, PeerId>,
    /// Connections whose stack has something to give.
    touched: BTreeSet<PeerId>,
    arrived: VecDeque<(PeerId, Kind, Codec, Packet)>,
    transmit: VecDeque<(BytesMut, Path)>,
    /// Self-tests under way, the oldest first.
    probes: VecDeque<(Instant, PeerId)>,
}

struct MediaRoom {
    reports: mpsc::Sender<RoomReport>,
    table: ForwardingTable,
    sources: HashMap<StreamKey, Source>,
    publish: HashMap<MemberId, PeerId>,
    subscribe: HashMap<MemberId, PeerId>,
    tap: Option<mpsc::Sender<RecorderInput>>,
}

impl Plane {
    pub fn new(candidates: Vec<String>, counters: Arc<Counters>) -> Self {
        Self {
            candidates,
            counters,
            rooms: HashMap::new(),
            peers: HashMap::new(),
            next_peer: 0,
            next_ssrc: 0x1000_0000,
            fragments: HashMap::new(),
            paths: HashMap::new(),
            touched: BTreeSet::new(),
            arrived: VecDeque::new(),
            transmit: VecDeque::new(),
            probes: VecDeque::new(),
        }
    }

    /// A datagram came in. Call [`Self::process`] when the batch is through.
    pub fn datagram(&mut self, datagram: &[u8], from: Path, now: Instant) {
        let id = match stun::classify(datagram) {
            Datagram::Check => self.check(datagram, from),
            Datagram::Known => self.paths.get(&from).copied(),
            Datagram::Junk => None,
        };
        let Some((id, peer)) = id.and_then(|id| Some((id, self.peers.get_mut(&id)?))) else {
            Counters::add(&self.counters.strangers, 1);
            return;
        };
        if let Err(error) = peer.read(datagram, now) {
            Counters::add(&self.counters.refused_by_stack, 1);
            tracing::debug!(member = %peer.member, %error, "datagram refused");
        }
        self.touched.insert(id);
    }

    pub fn command(&mut self, command: MediaCommand, now: Instant) {
        match command {
            MediaCommand::Open { room, reports } => {
                let fresh = MediaRoom {
                    reports,
                    table: ForwardingTable::default(),
                    sources: HashMap::new(),
                    publish: HashMap::new(),
                    subscribe: HashMap::new(),
                    tap: None,
                };
                self.rooms.insert(room, fresh);
            }
            MediaCommand::Act { room, action } => self.act(&room, action, now),
            MediaCommand::Tap { room, tap } => {
                let Some(state) = self.rooms.get_mut(&room) else { return };
                state.tap = tap;
                let streams: Vec<_> = state.sources.keys().cloned().collect();
                for stream in streams {
                    self.ask_keyframe(&room, &stream, now);
                }
            }
            MediaCommand::Keyframe { room, member } => self.ask_keyframe(&room, &(member, Kind::Video), now),
            MediaCommand::Close { room } => {
                let Some(state) = self.rooms.remove(&room) else { return };
                for id in state.publish.into_values().chain(state.subscribe.into_values()) {
                    self.end(id);
                }
            }
            MediaCommand::Probe { sdp, answer } => {
                let _ = answer.send(self.probe(&sdp, now));
            }
            MediaCommand::Shutdown => {
                for id in self.peers.keys().copied().collect::<Vec<_>>() {
                    self.end(id);
                }
            }
        }
    }

    /// Lets everything that waits go its way: out of the stacks, through the table, into the stacks, out to the wire.
    pub fn process(&mut self, now: Instant) {
        loop {
            while let Some(id) = self.touched.pop_first() {
                self.drain(id, now);
            }
            if self.arrived.is_empty() {
                return;
            }
            while let Some((id, kind, codec, packet)) = self.arrived.pop_front() {
                self.forward(id, kind, codec, &packet, now);
            }
        }
    }

    /// Time passed.
    pub fn tick(&mut self, now: Instant) {
        while let Some((_, id)) = self.probes.pop_front_if(|(end, _)| *end <= now) {
            self.end(id);
        }
        for (id, peer) in &mut self.peers {
            if peer.deadline <= now {
                if let Err(error) = peer.tick(now) {
                    tracing::debug!(member = %peer.member, %error, "the stack's clock work failed");
                }
                self.touched.insert(*id);
            }
        }
        let due: Vec<_> =
            self.rooms
                .iter_mut()
                .flat_map(|(room, state)| {
                    state.sources.iter_mut().filter_map(|(stream, source)| {
                        source.keyframes.due(now).then(|| (room.clone(), stream.clone()))
                    })
                })
                .collect();
        for (room, stream) in due {
            self.send_keyframe_request(&room, &stream, now);
        }
        self.process(now);
    }

    /// When [`Self::tick`] is wanted.
    pub fn deadline(&self, now: Instant) -> Instant {
        let stacks = self.peers.values().map(|peer| peer.deadline);
        let keyframes =
            self.rooms.values().flat_map(|room| room.sources.values()).filter_map(|s| s.keyframes.deadline());
        stacks.chain(keyframes).min().unwrap_or(now + LONGEST_SLEEP).min(now + LONGEST_SLEEP)
    }

    /// Somebody has proved to be a client on this path.
    pub fn knows(&self, path: Path) -> bool {
        self.paths.contains_key(&path)
    }

    /// The next datagram for the wire.
    pub fn transmit(&mut self) -> Option<(BytesMut, Path)> {
        self.transmit.pop_front()
    }

    fn check(&mut self, datagram: &[u8], from: Path) -> Option<PeerId> {
        let mut check = Check::read(datagram)?;
        let (id, password) = self.fragments.get(&check.ufrag)?.clone();
        if !check.is_authentic(&password) {
            Counters::add(&self.counters.bad_checks, 1);
            return None;
        }
        let (forgotten, moved) = self.peers.get_mut(&id)?.follow(from, check.use_candidate);
        if moved {
            Counters::add(&self.counters.path_changes, 1);
        }
        if let Some(forgotten) = forgotten {
            self.paths.remove(&forgotten);
        }
        self.paths.insert(from, id);
        Some(id)
    }

    fn report(&self, room: &RoomId, event: MediaEvent) {
        let Some(state) = self.rooms.get(room) else { return };
        if state.reports.try_send(RoomReport::Media(event)).is_err() {
            tracing::error!(%room, "the room does not take its reports, one was dropped");
        }
    }
}
