//! Hostile networks: each member behind a seeded relay on loopback that loses, delays, disorders, cuts and moves, an independent WebRTC stack at
//! the other end. Each test prints its figures; none asserts on the machine's speed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "test code"
)]

#[expect(dead_code, reason = "the tests of calls use the rest of it")]
#[path = "../peer/mod.rs"]
mod peer;
#[path = "../relay/mod.rs"]
mod relay;
mod send;
mod site;

mod directions;
mod film;
mod layers;
mod loss;
mod order;
mod outage;
mod path;
mod repair;
mod rooms;
mod slow;
mod strangers;
mod webm;

use peer::Hub;
use relay::Relay;
use signaling::Role;
use signaling::message::Kind;
use site::{Plan, Site};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};

/// How long anything may take before it counts as not happening at all.
const PATIENCE: Duration = Duration::from_secs(40);

/// Handshakes of ten connections on a small machine leave no room for another test's: they run one at a time.
async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// Asks until the answer is true, and tells how long it took.
async fn until(what: &str, mut probe: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !probe() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}

/// So many more packets of each kind come to `to` from `from`.
async fn flows(to: &Site, from: &str, packets: usize) -> Duration {
    let before = [Kind::Audio, Kind::Video].map(|kind| (kind, to.seen.packets(from, kind)));
    until(&format!("sound and picture of {from}"), || {
        before.iter().all(|(kind, count)| to.seen.packets(from, *kind) >= count + packets)
    })
    .await
}

/// An officer and parties, each behind a relay of its own, all with one plan otherwise.
struct Hearing {
    hub: Hub,
    relays: Vec<Arc<Relay>>,
    sites: Vec<(String, Site)>,
}

impl Hearing {
    /// Opens the relays; nobody is there yet.
    async fn prepare(count: usize, seed: u64) -> Self {
        let hub = Hub::open();
        let mut relays = Vec::new();
        for n in 0..count {
            relays.push(Relay::open(hub.server.local_addr(), seed + 10 * u64::try_from(n).unwrap()).await);
        }
        Self { hub, relays, sites: Vec::new() }
    }

    /// Everybody comes in.
    async fn enter(&mut self, plan: &Plan) {
        for n in 0..self.relays.len() {
            self.enter_one(n, plan.clone()).await;
        }
    }

    async fn enter_one(&mut self, n: usize, plan: Plan) {
        let (name, role) =
            if n == 0 { ("officer".to_owned(), Role::PresidingOfficer) } else { (format!("party{n}"), Role::Party) };
        let connection = self.hub.join(&name, role, true).await;
        let plan = Plan { relay: Some(Arc::clone(&self.relays[n])), ..plan };
        self.sites.push((name, Site::open(connection, self.hub.server.local_addr(), plan).await));
    }

    /// Sound and picture come from everybody to everybody.
    async fn all_flow(&self, packets: usize) -> Duration {
        let mut counts = Vec::new();
        for (to, site) in &self.sites {
            for (from, _) in self.sites.iter().filter(|(from, _)| from != to) {
                for kind in [Kind::Audio, Kind::Video] {
                    counts.push((site, from, kind, site.seen.packets(from, kind) + packets));
                }
            }
        }
        until("sound and picture of everybody for everybody", || {
            counts.retain(|(site, from, kind, wanted)| site.seen.packets(from, *kind) < *wanted);
            counts.is_empty()
        })
        .await
    }

    fn site(&self, n: usize) -> &Site {
        &self.sites[n].1
    }
}
