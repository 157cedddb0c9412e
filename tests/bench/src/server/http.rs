//! As much of an HTTP client as Janus' interface needs: JSON in, JSON out, one connection that is kept.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A long poll of Janus ends after 30 s; nothing here waits so long.
const PATIENCE: Duration = Duration::from_secs(35);
const LONGEST_BODY: usize = 1 << 20;

pub struct Http {
    stream: BufReader<TcpStream>,
}

impl Http {
    pub fn connect(to: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&to, Duration::from_secs(2))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    pub fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        self.ask("POST", path, &body.to_string())
    }

    pub fn get(&mut self, path: &str) -> Result<Value> {
        self.ask("GET", path, "")
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<Value> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: janus\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut length = None;
        let status = self.line()?;
        if !status.starts_with("HTTP/1.1 200") {
            bail!("{method} {path}: {status}");
        }
        loop {
            let header = self.line()?.to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = Some(value.trim().parse()?);
            }
        }
        let mut body = Vec::new();
        match length {
            Some(length) => self.take(length, &mut body)?,
            // Without a length it comes in chunks (RFC 9112, 7.1).
            None => loop {
                let size = usize::from_str_radix(&self.line()?, 16).context("a chunk's size")?;
                self.take(size, &mut body)?;
                self.line()?;
                if size == 0 {
                    break;
                }
            },
        }
        serde_json::from_slice(&body).context("Janus answers in JSON")
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("Janus closed the connection");
        }
        Ok(line.trim_end().to_owned())
    }

    fn take(&mut self, bytes: usize, into: &mut Vec<u8>) -> Result<()> {
        let begin = into.len();
        if begin + bytes > LONGEST_BODY {
            bail!("Janus says more than {LONGEST_BODY} bytes");
        }
        into.resize(begin + bytes, 0);
        Ok(self.stream.read_exact(into.get_mut(begin..).unwrap_or_default())?)
    }
}
