//! One peer connection: its transport, and what it is for.

use super::dispatch::WorkerId;
use super::forward::{Output, StreamKey};
use super::receive::Receiver;
use super::sdp::{self, CodecEntry, Offer};
use super::transport::{Sealer, Transport};
use super::{Codec, allocate::Allocator};
use crate::QualityLevel;
use crate::message::{Kind, TrackView};
use crate::room::{Size, SlotName};
use crate::{ConnectionId, MemberId, RoomId};
use std::time::Instant;

/// A peer connection's number in the plane. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PeerId(pub u64);

/// One peer connection.
pub(crate) struct Peer {
    pub room: RoomId,
    pub member: MemberId,
    pub connection: ConnectionId,
    pub transport: Transport,
    /// The client's user fragment: another one is an ICE restart.
    pub remote_ufrag: Option<String>,
    /// As last told to the room.
    pub up: bool,
    pub side: Side,
}

/// Which of a tab's two connections.
pub(crate) enum Side {
    /// The client sends.
    Publish(Box<Publish>),
    /// The hub sends.
    Subscribe(Box<Subscribe>),
}

/// The client's sending side.
pub(crate) struct Publish {
    pub receiver: Receiver,
    /// For our feedback. None before the handshake is over.
    pub sealer: Option<Sealer>,
    /// What the client offered last; an answer that is repeated must fit it.
    pub rids: Vec<(Kind, Vec<String>)>,
}

/// The client's receiving side.
pub(crate) struct Subscribe {
    /// The hub offers; else the client did (WHEP), and there is nothing to renegotiate.
    pub we_offer: bool,
    /// WHEP: the member that is watched, when one was named.
    pub only: Option<MemberId>,
    pub slots: Vec<OutSlot>,
    /// For the o= line.
    pub session: u64,
    pub version: u64,
    pub awaiting_answer: bool,
    /// Something changed while an answer was awaited.
    pub dirty: bool,
    pub restart: bool,
    pub transport_cc: Option<u8>,
    /// Where its egress lives, once the handshake is over.
    pub worker: Option<WorkerId>,
    pub allocator: Allocator,
    /// When its first picture was sent.
    pub tried: Option<Instant>,
    /// When its queue was last full.
    pub overflowed: Option<Instant>,
    /// The latest estimate of the line, in bits a second.
    pub estimate: u64,
    pub audio_only: bool,
    /// As the viewer told last: 0 to 1, and milliseconds.
    pub loss: f64,
    pub rtt_ms: Option<f64>,
    pub level: QualityLevel,
    /// Lines told by the worker so far.
    pub reports: u32,
    /// What the client was last told of its sections.
    pub told: Vec<TrackView>,
}

/// A section that we send on.
pub(crate) struct OutSlot {
    pub name: SlotName,
    pub section: sdp::Slot,
    /// What the client takes here; empty before its first answer.
    pub codecs: Vec<CodecEntry>,
    pub output: Output,
    /// What it carries now.
    pub carries: Option<StreamKey>,
    pub size: Size,
}

impl OutSlot {
    pub fn payload_type(&self, codec: Codec) -> Option<u8> {
        self.codecs.iter().find(|entry| entry.codec == codec).map(|entry| entry.payload_type)
    }
}

impl Peer {
    /// Takes the client's half. True when it restarted ICE, so that we have to answer with new credentials, too (RFC 8839, 4.4.1).
    pub fn set_remote(&mut self, remote: &sdp::Remote, now: Instant) -> bool {
        let before = self.remote_ufrag.replace(remote.ufrag.clone());
        self.transport.set_remote(remote, now);
        before.is_some_and(|before| before != remote.ufrag)
    }

    pub fn publish_mut(&mut self) -> Option<&mut Publish> {
        match &mut self.side {
            Side::Publish(publish) => Some(publish),
            Side::Subscribe(_) => None,
        }
    }

    pub fn publish(&self) -> Option<&Publish> {
        match &self.side {
            Side::Publish(publish) => Some(publish),
            Side::Subscribe(_) => None,
        }
    }

    pub fn subscribe(&self) -> Option<&Subscribe> {
        match &self.side {
            Side::Subscribe(subscribe) => Some(subscribe),
            Side::Publish(_) => None,
        }
    }

    pub fn subscribe_mut(&mut self) -> Option<&mut Subscribe> {
        match &mut self.side {
            Side::Subscribe(subscribe) => Some(subscribe),
            Side::Publish(_) => None,
        }
    }
}

impl Publish {
    pub fn new(now: Instant) -> Self {
        Self { receiver: Receiver::new(now), sealer: None, rids: Vec::new() }
    }

    pub fn negotiated(&mut self, offer: &Offer) {
        self.receiver.negotiated(&offer.sections);
        self.rids = offer.sections.iter().map(|section| (section.kind, section.rids.clone())).collect();
    }

    /// A layer's name: as it was heard, since encoders may name the largest first, else by its place in the description.
    pub fn rid(&self, kind: Kind, layer: usize, now: Instant) -> Option<String> {
        let heard =
            self.receiver.layers(kind, now).into_iter().find(|heard| heard.layer == layer && !heard.rid.is_empty());
        heard.map(|heard| heard.rid).or_else(|| self.rids(kind).get(layer).cloned())
    }

    /// The names of a picture's layers as they are described; empty without simulcast.
    pub fn rids(&self, kind: Kind) -> &[String] {
        self.rids.iter().find(|(k, rids)| *k == kind && !rids.is_empty()).map_or(&[], |(_, rids)| rids)
    }
}
