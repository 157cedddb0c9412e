//! What is measured: one file for each table.

mod conference;
mod crowd;
mod delay;
mod join;
mod memory;
mod narrow;
mod one_to_many;

use crate::client::Fleet;
use crate::client::tally::{Delays, float};
use crate::server::Server;
use crate::server::usage::{Usage, dropped_datagrams, drops_of, threads_of};
use crate::{Options, What};
use anyhow::Result;
use std::time::{Duration, Instant};

/// Scenarios look at their clock this often.
const SLICE: Duration = Duration::from_millis(250);

pub fn run(what: &What) -> Result<()> {
    match what {
        What::OneToMany(options) => one_to_many::run(options),
        What::Conference(options) => conference::run(options),
        What::Delay(options) => delay::run(options),
        What::Memory(options) => memory::run(options),
        What::Join(options) => join::run(options),
        What::Narrow(options) => narrow::run(options),
        What::All(options) => all(options),
        What::Serve { .. } => Ok(()),
    }
}

/// Each with its own defaults: a number that is given here would mean six different things.
fn all(options: &Options) -> Result<()> {
    let options = Options { seconds: None, members: None, ..options.clone() };
    one_to_many::run(&options)?;
    delay::run(&options)?;
    memory::run(&options)?;
    join::run(&options)?;
    narrow::run(&options)?;
    conference::run(&options)
}

/// One stretch of time under load.
struct Window {
    /// Seconds.
    wall: f64,
    /// Seconds of processor time of the server.
    cpu: f64,
    /// Where it went: threads by name, with cores of user and of system time.
    threads: Vec<(String, f64, f64)>,
    /// Of the load clients.
    client_cpu: f64,
    /// Packets that the clients took, and that they miss.
    packets: u64,
    lost: u64,
    torn: u64,
    bytes: u64,
    /// Datagrams dropped by the kernel since somebody read too slowly: the server, the clients.
    dropped_at_server: u64,
    dropped_at_clients: u64,
    delays: Delays,
    /// The senders' own part of the delays.
    own_delays: Delays,
}

impl Window {
    /// Measures while the fleet runs on.
    fn measure(fleet: &mut Fleet, server: &Server, time: Duration) -> Result<Self> {
        Self::measure_with(fleet, server, time, |_, _| Ok(()))
    }

    /// The same, and something is done meanwhile, about four times a second.
    fn measure_with(
        fleet: &mut Fleet,
        server: &Server,
        time: Duration,
        mut meanwhile: impl FnMut(&mut Fleet, Duration) -> Result<()>,
    ) -> Result<Self> {
        let media = if let Server::Ours(hub) = server { Some(hub.media()) } else { None };
        fleet.restart();
        let drops = drops_of(&dropped_datagrams(), media);
        let threads = threads_of(server.pid());
        let (before, own, begin) = (server.usage()?, Usage::own()?, Instant::now());
        while begin.elapsed() < time {
            fleet.run(SLICE.min(time.saturating_sub(begin.elapsed())))?;
            meanwhile(fleet, begin.elapsed())?;
        }
        let (after, own_after, wall) = (server.usage()?, Usage::own()?, begin.elapsed().as_secs_f64());
        let worked = threads_of(server.pid()).into_iter().map(|(name, (user, system))| {
            let before = threads.get(&name).copied().unwrap_or_default();
            (name, (user - before.0) / wall, (system - before.1) / wall)
        });
        let drops_after = drops_of(&dropped_datagrams(), media);
        let sum = fleet.sum();
        Ok(Self {
            wall,
            cpu: after.cpu - before.cpu,
            threads: worked.filter(|(_, user, system)| user + system >= 0.005).collect(),
            client_cpu: own_after.cpu - own.cpu,
            packets: sum.packets,
            lost: sum.lost,
            torn: sum.torn,
            bytes: sum.bytes,
            dropped_at_server: drops_after.0.saturating_sub(drops.0),
            dropped_at_clients: drops_after.1.saturating_sub(drops.1),
            delays: sum.delays,
            own_delays: sum.own_delays,
        })
    }

    fn packets_a_second(&self) -> f64 {
        float(self.packets) / self.wall
    }

    fn cores(&self) -> f64 {
        self.cpu / self.wall
    }

    fn client_cores(&self) -> f64 {
        self.client_cpu / self.wall
    }

    /// Microseconds of the server's processor time for a packet that arrived.
    fn per_packet(&self) -> f64 {
        self.cpu / float(self.packets) * 1e6
    }

    fn megabits(&self) -> f64 {
        float(self.bytes) * 8e-6 / self.wall
    }

    /// Milliseconds between writing and arrival, without the sender's own part.
    fn delay(&self, share: f64) -> f64 {
        (self.delays.percentile(share) - self.own_delays.percentile(0.5)).max(0.0)
    }

    /// Where the server's time went, in cores: `media 0.05+0.10` is user and system time.
    fn threads(&self) -> String {
        let words: Vec<_> =
            self.threads.iter().map(|(name, user, system)| format!("{name} {user:.2}+{system:.2}")).collect();
        words.join(", ")
    }

    /// Both, as `server/clients`.
    fn dropped(&self) -> String {
        format!("{}/{}", self.dropped_at_server, self.dropped_at_clients)
    }
}
