//! What one more viewer takes of the server's memory.

use crate::client::{Fleet, Show};
use crate::report::{Table, mean, say};
use crate::server::{Server, Side};
use crate::{Options, namespace};
use anyhow::Result;

const MORE: usize = 50;
/// Viewers who are there before, so that what is made once is made.
const FIRST: usize = 2;

pub fn run(options: &Options) -> Result<()> {
    let more = options.members.unwrap_or(MORE);
    let mut table = Table::new(&["server", "MiB before", "MiB after", "MiB a viewer"]);
    let mut runs = Vec::new();
    for side in options.sides() {
        let (before, after) = once(side, more, options)?;
        let each = (after - before) / f64::from(u32::try_from(more)?);
        table.row(vec![side.name().to_owned(), format!("{before:.1}"), format!("{after:.1}"), format!("{each:.3}")]);
        runs.push((side, each));
    }
    table.print(&format!(
        "memory: resident, with {more} more viewers of 30 pictures a second, {} packets each",
        options.burst
    ));
    if let (Some(ours), Some(janus)) = (mean(&runs, Side::Ours, |each| *each), mean(&runs, Side::Janus, |each| *each)) {
        say(&format!("  hub {ours:.2} MiB, janus {janus:.2} MiB: {:.2} of janus", ours / janus));
    }
    Ok(())
}

fn once(side: Side, more: usize, options: &Options) -> Result<(f64, f64)> {
    let mut fleet = Fleet::new(namespace::address())?;
    let mut server = Server::start(side, options.workers)?;
    server.publisher(&mut fleet, Show::heavy(options.burst, options.ramp))?;
    server.viewers(&mut fleet, FIRST)?;
    fleet.run(options.settle())?;
    let before = server.usage()?.memory;
    server.viewers(&mut fleet, more)?;
    fleet.run(options.settle())?;
    Ok((before, server.usage()?.memory))
}
