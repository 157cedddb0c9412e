//! What is measured: one file for each table.

pub mod one_to_many;

use crate::client::Fleet;
use crate::server::Server;
use crate::server::usage::{Usage, dropped_datagrams, drops_of};
use anyhow::Result;
use std::time::{Duration, Instant};

/// Between the last join and a measurement: key frames are sent, estimates have grown.
pub const SETTLE: Duration = Duration::from_secs(3);

/// One stretch of time under load.
pub struct Window {
    /// Seconds.
    pub wall: f64,
    /// Seconds of processor time of the server.
    pub cpu: f64,
    /// Of the load clients.
    pub client_cpu: f64,
    /// Packets that the clients took, and that they miss.
    pub packets: u64,
    pub lost: u64,
    pub bytes: u64,
    /// Datagrams dropped by the kernel since somebody read too slowly: the server, the clients.
    pub dropped_at_server: u64,
    pub dropped_at_clients: u64,
    pub delays: crate::client::tally::Delays,
}

impl Window {
    /// Measures while the fleet runs on.
    pub fn measure(fleet: &mut Fleet, server: &Server, time: Duration) -> Result<Self> {
        let media = if let Server::Ours(hub) = server { Some(hub.media()) } else { None };
        fleet.restart_tallies();
        let drops = drops_of(&dropped_datagrams(), media);
        let (before, own, begin) = (server.usage()?, Usage::own()?, Instant::now());
        fleet.run(time)?;
        let (after, own_after, wall) = (server.usage()?, Usage::own()?, begin.elapsed().as_secs_f64());
        let drops_after = drops_of(&dropped_datagrams(), media);
        let sum = fleet.sum();
        Ok(Self {
            wall,
            cpu: after.cpu - before.cpu,
            client_cpu: own_after.cpu - own.cpu,
            packets: sum.packets,
            lost: sum.lost,
            bytes: sum.bytes,
            dropped_at_server: drops_after.0 - drops.0,
            dropped_at_clients: drops_after.1 - drops.1,
            delays: sum.delays,
        })
    }
}
