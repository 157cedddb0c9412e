//! One member of a fleet: its signalling line (to our hub), its two peer connections, what it sends and what it has received.

use super::clock;
use super::line::Line;
use super::peer::{Common, Peer};
use super::picture::Show;
use super::sender::Sender;
use super::tally::Tally;
use anyhow::{Context, Result};
use mio::{Registry, Token};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Instant;

/// Tokens of one member: its line, its publish and its subscribe connection.
pub const TOKENS: usize = 3;

pub struct Member {
    number: usize,
    pub line: Option<Line>,
    pub publish: Option<Peer>,
    pub subscribe: Option<Peer>,
    pub sender: Option<Sender>,
    pub tally: Tally,
    /// When it began to join.
    pub began: Instant,
    /// The latest message of each type, for scenarios to look at.
    pub last: HashMap<String, Value>,
    /// Refusals by the hub.
    pub errors: Vec<Value>,
}

impl Member {
    pub fn new(number: usize, show: Option<Show>, now: Instant) -> Self {
        let name = u32::try_from(number).unwrap_or(u32::MAX);
        Self {
            number,
            line: None,
            publish: None,
            subscribe: None,
            sender: show.map(|show| Sender::new(show, name, now)),
            tally: Tally::default(),
            began: now,
            last: HashMap::new(),
            errors: Vec::new(),
        }
    }

    fn token(&self, part: usize) -> Token {
        Token(self.number * TOKENS + part)
    }

    pub fn line_token(&self) -> Token {
        self.token(0)
    }

    /// An offer for the publish connection, which is made with it.
    pub fn offer(&mut self, common: &Common, registry: &Registry) -> Result<String> {
        let show = self.sender.as_ref().context("it sends nothing")?.show().clone();
        let mut peer = Peer::new(common, registry, self.token(1), Instant::now())?;
        let sdp = peer.offer(show.sound.is_some(), &show.layers)?;
        self.publish = Some(peer);
        Ok(sdp)
    }

    /// The server's answer to it.
    pub fn answered(&mut self, sdp: &str) -> Result<()> {
        let peer = self.publish.as_mut().context("nothing was offered")?;
        peer.answered(sdp)?;
        peer.tick(Instant::now(), &mut self.tally);
        Ok(())
    }

    /// Answers the server's offer on the subscribe connection, which is made with the first.
    pub fn accept(&mut self, common: &Common, registry: &Registry, sdp: &str) -> Result<String> {
        let peer = match self.subscribe.take() {
            Some(peer) => peer,
            None => Peer::new(common, registry, self.token(2), Instant::now())?,
        };
        let peer = self.subscribe.insert(peer);
        let answer = peer.accept(sdp)?;
        peer.tick(Instant::now(), &mut self.tally);
        Ok(answer)
    }

    /// What the hub said.
    pub fn hear(&mut self, common: &Common, registry: &Registry) -> Result<()> {
        let Some(line) = &mut self.line else { return Ok(()) };
        for message in line.hear()? {
            self.obey(common, registry, &message).with_context(|| format!("member {}: {message}", self.number))?;
            if let Some(kind) = message.get("type").and_then(Value::as_str) {
                self.last.insert(kind.to_owned(), message);
            }
        }
        Ok(())
    }

    fn obey(&mut self, common: &Common, registry: &Registry, message: &Value) -> Result<()> {
        let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match text("type").as_str() {
            "welcome" => {
                if let Some(version) = message.get("notice_version").and_then(Value::as_str) {
                    self.say(&json!({"type": "acknowledge", "version": version}))?;
                }
            }
            "admitted" if self.sender.is_some() && self.publish.is_none() => {
                let sdp = self.offer(common, registry)?;
                self.say(&json!({"type": "offer", "sdp": sdp}))?;
            }
            "answer" => self.answered(&text("sdp"))?,
            "offer" => {
                let sdp = self.accept(common, registry, &text("sdp"))?;
                self.say(&json!({"type": "answer", "sdp": sdp}))?;
            }
            "demand" if text("kind") == "video" => {
                let rids = message.get("rids").and_then(Value::as_array).cloned().unwrap_or_default();
                let rids: Vec<_> = rids.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                let on = message.get("on").and_then(Value::as_bool).unwrap_or(true);
                if let Some(sender) = &mut self.sender {
                    sender.demand(on, &rids);
                }
            }
            "error" => self.errors.push(message.clone()),
            _ => {}
        }
        Ok(())
    }

    pub fn say(&mut self, message: &Value) -> Result<()> {
        self.line.as_mut().context("it has no line")?.say(message)
    }

    /// Sends what is due, and lets the stacks know the time.
    pub fn work(&mut self, now: Instant) {
        if let (Some(sender), Some(peer)) = (&mut self.sender, &mut self.publish) {
            for rid in std::mem::take(&mut peer.keyframes_wanted) {
                sender.ask_key(rid.as_deref());
            }
            let begin = Instant::now();
            if sender.deadline() <= now && sender.work(peer, now) {
                peer.tick(now, &mut self.tally);
                sender.own_delay.add(clock::nanoseconds(begin.elapsed()));
            }
        }
        for peer in [&mut self.publish, &mut self.subscribe].into_iter().flatten() {
            if peer.deadline <= now {
                peer.tick(now, &mut self.tally);
            }
        }
    }

    /// When [`Self::work`] is wanted.
    pub fn deadline(&self) -> Option<Instant> {
        let sender = self.publish.as_ref().and(self.sender.as_ref()).map(Sender::deadline);
        let peers = [&self.publish, &self.subscribe].into_iter().flatten().map(|peer| peer.deadline);
        peers.chain(sender).min()
    }
}
