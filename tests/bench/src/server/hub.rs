//! Our media server as a child process: this program again, as `hub-bench serve` (see [`crate::serve`]).

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The child's first line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Addresses {
    pub signalling: SocketAddr,
    pub media: SocketAddr,
}

pub struct Hub {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    addresses: Addresses,
}

impl Hub {
    pub fn start(workers: usize) -> Result<Self> {
        let program = std::env::current_exe()?;
        let mut command = Command::new(program);
        command.arg("serve").arg("--listen").arg(format!("{}:0", crate::namespace::address()));
        command.arg("--workers").arg(workers.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take().context("stdin")?;
        let mut stdout = BufReader::new(child.stdout.take().context("stdout")?);
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        let addresses = serde_json::from_str(&line).with_context(|| format!("the hub said {line:?}"))?;
        Ok(Self { child, stdin, stdout, addresses })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signalling(&self) -> SocketAddr {
        self.addresses.signalling
    }

    pub fn media(&self) -> SocketAddr {
        self.addresses.media
    }

    /// The media plane's own counters, by name.
    pub fn counters(&mut self) -> Result<BTreeMap<String, u64>> {
        self.stdin.write_all(b"counters\n")?;
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        serde_json::from_str(&line).with_context(|| format!("the hub said {line:?}"))
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
