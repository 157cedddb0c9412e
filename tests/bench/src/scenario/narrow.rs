//! One of many has a narrow line: it keeps sound and the podium's low layer, and nobody else notices.

use super::crowd::Crowd;
use crate::Options;
use crate::client::tally::{SOUND, Tally, float};
use crate::report::{Table, say};
use crate::server::Side;
use anyhow::{Context, Result};
use std::time::Duration;

const MEMBERS: usize = 67;
const SECONDS: u64 = 20;
const BITS_PER_SECOND: u32 = 500_000;
/// What a cheap router buffers.
const QUEUE: Duration = Duration::from_millis(200);
const GROW: Duration = Duration::from_secs(20);
/// The hub gets this long to find out.
const FIND_OUT: Duration = Duration::from_secs(8);
/// Who has the narrow line; not one of the first, who speak first.
const WHO: usize = 40;

pub fn run(options: &Options) -> Result<()> {
    if !options.sides().contains(&Side::Ours) {
        return Ok(());
    }
    let members = options.members.unwrap_or(MEMBERS);
    let time = Duration::from_secs(options.seconds.unwrap_or(SECONDS));
    let who = WHO.min(members.saturating_sub(1));
    let mut crowd = Crowd::gather(members, options.workers)?;
    let mut table = Table::new(&[
        "line",
        "who",
        "kbit/s",
        "sound packets/s",
        "low",
        "middle",
        "high",
        "lost %",
        "dropped by the line",
        "torn",
    ]);
    // Others' estimates go on growing for a while after the last has come.
    crowd.pass(GROW)?;
    let mut others_got = Vec::new();
    for (line, is_narrow) in [("wide", false), ("500 kbit/s", true), ("wide again", false)] {
        crowd.fleet.narrow(who, is_narrow.then_some((BITS_PER_SECOND, QUEUE)))?;
        crowd.pass(FIND_OUT)?;
        let dropped = crowd.fleet.dropped_by_line(who);
        let window = crowd.measure(time, |_, _, _| {})?;
        let dropped = crowd.fleet.dropped_by_line(who).saturating_sub(dropped);
        let own = &crowd.fleet.members.get(who).context("no such member")?.tally;
        table.row(row(line, "the one", &[own], window.wall, &dropped.to_string()));
        let others = crowd.fleet.members.iter().enumerate().filter(|(number, _)| *number != who);
        let others: Vec<_> = others.map(|(_, member)| &member.tally).collect();
        table.row(row(line, "the others", &others, window.wall, ""));
        others_got.push(float(others.iter().map(|tally| tally.bytes).sum()));
        if let Some(told) = crowd.fleet.members.get(who).and_then(|member| member.last.get("line")) {
            say(&format!("  {line}: the hub tells the one {told}"));
        }
    }
    if let [before, meanwhile, after] = others_got[..] {
        let change = 100.0 * (2.0 * meanwhile / (before + after) - 1.0);
        say(&format!("  the others' bit rate while one line was narrow: {change:+.1} % against before and after"));
    }
    table.print(&format!(
        "narrow: one of {members} with {} kbit/s down and a queue of {} ms",
        BITS_PER_SECOND / 1_000,
        QUEUE.as_millis()
    ));
    Ok(())
}

/// Rates of one member, or the mean of many.
fn row(line: &str, who: &str, tallies: &[&Tally], seconds: f64, dropped: &str) -> Vec<String> {
    let divide = seconds * float(u64::try_from(tallies.len()).unwrap_or(1));
    let packets = |layer: u8| {
        let of = |tally: &&Tally| {
            tally.heard.iter().filter(|((_, l), _)| *l == layer).map(|(_, heard)| heard.packets).sum::<u64>()
        };
        format!("{:.1}", float(tallies.iter().map(of).sum()) / divide)
    };
    let sum = |figure: &dyn Fn(&Tally) -> u64| tallies.iter().map(|tally| figure(tally)).sum::<u64>();
    let (lost, received) = (sum(&Tally::lost), sum(&|tally| tally.packets));
    vec![
        line.to_owned(),
        who.to_owned(),
        format!("{:.0}", float(sum(&|tally| tally.bytes)) * 8e-3 / divide),
        packets(SOUND),
        packets(0),
        packets(1),
        packets(2),
        format!("{:.2}", 100.0 * float(lost) / float((lost + received).max(1))),
        dropped.to_owned(),
        sum(&|tally| tally.torn).to_string(),
    ]
}
