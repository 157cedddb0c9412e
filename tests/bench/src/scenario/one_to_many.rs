//! One publisher with large packets in bursts, many viewers: what the server's processor spends for a forwarded packet.

use super::{SETTLE, Window};
use crate::Options;
use crate::client::tally::float;
use crate::client::{Fleet, Show};
use crate::namespace;
use crate::report::{Table, mean, say};
use crate::server::{Server, Side};
use anyhow::Result;
use std::time::Duration;

const VIEWERS: usize = 60;
const SECONDS: u64 = 20;
/// Packets of 1,200 bytes a picture, 30 pictures a second.
const BURST: u16 = 13;

pub fn run(options: &Options) -> Result<()> {
    let viewers = options.members.unwrap_or(VIEWERS);
    let time = Duration::from_secs(options.seconds.unwrap_or(SECONDS));
    let mut table = Table::new(&[
        "server", "packets/s", "lost", "cores", "µs/packet", "Mbit/s", "p50 ms", "p99 ms", "client cores", "dropped s/c",
    ]);
    let mut runs = Vec::new();
    for side in options.sides_twice() {
        let window = once(side, viewers, time, options.workers)?;
        let per_packet = window.cpu / float(window.packets) * 1e6;
        table.row(vec![
            side.name().to_owned(),
            format!("{:.0}", float(window.packets) / window.wall),
            window.lost.to_string(),
            format!("{:.2}", window.cpu / window.wall),
            format!("{per_packet:.1}"),
            format!("{:.1}", float(window.bytes) * 8e-6 / window.wall),
            format!("{:.2}", window.delays.percentile(0.5)),
            format!("{:.2}", window.delays.percentile(0.99)),
            format!("{:.2}", window.client_cpu / window.wall),
            format!("{}/{}", window.dropped_at_server, window.dropped_at_clients),
        ]);
        runs.push((side, per_packet));
    }
    table.print(&format!(
        "one-to-many: 1 publisher, {viewers} viewers, {} s a run; client: str0m, one thread",
        time.as_secs()
    ));
    if let (Some(ours), Some(janus)) = (mean(&runs, Side::Ours, |us| *us), mean(&runs, Side::Janus, |us| *us)) {
        say(&format!("  hub {ours:.1} µs, janus {janus:.1} µs: {:.2} of janus", ours / janus));
    }
    Ok(())
}

fn once(side: Side, viewers: usize, time: Duration, workers: usize) -> Result<Window> {
    let mut fleet = Fleet::new(namespace::address())?;
    let mut server = Server::start(side, workers)?;
    server.publisher(&mut fleet, Show::heavy(BURST))?;
    server.viewers(&mut fleet, viewers)?;
    fleet.run(SETTLE)?;
    Window::measure(&mut fleet, &server, time)
}
