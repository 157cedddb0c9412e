//! What the server adds to a packet's way, at half the load of the other scenarios. Arrivals are stamped by the kernel, so that a client
//! that is busy with its other sockets adds nothing; the sender's own part (encryption and its send call) is measured and taken off.

use super::Window;
use super::crowd::Crowd;
use crate::client::{Fleet, Show};
use crate::report::{Table, say};
use crate::server::{Server, Side};
use crate::{Options, namespace};
use anyhow::Result;
use std::time::Duration;

const VIEWERS: usize = 30;
const MEMBERS: usize = 60;
const SECONDS: u64 = 20;

pub fn run(options: &Options) -> Result<()> {
    let time = Duration::from_secs(options.seconds.unwrap_or(SECONDS));
    let mut table = Table::new(&["load", "server", "packets/s", "p50 ms", "p99 ms", "sender's part ms", "cores"]);
    let mut row = |load: &str, side: Side, window: &Window| {
        table.row(vec![
            load.to_owned(),
            side.name().to_owned(),
            format!("{:.0}", window.packets_a_second()),
            format!("{:.2}", window.delay(0.5)),
            format!("{:.2}", window.delay(0.99)),
            format!("{:.2}", window.own_delays.percentile(0.5)),
            format!("{:.2}", window.cores()),
        ]);
    };
    for side in options.sides() {
        let mut fleet = Fleet::new(namespace::address())?;
        let mut server = Server::start(side, options.workers)?;
        server.publisher(&mut fleet, Show::heavy(options.burst, options.ramp))?;
        server.viewers(&mut fleet, VIEWERS)?;
        fleet.run(options.settle())?;
        fleet.is_prompt = true;
        row(
            &format!("1 to {VIEWERS}, bursts of {}", options.burst),
            side,
            &Window::measure(&mut fleet, &server, time)?,
        );
    }
    let members = options.members.unwrap_or(MEMBERS);
    if options.sides().contains(&Side::Ours) {
        let mut crowd = Crowd::gather(members, options.workers)?;
        crowd.fleet.is_prompt = true;
        row(&format!("conference of {members}"), Side::Ours, &crowd.measure(time, |_, _, _| {})?);
    }
    table.print("delay: added between a sender and a receiver");
    say("  each burst is written at once: its last packet waits for all before it to be sent to everybody");
    Ok(())
}
