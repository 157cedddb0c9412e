//! One publisher with large packets in bursts, many viewers: what the server's processor spends for a forwarded packet.

use super::Window;
use crate::client::{Fleet, Show};
use crate::report::{Table, mean, say};
use crate::server::{Server, Side};
use crate::{Options, crypto, namespace};
use anyhow::Result;
use std::time::Duration;

const VIEWERS: usize = 60;
const SECONDS: u64 = 20;

pub fn run(options: &Options) -> Result<()> {
    let viewers = options.members.unwrap_or(VIEWERS);
    let time = Duration::from_secs(options.seconds.unwrap_or(SECONDS));
    let mut table = Table::new(&[
        "server",
        "packets/s",
        "Mbit/s",
        "lost",
        "cores",
        "µs/packet",
        "dropped s/c",
        "client cores",
        "SRTP",
    ]);
    let mut runs = Vec::new();
    for side in options.sides_twice() {
        let window = once(side, viewers, time, options)?;
        table.row(vec![
            side.name().to_owned(),
            format!("{:.0}", window.packets_a_second()),
            format!("{:.0}", window.megabits()),
            window.lost.to_string(),
            format!("{:.2}", window.cores()),
            format!("{:.1}", window.per_packet()),
            window.dropped(),
            format!("{:.2}", window.client_cores()),
            crypto::take_profiles(),
        ]);
        if side == Side::Ours {
            say(&format!("  hub's threads, user+system cores: {}", window.threads()));
        }
        runs.push((side, window.per_packet()));
    }
    table.print(&format!(
        "one-to-many: 1 publisher with {} packets a picture, {viewers} viewers, {} s a run; client: str0m, one thread; dropped: by the kernel at server/clients",
        options.burst,
        time.as_secs()
    ));
    if let (Some(ours), Some(janus)) = (mean(&runs, Side::Ours, |us| *us), mean(&runs, Side::Janus, |us| *us)) {
        say(&format!("  hub {ours:.1} µs, janus {janus:.1} µs: {:.2} of janus", ours / janus));
    }
    Ok(())
}

fn once(side: Side, viewers: usize, time: Duration, options: &Options) -> Result<Window> {
    let mut fleet = Fleet::new(namespace::address())?;
    let mut server = Server::start(side, options.workers)?;
    server.publisher(&mut fleet, Show::heavy(options.burst, options.ramp))?;
    server.viewers(&mut fleet, viewers)?;
    fleet.run(options.settle())?;
    Window::measure(&mut fleet, &server, time)
}
