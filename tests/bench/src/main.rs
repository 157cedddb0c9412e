//! Load on the media server, and on Janus beside it: `cargo run --release -p hub-bench -- SCENARIO [--seconds N] [--members N]`.
//!
//! Each scenario starts the server as a process of its own, drives it with load clients of another WebRTC implementation (str0m; the
//! server is built on parts of webrtc-rs), and prints one table. Where Janus can do the same thing it is measured in the same run by the
//! same clients, in turns: absolute figures depend on the machine, the ratio of two runs beside each other does not. Everything runs in
//! network and process namespaces of its own (`unshare`), and ends by itself.
//!
//! * `one-to-many`: processor time for a forwarded 1,200-byte packet, one publisher and sixty viewers, beside Janus.
//! * `conference`: 120 members, each sending three layers and sound, each watching a podium and nine tiles and hearing three voices; the
//!   cores that the hub takes, what gets lost, and the same with one worker thread more. Five minutes each.
//! * `delay`: what the server adds to a packet's way, at half load; the first table's load beside Janus.
//! * `memory`: resident memory for one more viewer, beside Janus.
//! * `join`: 67 members within ten seconds, each from hello to the first whole key frame.
//! * `narrow`: one of 67 with 500 kbit/s down: what it keeps, and what the others notice.
//! * `all`: each of these with its own numbers, about a quarter of an hour.
//!
//! Needs: Linux, util-linux, iproute2; for Janus Debian's package `janus` (1.1.2), or `--only hub`.

mod client;
mod crypto;
mod namespace;
mod report;
mod scenario;
mod serve;
mod server;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use server::Side;
use server::janus::Janus;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Parser)]
#[command(about = "Load on the media server, and on Janus beside it")]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// One publisher, many viewers: µs of processor time for a forwarded packet.
    OneToMany(Options),
    /// 120 members with simulcast, for five minutes: cores and losses.
    Conference(Options),
    /// What the server adds to a packet's way.
    Delay(Options),
    /// Resident memory for one more viewer.
    Memory(Options),
    /// From hello to the first whole key frame, while many come.
    Join(Options),
    /// One of many on a narrow line.
    Narrow(Options),
    /// All of these.
    All(Options),
    /// The server under test; started by the scenarios.
    #[command(hide = true)]
    Serve {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long, default_value_t = 1)]
        workers: usize,
    },
}

/// What all scenarios take.
#[derive(clap::Args, Clone)]
struct Options {
    /// How long a measurement takes.
    #[arg(long)]
    seconds: Option<u64>,
    /// How many viewers or members.
    #[arg(long)]
    members: Option<usize>,
    /// Threads that our server may send with.
    #[arg(long, default_value_t = 1)]
    workers: usize,
    /// Packets of 1,200 bytes in each of the one publisher's 30 pictures a second.
    #[arg(long, default_value_t = 13)]
    burst: u16,
    /// The one publisher begins small and grows, as a browser's encoder does, and does not begin in full, as a room encoder's does.
    #[arg(long)]
    ramp: bool,
    /// One server alone.
    #[arg(long)]
    only: Option<Only>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Only {
    Hub,
    Janus,
}

impl Options {
    /// Between the last join and a measurement: key frames are sent, estimates have grown.
    fn settle(&self) -> Duration {
        Duration::from_secs(if self.ramp { 25 } else { 5 })
    }

    /// Which servers are measured.
    fn sides(&self) -> Vec<Side> {
        match self.only {
            Some(Only::Hub) => vec![Side::Ours],
            Some(Only::Janus) => vec![Side::Janus],
            None if Janus::is_installed() => vec![Side::Ours, Side::Janus],
            None => {
                report::say("SKIPPED janus: it is not installed (apt-get install janus)");
                vec![Side::Ours]
            }
        }
    }

    /// In turns, so that a change of the machine's mood meets both.
    fn sides_twice(&self) -> Vec<Side> {
        let sides = self.sides();
        [sides.clone(), sides].concat()
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // RUST_LOG=signaling=debug shows what the server under test thinks.
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    if let What::Serve { listen, workers } = arguments.what {
        return serve::run(listen, workers);
    }
    namespace::enter()?;
    scenario::run(&arguments.what)
}
