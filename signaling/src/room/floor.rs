//! Who is seen and heard by whom: a function from the members to a table, and nothing else.

use super::member::Member;
use crate::MemberId;
use crate::message::Kind;

/// What the media plane forwards. It holds for everything that is not named: nothing goes anywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ForwardingTable {
    /// One route for each member in the room, in the order of arrival.
    pub routes: Vec<Route>,
}

/// What becomes of one member's media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub from: MemberId,
    /// The microphone is on; else its packets are dropped, whatever the browser sends.
    pub audio: bool,
    /// The camera is on.
    pub video: bool,
    /// Who gets it.
    pub to: Vec<MemberId>,
}

impl ForwardingTable {
    pub fn route(&self, from: &MemberId) -> Option<&Route> {
        self.routes.iter().find(|route| &route.from == from)
    }

    /// The members whose media this one gets.
    pub fn heard_by<'a>(&'a self, listener: &'a MemberId) -> impl Iterator<Item = &'a Route> {
        self.routes.iter().filter(move |route| route.to.contains(listener))
    }
}

impl Route {
    pub fn is_on(&self, kind: Kind) -> bool {
        match kind {
            Kind::Audio => self.audio,
            Kind::Video => self.video,
            Kind::Screen => false,
        }
    }
}

/// Everybody in the room hears and sees everybody else in it; those who wait neither send nor get.
pub(crate) fn forwarding<'a>(members: impl Iterator<Item = &'a Member> + Clone) -> ForwardingTable {
    let inside = members.filter(|member| member.is_in_room());
    let routes = inside
        .clone()
        .filter(|member| member.role.may_speak())
        .map(|from| Route {
            from: from.id.clone(),
            audio: from.sends(Kind::Audio),
            video: from.sends(Kind::Video),
            to: inside.clone().filter(|to| to.id != from.id).map(|to| to.id.clone()).collect(),
        })
        .collect();
    ForwardingTable { routes }
}
