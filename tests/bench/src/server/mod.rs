//! The servers under test, each a process of its own that is ended with its handle.

pub mod http;
pub mod hub;
pub mod janus;
pub mod usage;

use crate::client::peer::Peer;
use crate::client::{Fleet, Show};
use anyhow::Result;
use hub::Hub;
use janus::Janus;
use std::time::Duration;
use usage::Usage;

/// A handshake and the way to it take less, also on a busy machine.
const LONGEST_JOIN: Duration = Duration::from_secs(30);
/// Between two members that join, so that handshakes do not pile up.
const JOIN_GAP: Duration = Duration::from_millis(15);

const LISTED: Duration = Duration::from_millis(500);

/// Which server a figure belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Ours,
    Janus,
}

impl Side {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "hub",
            Self::Janus => "janus",
        }
    }
}

/// A running server with one room.
pub enum Server {
    Ours(Hub),
    Janus(Box<Janus>),
}

impl Server {
    pub fn start(side: Side, workers: usize) -> Result<Self> {
        Ok(match side {
            Side::Ours => Self::Ours(Hub::start(workers)?),
            Side::Janus => Self::Janus(Box::new(Janus::start()?)),
        })
    }

    pub fn pid(&self) -> u32 {
        match self {
            Self::Ours(hub) => hub.pid(),
            Self::Janus(janus) => janus.pid(),
        }
    }

    /// Processor time and memory so far.
    pub fn usage(&self) -> Result<Usage> {
        Usage::of(self.pid())
    }

    /// Brings in a member that sends; waits until its connection stands.
    pub fn publisher(&mut self, fleet: &mut Fleet, show: Show) -> Result<usize> {
        let number = match self {
            Self::Ours(hub) => fleet.join(hub.signalling(), "presiding_officer", Some(show))?,
            Self::Janus(janus) => janus.publish(fleet, show)?,
        };
        fleet.run_until("the publisher's connection stands", LONGEST_JOIN, |fleet| {
            let publish = fleet.members.get(number).and_then(|member| member.publish.as_ref());
            publish.is_some_and(Peer::is_connected)
        })?;
        // Janus lists a feed a moment after its connection stands.
        fleet.run(LISTED)?;
        Ok(number)
    }

    /// Brings in members that only watch; waits until each has a whole key frame.
    pub fn viewers(&mut self, fleet: &mut Fleet, count: usize) -> Result<Vec<usize>> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            numbers.push(match self {
                Self::Ours(hub) => fleet.join(hub.signalling(), "observer", None)?,
                Self::Janus(janus) => janus.watch(fleet)?,
            });
            fleet.run(JOIN_GAP)?;
        }
        fleet.run_until("every viewer has a key frame", LONGEST_JOIN, |fleet| {
            let member = |number: &usize| fleet.members.get(*number);
            numbers.iter().all(|number| member(number).is_some_and(|member| member.tally.first_key.is_some()))
        })?;
        Ok(numbers)
    }
}
