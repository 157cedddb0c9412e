//! How long a member waits from the door to the first whole key frame, while many come at once.

use crate::client::{Fleet, Show};
use crate::report::{Table, percentile};
use crate::server::Side;
use crate::server::hub::Hub;
use crate::{Options, namespace};
use anyhow::Result;
use std::time::Duration;

const MEMBERS: usize = 67;
const WITHIN: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(30);

pub fn run(options: &Options) -> Result<()> {
    if !options.sides().contains(&Side::Ours) {
        return Ok(());
    }
    let members = options.members.unwrap_or(MEMBERS);
    let hub = Hub::start(options.workers)?;
    let mut fleet = Fleet::new(namespace::address())?;
    // Somebody must be there to be seen by the first.
    fleet.join(hub.signalling(), "presiding_officer", Some(Show::simulcast()))?;
    fleet.run(Duration::from_secs(2))?;
    for _ in 0..members {
        fleet.join(hub.signalling(), "party", Some(Show::simulcast()))?;
        fleet.run(WITHIN / u32::try_from(members)?)?;
    }
    fleet.run_until("everybody has a key frame", LONGEST, |fleet| {
        fleet.members.iter().skip(1).all(|member| member.tally.first_key.is_some())
    })?;
    let joined = fleet.members.iter().skip(1);
    let waited: Vec<_> =
        joined.filter_map(|member| Some((member.tally.first_key? - member.began).as_secs_f64())).collect();
    let connected = fleet.members.iter().skip(1).filter_map(|member| {
        let at = member.subscribe.as_ref()?.connected?;
        Some((at - member.began).as_secs_f64())
    });
    let connected: Vec<_> = connected.collect();
    let mut table = Table::new(&["server", "p50 s", "p95 s", "longest s", "to the connection p50 s", "p95 s"]);
    table.row(vec![
        Side::Ours.name().to_owned(),
        format!("{:.2}", percentile(&waited, 0.5)),
        format!("{:.2}", percentile(&waited, 0.95)),
        format!("{:.2}", percentile(&waited, 1.0)),
        format!("{:.2}", percentile(&connected, 0.5)),
        format!("{:.2}", percentile(&connected, 0.95)),
    ]);
    table.print(&format!(
        "join: {members} members within {} s, each from hello to the first whole key frame",
        WITHIN.as_secs()
    ));
    Ok(())
}
