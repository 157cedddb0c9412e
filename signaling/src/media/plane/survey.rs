//! Looking at everything at once, for figures.

use super::Plane;
use crate::media::peer::Side;
use crate::media::port::Path;
use crate::media::survey::{Downlink, MediaSurvey, Uplink};
use crate::{MemberId, RoomId};
use std::collections::{BTreeMap, BTreeSet};

impl Plane {
    /// One pass over all connections; asked for every few seconds at most.
    pub(super) fn survey(&self) -> MediaSurvey {
        let mut survey = MediaSurvey {
            rooms: self.rooms.len(),
            recorded_rooms: self.rooms.values().filter(|room| room.is_recorded()).count(),
            probes: self.probes.len(),
            ..MediaSurvey::default()
        };
        let mut members: BTreeMap<&RoomId, BTreeSet<&MemberId>> = BTreeMap::new();
        // A self-test is in no room and nobody's line.
        for peer in self.peers.values().filter(|peer| peer.up && self.rooms.contains_key(&peer.room)) {
            members.entry(&peer.room).or_default().insert(&peer.member);
            match peer.transport.path() {
                Some(Path::Udp(_)) => survey.over_udp += 1,
                Some(Path::Tcp(_)) => survey.over_tcp += 1,
                None => {}
            }
            match &peer.side {
                Side::Publish(publish) => {
                    let stats = publish.receiver.stats();
                    survey.uplinks.push(Uplink {
                        loss: stats.fraction_lost,
                        jitter_ms: stats.jitter_ms,
                        round_trip_ms: stats.round_trip_ms,
                    });
                }
                Side::Subscribe(subscribe) => survey.downlinks.push(Downlink {
                    bits_per_second: subscribe.estimate,
                    loss: subscribe.loss,
                    round_trip_ms: subscribe.rtt_ms,
                    sound_only: subscribe.audio_only,
                }),
            }
        }
        survey.members = members.values().map(BTreeSet::len).sum();
        survey.largest_room = members.values().map(BTreeSet::len).max().unwrap_or(0);
        survey
    }
}
