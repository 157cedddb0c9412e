//! The media plane's state: rooms, connections, streams, and the way of a packet through them. Driven by values; no socket, no clock.
//!
//! * [`connect`] makes, negotiates and ends connections; [`slots`] puts what the layout wants into a viewer's sections.
//! * [`traffic`] moves packets from publishers to outputs; [`adapt`] chooses layers by each viewer's line and tells publishers what is watched.

mod adapt;
mod connect;
mod slots;
mod survey;
mod traffic;

use super::counters::Counters;
use super::dispatch::{Job, Notice, Workers};
use super::forward::StreamKey;
use super::peer::{Peer, PeerId, Side};
use super::port::Path;
use super::source::Source;
use super::transport::{Checked, Datagram, Identity, Read, State, claimed_ufrag, classify};
use super::{MediaCommand, MediaEvent, MediaEventKind};
use crate::message::Direction;
use crate::recording::RecorderInput;
use crate::room::{ForwardingTable, RoomReport, SpeakerDetector};
use crate::{MemberId, RoomId};
use bytes::BytesMut;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The plane's own clock work: feedback to publishers, handshakes, key frame requests.
const TICK: Duration = Duration::from_millis(10);
/// With nobody connected.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// How often the loudest voices are looked at.
const SPEAKERS_EVERY: Duration = Duration::from_millis(50);
/// How often layers are chosen anew.
const ADAPT_EVERY: Duration = Duration::from_millis(250);
/// A self-test gets this long, and so many run at a time; past that the oldest ends.
const PROBE_TIME: Duration = Duration::from_secs(15);
const MAX_PROBES: usize = 64;

pub(crate) struct Plane {
    identity: Identity,
    candidates: Vec<String>,
    counters: Arc<Counters>,
    workers: Workers,
    rooms: HashMap<RoomId, MediaRoom>,
    peers: HashMap<PeerId, Peer>,
    next_peer: u64,
    next_ssrc: u32,
    /// STUN user fragment → connection. Old ones stay after an ICE restart until the connection ends.
    fragments: HashMap<String, PeerId>,
    paths: HashMap<Path, PeerId>,
    /// Connections whose transport may have something to send.
    touched: BTreeSet<PeerId>,
    transmit: VecDeque<(BytesMut, Path)>,
    /// Self-tests under way, the oldest first.
    probes: VecDeque<(Instant, PeerId)>,
    next_tick: Instant,
    next_speakers: Instant,
    next_adapt: Instant,
}

pub(super) struct MediaRoom {
    reports: mpsc::Sender<RoomReport>,
    table: ForwardingTable,
    sources: HashMap<StreamKey, Source>,
    publish: HashMap<MemberId, PeerId>,
    subscribe: HashMap<MemberId, PeerId>,
    speakers: SpeakerDetector,
    /// The voices that a large room hears, loudest first.
    loud: Vec<MemberId>,
    tap: Option<mpsc::Sender<RecorderInput>>,
}

impl Plane {
    pub fn new(
        identity: Identity,
        candidates: Vec<String>,
        counters: Arc<Counters>,
        workers: Workers,
        now: Instant,
    ) -> Self {
        Self {
            identity,
            candidates,
            counters,
            workers,
            rooms: HashMap::new(),
            peers: HashMap::new(),
            next_peer: 0,
            next_ssrc: 0x1000_0000,
            fragments: HashMap::new(),
            paths: HashMap::new(),
            touched: BTreeSet::new(),
            transmit: VecDeque::new(),
            probes: VecDeque::new(),
            next_tick: now,
            next_speakers: now,
            next_adapt: now,
        }
    }

