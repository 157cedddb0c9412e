//! What one forwarded packet costs: one publisher, many subscribers, all on loopback in this process; the media thread's own CPU time is
//! read from /proc (Linux). `cargo run --release -p signaling --example load -- SUBSCRIBERS PACKETS_A_PICTURE SECONDS [FOLDER]`.
//! With a folder it records meanwhile. Absolute figures depend on the machine: compare two runs on one.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring tool may stop with a message")]

#[expect(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/peer/mod.rs"]
mod peer;

use peer::{Hub, Picture, Tab};
use signaling::message::Kind;
use signaling::{Role, RoomCommand};
use std::time::{Duration, Instant};

/// Bytes of payload in each video packet: what a browser sends.
const PAYLOAD: usize = 1_150;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |n: usize, default: u32| arguments.get(n).and_then(|a| a.parse().ok()).unwrap_or(default);
    let (subscribers, packets, seconds) = (number(0, 20), number(1, 10), number(2, 10));
    let hub = Hub::open();
    let picture = Picture { packets, bytes: PAYLOAD };
    let publisher = hub.join("publisher", Role::PresidingOfficer, true).await;
    let _publisher = Tab::open_with(publisher, None, picture).await;
    let mut tabs = Vec::new();
    for n in 0..subscribers {
        let connection = hub.join(&format!("observer{n}"), Role::Observer, true).await;
        tabs.push(Tab::open(connection, None).await);
    }
    if let Some(folder) = arguments.get(3) {
        let dir = std::path::PathBuf::from(folder);
        hub.order(RoomCommand::StartRecording { dir, meta: serde_json::Value::Null }).await;
    }
    peer::until("everybody gets pictures", || tabs.iter().all(|tab| tab.seen.packets("publisher", Kind::Video) > 0))
        .await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (before, cpu, start) = (hub.server.counters(), cpu_seconds("media"), Instant::now());
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    let (after, cpu, wall) = (hub.server.counters(), cpu_seconds("media") - cpu, start.elapsed().as_secs_f64());
    let forwarded = f64::from(u32::try_from(after.forwarded - before.forwarded).unwrap());
    println!(
        "{subscribers} subscribers: {:.0} packets/s forwarded, media thread {:.1} % of a core",
        forwarded / wall,
        100.0 * cpu / wall
    );
    println!("{:.1} µs of CPU a forwarded packet; {after:?}", cpu / forwarded * 1e6);
}

/// User and system time of a thread of this process, in seconds. The kernel counts in hundredths.
fn cpu_seconds(name: &str) -> f64 {
    let mut ticks = 0u32;
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        if let Some((head, tail)) = stat.rsplit_once(") ")
            && head.ends_with(&format!("({name}"))
        {
            ticks += tail.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u32>().ok()).sum::<u32>();
        }
    }
    f64::from(ticks) / 100.0
}
