//! What a process has used, read from /proc (Linux).

use anyhow::{Context, Result};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::net::SocketAddr;

/// The kernel counts processor time in hundredths of a second, whatever its own clock does (`man 5 proc`, USER_HZ).
const TICKS_A_SECOND: f64 = 100.0;

#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// User and system time of all threads, in seconds.
    pub cpu: f64,
    /// Resident memory in MiB.
    pub memory: f64,
}

impl Usage {
    pub fn of(pid: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the server is gone")?;
        let (_, fields) = stat.rsplit_once(") ").context("/proc/PID/stat")?;
        let ticks: f64 = fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
        let kilobytes: f64 = memory.trim().trim_end_matches("kB").trim().parse()?;
        Ok(Self { cpu: ticks / TICKS_A_SECOND, memory: kilobytes / 1024.0 })
    }

    /// Of this process: what the load itself costs.
    pub fn own() -> Result<Self> {
        Self::of(std::process::id())
    }
}

/// User and system time of a process' threads in seconds, by the thread's name.
pub fn threads_of(pid: u32) -> BTreeMap<String, (f64, f64)> {
    let mut threads: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let Some((head, fields)) = stat.rsplit_once(") ") else { continue };
        let name = head.split_once('(').map_or("", |(_, name)| name);
        let mut ticks = fields.split(' ').skip(11).filter_map(|field| field.parse::<f64>().ok());
        let times = threads.entry(name.to_owned()).or_default();
        times.0 += ticks.next().unwrap_or(0.0) / TICKS_A_SECOND;
        times.1 += ticks.next().unwrap_or(0.0) / TICKS_A_SECOND;
    }
    threads
}

/// Datagrams that the kernel dropped since a socket's buffer was full, by the socket's port.
pub fn dropped_datagrams() -> HashMap<u16, u64> {
    let table = fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let rows = table.lines().skip(1).filter_map(|row| {
        let fields: Vec<_> = row.split_whitespace().collect();
        let (_, port) = fields.get(1)?.rsplit_once(':')?;
        Some((u16::from_str_radix(port, 16).ok()?, fields.last()?.parse().ok()?))
    });
    rows.collect()
}

/// The drops of one port, and of all others, in a reading.
pub fn drops_of(reading: &HashMap<u16, u64>, server: Option<SocketAddr>) -> (u64, u64) {
    let port = server.map(|address| address.port());
    let at_server = port.and_then(|port| reading.get(&port)).copied().unwrap_or(0);
    (at_server, reading.values().sum::<u64>() - at_server)
}