    /// A datagram came in. Call [`Self::finish`] when the batch is through.
    pub fn datagram(&mut self, datagram: &[u8], from: Path, now: Instant) {
        match classify(datagram) {
            Datagram::Check => self.check(datagram, from, now),
            Datagram::Known => match self.paths.get(&from).copied() {
                Some(id) => self.known(id, datagram, from, now),
                None => Counters::add(&self.counters.strangers, 1),
            },
            Datagram::Junk => Counters::add(&self.counters.strangers, 1),
        }
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
                    speakers: SpeakerDetector::default(),
                    loud: Vec::new(),
                    tap: None,
                };
                self.rooms.insert(room, fresh);
            }
            MediaCommand::Act { room, action } => self.act(&room, action, now),
            MediaCommand::Tap { room, tap } => self.tap(&room, tap, now),
            MediaCommand::Keyframe { room, member } => self.recorder_needs_keyframe(&room, &member, now),
            MediaCommand::Close { room } => {
                let Some(state) = self.rooms.remove(&room) else { return };
                for id in state.publish.into_values().chain(state.subscribe.into_values()) {
                    self.end(id, now);
                }
            }
            MediaCommand::Probe { sdp, answer } => {
                let _ = answer.send(self.probe(&sdp, now));
            }
            MediaCommand::Survey(answer) => {
                let _ = answer.send(self.survey());
            }
            MediaCommand::Shutdown => {
                for id in self.peers.keys().copied().collect::<Vec<_>>() {
                    self.end(id, now);
                }
            }
        }
    }

    /// A worker's word.
    pub fn notice(&mut self, notice: Notice, now: Instant) {
        match notice {
            Notice::KeyframeWanted { peer, ssrc } => self.viewer_needs_keyframe(peer, ssrc, now),
            Notice::Overflow { peer } => self.overflowed(peer, now),
            Notice::Line { peer, estimate, stats } => self.line(peer, estimate, &stats),
        }
    }

    /// The batch is through: everything that was decided goes its way.
    pub fn finish(&mut self) {
        while let Some(id) = self.touched.pop_first() {
            if let Some(peer) = self.peers.get_mut(&id) {
                while let Some(out) = peer.transport.poll_transmit() {
                    self.transmit.push_back(out);
                }
            }
        }
        self.workers.flush();
    }

    /// Time passed.
    pub fn tick(&mut self, now: Instant) {
        if now < self.next_tick {
            return;
        }
        self.next_tick = now + TICK;
        while let Some((_, id)) = self.probes.pop_front_if(|(end, _)| *end <= now) {
            self.end(id, now);
        }
        let ids: Vec<_> = self.peers.keys().copied().collect();
        for id in ids {
            self.tick_peer(id, now);
        }
        self.pending_keyframes(now);
        if now >= self.next_speakers {
            self.next_speakers = now + SPEAKERS_EVERY;
            self.listen(now);
        }
        if now >= self.next_adapt {
            self.next_adapt = now + ADAPT_EVERY;
            self.adapt(now);
        }
        self.finish();
    }

    /// When [`Self::tick`] is wanted.
    pub fn deadline(&self, now: Instant) -> Instant {
        if self.peers.is_empty() { now + LONGEST_SLEEP } else { self.next_tick }
    }

    /// Somebody has proved to be a client on this path.
    pub fn knows(&self, path: Path) -> bool {
        self.paths.contains_key(&path)
    }

    /// A TCP connection is no more. Its client's next check, by whatever path, leads us there.
    pub fn gone(&mut self, path: Path) {
        if let Some(peer) = self.paths.remove(&path).and_then(|id| self.peers.get_mut(&id)) {
            peer.transport.forget(path);
        }
    }

    /// The next datagram for the wire.
    pub fn transmit(&mut self) -> Option<(BytesMut, Path)> {
        self.transmit.pop_front()
    }

    fn check(&mut self, datagram: &[u8], from: Path, now: Instant) {
        let owner = claimed_ufrag(datagram).and_then(|fragment| self.fragments.get(fragment).copied());
        let Some((id, peer)) = owner.and_then(|id| Some((id, self.peers.get_mut(&id)?))) else {
            Counters::add(&self.counters.strangers, 1);
            return;
        };
        match peer.transport.check(datagram, from, now) {
            Checked::Refused => Counters::add(&self.counters.bad_checks, 1),
            Checked::Ok { forgotten, moved } => {
                if let Some(forgotten) = forgotten {
                    self.paths.remove(&forgotten);
                }
                self.paths.insert(from, id);
                if moved {
                    Counters::add(&self.counters.path_changes, 1);
                    self.moved(id);
                }
                self.touched.insert(id);
                self.look_at_state(id, now);
            }
        }
    }

    fn known(&mut self, id: PeerId, datagram: &[u8], from: Path, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let path = peer.transport.path();
        let read = peer.transport.read(datagram, from, now);
        if peer.transport.path() != path {
            Counters::add(&self.counters.path_changes, 1);
            self.moved(id);
        }
        match read {
            Read::Nothing => {
                self.touched.insert(id);
                self.look_at_state(id, now);
            }
            Read::Rtp(header, packet) => self.received(id, &header, packet, now),
            Read::Rtcp(compound) => self.reported(id, compound, now),
            Read::Refused(reason) => {
                Counters::add(&self.counters.refused, 1);
                tracing::trace!(?id, reason, "datagram refused");
            }
        }
    }

    /// The client's media path is another one: its worker must know.
    fn moved(&mut self, id: PeerId) {
        let Some(way) = self.way(id) else { return };
        if let Some(worker) = self.peers.get(&id).and_then(Peer::subscribe).and_then(|subscribe| subscribe.worker) {
            self.workers.order(worker, Job::Way { peer: id, way });
        }
    }

    fn way(&self, id: PeerId) -> Option<Path> {
        self.peers.get(&id)?.transport.path()
    }

    /// Tells the room when a connection came up, fell silent or ended.
    fn look_at_state(&mut self, id: PeerId, now: Instant) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let state = peer.transport.state();
        let up = state == State::Up;
        let down = matches!(state, State::Silent | State::Failed | State::Closed);
        if up == peer.up || (!up && !down) {
            return;
        }
        peer.up = up;
        tracing::debug!(member = %peer.member, ?state, "connection");
        let publishes = matches!(peer.side, Side::Publish(_));
        let direction = if publishes { Direction::Publish } else { Direction::Subscribe };
        let kind = if up { MediaEventKind::Up(direction) } else { MediaEventKind::Down(direction) };
        let (room, member) = (peer.room.clone(), peer.member.clone());
        let event = MediaEvent { member: member.clone(), connection: peer.connection, kind };
        self.report(&room, event);
        if up {
            if publishes {
                self.publisher_is_up(id, &room, &member, now);
            } else {
                self.viewer_is_up(id, now);
            }
        }
    }

    fn report(&self, room: &RoomId, event: MediaEvent) {
        self.tell_room(room, RoomReport::Media(event));
    }

    fn tell_room(&self, room: &RoomId, report: RoomReport) {
        let Some(state) = self.rooms.get(room) else { return };
        if state.reports.try_send(report).is_err() {
            tracing::error!(%room, "the room does not take its reports, one was dropped");
        }
    }
}
