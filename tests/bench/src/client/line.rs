//! A member's line to the hub process: one JSON text a line, over TCP on loopback. In the product the same texts go over a WebSocket.

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

/// A server's line is shorter.
const LONGEST: usize = 1 << 20;

pub struct Line {
    stream: TcpStream,
    unread: Vec<u8>,
    pub is_closed: bool,
}

impl Line {
    pub fn connect(to: SocketAddr, registry: &Registry, token: Token) -> Result<Self> {
        let stream = std::net::TcpStream::connect_timeout(&to, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, token, Interest::READABLE)?;
        Ok(Self { stream, unread: Vec::new(), is_closed: false })
    }

    pub fn say(&mut self, message: &Value) -> Result<()> {
        let text = format!("{message}\n");
        let mut rest = text.as_bytes();
        // What a member says is small; the hub reads it at once.
        for _ in 0..1_000 {
            match self.stream.write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(1)),
                Err(error) => return Err(error).context("signalling"),
            }
            if rest.is_empty() {
                return Ok(());
            }
        }
        bail!("the hub does not read its signalling")
    }

    /// Whole messages that have come.
    pub fn hear(&mut self) -> Result<Vec<Value>> {
        let mut piece = [0; 16_384];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => {
                    self.is_closed = true;
                    break;
                }
                Ok(count) => self.unread.extend_from_slice(piece.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("signalling"),
            }
            if self.unread.len() > LONGEST {
                bail!("a signalling message has no end");
            }
        }
        let end = self.unread.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let whole: Vec<u8> = self.unread.drain(..end).collect();
        let texts = whole.split(|byte| *byte == b'\n').filter(|text| !text.is_empty());
        texts.map(|text| serde_json::from_slice(text).context("signalling")).collect()
    }
}
