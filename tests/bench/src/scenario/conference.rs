//! The large conference: 120 members, three layers and sound from each, a podium, nine tiles and three voices to each.

use super::Window;
use super::crowd::Crowd;
use crate::Options;
use crate::client::Fleet;
use crate::client::tally::{SOUND, float};
use crate::report::{Table, say};
use crate::server::{Server, Side};
use anyhow::Result;
use std::collections::BTreeMap;
use std::time::Duration;

const MEMBERS: usize = 120;
const SECONDS: u64 = 300;
/// How often a word is said meanwhile.
const WORD: Duration = Duration::from_secs(30);

pub fn run(options: &Options) -> Result<()> {
    if !options.sides().contains(&Side::Ours) {
        return Ok(());
    }
    let members = options.members.unwrap_or(MEMBERS);
    let time = Duration::from_secs(options.seconds.unwrap_or(SECONDS));
    let mut table = Table::new(&[
        "workers",
        "packets/s out",
        "Mbit/s out",
        "packets/s in",
        "lost",
        "torn",
        "dropped s/c",
        "cores",
        "µs/packet",
        "p50 ms",
        "p99 ms",
        "client cores",
    ]);
    for workers in [options.workers, options.workers + 1] {
        let mut crowd = Crowd::gather(members, workers)?;
        let (sent, before) = (sent(&crowd.fleet), counters(&mut crowd.server)?);
        let mut said = Duration::ZERO;
        let window = crowd.measure(time, |fleet, _, elapsed| {
            if elapsed >= said + WORD {
                said = elapsed;
                let sum = fleet.sum();
                say(&format!(
                    "  … {} s: {} packets, {} lost, {} torn",
                    elapsed.as_secs(),
                    sum.packets,
                    sum.lost,
                    sum.torn
                ));
            }
        })?;
        let received = float(self::sent(&crowd.fleet) - sent) / window.wall;
        table.row(row(workers, &window, received));
        say(&format!("  hub's threads, user+system cores: {}", window.threads()));
        shape(&crowd.fleet, &window);
        differences(&before, &counters(&mut crowd.server)?);
    }
    table.print(&format!(
        "conference: {members} members, three layers and sound each; podium, nine tiles, three voices; {} s; client: str0m, one thread",
        time.as_secs()
    ));
    say("  no peer here: Janus' videoroom neither chooses speakers nor layers by line");
    Ok(())
}

fn row(workers: usize, window: &Window, received: f64) -> Vec<String> {
    vec![
        workers.to_string(),
        format!("{:.0}", window.packets_a_second()),
        format!("{:.0}", window.megabits()),
        format!("{received:.0}"),
        window.lost.to_string(),
        window.torn.to_string(),
        window.dropped(),
        format!("{:.2}", window.cores()),
        format!("{:.1}", window.per_packet()),
        format!("{:.2}", window.delay(0.5)),
        format!("{:.2}", window.delay(0.99)),
        format!("{:.2}", window.client_cores()),
    ]
}

/// What a viewer gets on average: it must be what the scenario promises.
fn shape(fleet: &Fleet, window: &Window) {
    let mut packets: BTreeMap<u8, u64> = BTreeMap::new();
    let mut seen = 0;
    for member in &fleet.members {
        for ((_, layer), heard) in &member.tally.heard {
            *packets.entry(*layer).or_default() += heard.packets;
            seen += u64::from(*layer != SOUND);
        }
    }
    let viewers = float(u64::try_from(fleet.members.len()).unwrap_or(1));
    let rate = |layer: u8| float(packets.get(&layer).copied().unwrap_or(0)) / viewers / window.wall;
    let layers: usize =
        fleet.members.iter().filter_map(|member| member.sender.as_ref()).map(|sender| sender.layers_on()).sum();
    let layers = float(u64::try_from(layers).unwrap_or(0)) / viewers;
    say(&format!(
        "  a viewer gets {:.0} packets/s of sound, {:.0}/{:.0}/{:.0} of low/middle/high layers, from {:.0} member layers in all; a sender sends {layers:.1} layers",
        rate(SOUND),
        rate(0),
        rate(1),
        rate(2),
        float(seen) / viewers,
    ));
}

fn sent(fleet: &Fleet) -> u64 {
    fleet.members.iter().filter_map(|member| member.sender.as_ref()).map(|sender| sender.sent).sum()
}

fn counters(server: &mut Server) -> Result<BTreeMap<String, u64>> {
    match server {
        Server::Ours(hub) => hub.counters(),
        Server::Janus(_) => Ok(BTreeMap::new()),
    }
}

/// What the hub's own counters say of the time.
fn differences(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) {
    let grown = after.iter().map(|(name, value)| (name, value - before.get(name).copied().unwrap_or(0).min(*value)));
    let words: Vec<_> = grown.map(|(name, by)| format!("{name} {by}")).collect();
    say(&format!("  the hub counted: {}", words.join(", ")));
}
