//! A conference on our hub: everybody sends three layers and sound, a few speak at a time, everybody watches a podium and nine tiles and hears
//! the three loudest.

use super::{SLICE, Window};
use crate::client::{Fleet, Show};
use crate::namespace;
use crate::server::Server;
use crate::server::hub::Hub;
use anyhow::{Result, bail};
use serde_json::json;
use std::time::{Duration, Instant};

/// Between two joins.
const JOIN_GAP: Duration = Duration::from_millis(60);
const LONGEST_JOIN: Duration = Duration::from_secs(60);
/// Until the estimates of all lines have grown, and the layers with them.
const SETTLE: Duration = Duration::from_secs(15);
const TILES: u8 = 9;
/// Loudness in -dBov of somebody who speaks.
const SPEECH: i8 = -25;
/// The floor goes round: one speaks this long, others fall in.
const TURN: Duration = Duration::from_secs(12);
const INTERJECTION: Duration = Duration::from_secs(5);

pub struct Crowd {
    pub fleet: Fleet,
    pub server: Server,
    begin: Instant,
}

impl Crowd {
    /// Everybody is in, has both connections, and sees somebody.
    pub fn gather(members: usize, workers: usize) -> Result<Self> {
        let hub = Hub::start(workers)?;
        let mut crowd =
            Self { fleet: Fleet::new(namespace::address())?, server: Server::Ours(hub), begin: Instant::now() };
        for _ in 0..members {
            crowd.join()?;
            crowd.pass(JOIN_GAP)?;
        }
        crowd.fleet.run_until("everybody sees somebody", LONGEST_JOIN, |fleet| {
            let is_up = |peer: &Option<_>| peer.as_ref().is_some_and(crate::client::peer::Peer::is_connected);
            fleet.members.iter().all(|m| is_up(&m.publish) && is_up(&m.subscribe) && m.tally.first_key.is_some())
        })?;
        crowd.pass(SETTLE)?;
        Ok(crowd)
    }

    /// One more member.
    pub fn join(&mut self) -> Result<usize> {
        let Server::Ours(hub) = &self.server else { bail!("a conference is held on our hub") };
        let role = if self.fleet.members.is_empty() { "presiding_officer" } else { "party" };
        let number = self.fleet.join(hub.signalling(), role, Some(Show::simulcast()))?;
        self.fleet.say(number, &json!({"type": "view", "layout": "podium", "tiles": TILES}))?;
        Ok(number)
    }

    /// Time passes, and the floor goes round.
    pub fn pass(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let elapsed = self.begin.elapsed();
            talk(&mut self.fleet, elapsed);
            self.fleet.run(SLICE.min(left))?;
        }
    }

    /// Measures, while the floor goes round.
    pub fn measure(&mut self, time: Duration, mut meanwhile: impl FnMut(&Fleet, &Server, Duration)) -> Result<Window> {
        let Self { fleet, server, begin } = self;
        Window::measure_with(fleet, server, time, |fleet, elapsed| {
            talk(fleet, begin.elapsed());
            meanwhile(fleet, server, elapsed);
            Ok(())
        })
    }
}

/// Who speaks at a time: one with the floor, one who falls in, and at times a third.
fn talk(fleet: &mut Fleet, elapsed: Duration) {
    let turn = |length: Duration| usize::try_from(elapsed.as_millis() / length.as_millis().max(1)).unwrap_or(0);
    let count = fleet.members.len().max(1);
    let speakers = [turn(TURN) % count, (turn(INTERJECTION) * 7 + 3) % count, (turn(TURN) * 3 + 5) % count];
    for (number, member) in fleet.members.iter_mut().enumerate() {
        if let Some(sender) = &mut member.sender {
            sender.speaking = speakers.contains(&number).then_some(SPEECH);
        }
    }
}
