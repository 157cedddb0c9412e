//! The loop that drives all members of a run in one thread.

use super::line::Line;
use super::link::Link;
use super::member::{Member, TOKENS};
use super::peer::{Common, Peer};
use super::picture::Show;
use super::socket::Buffers;
use super::tally::{Delays, Tally};
use crate::crypto;
use anyhow::{Context, Result, bail};
use mio::{Events, Poll};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// A round takes at least this long, so that what comes meanwhile is read together. Not so when delays are measured.
const ROUND: Duration = Duration::from_millis(1);

pub struct Fleet {
    common: Common,
    poll: Poll,
    events: Events,
    buffers: Buffers,
    pub members: Vec<Member>,
    /// Reads at once what comes; costs more of the processor.
    pub is_prompt: bool,
}

impl Fleet {
    pub fn new(ip: IpAddr) -> Result<Self> {
        let common = Common { crypto: crypto::provider(), certificate: crypto::certificate()?, ip };
        Ok(Self {
            common,
            poll: Poll::new()?,
            events: Events::with_capacity(1_024),
            buffers: Buffers::default(),
            members: Vec::new(),
            is_prompt: false,
        })
    }

    /// One more member; it does nothing yet. Its place in [`Self::members`].
    pub fn add(&mut self, show: Option<Show>) -> usize {
        let number = self.members.len();
        self.members.push(Member::new(number, show, Instant::now()));
        number
    }

    /// One more member, which joins a room of our hub.
    pub fn join(&mut self, signalling: SocketAddr, role: &str, show: Option<Show>) -> Result<usize> {
        let number = self.add(show);
        let member = self.member(number)?;
        let token = member.line_token();
        let mut line = Line::connect(signalling, self.poll.registry(), token)?;
        line.say(&json!({"member": format!("m{number}"), "role": role, "admitted": true}))?;
        line.say(&json!({"type": "hello"}))?;
        self.member(number)?.line = Some(line);
        Ok(number)
    }

    pub fn member(&mut self, number: usize) -> Result<&mut Member> {
        self.members.get_mut(number).context("no such member")
    }

    /// A member's offer, for servers with a signalling of their own.
    pub fn offer(&mut self, number: usize) -> Result<String> {
        self.members.get_mut(number).context("no such member")?.offer(&self.common, self.poll.registry())
    }

    pub fn answered(&mut self, number: usize, sdp: &str) -> Result<()> {
        self.members.get_mut(number).context("no such member")?.answered(sdp)
    }

    pub fn accept(&mut self, number: usize, sdp: &str) -> Result<String> {
        self.members.get_mut(number).context("no such member")?.accept(&self.common, self.poll.registry(), sdp)
    }

    /// Something is said to the hub by a member.
    pub fn say(&mut self, number: usize, message: &Value) -> Result<()> {
        self.member(number)?.say(message)
    }

    /// Lets a time pass.
    pub fn run(&mut self, time: Duration) -> Result<()> {
        let end = Instant::now() + time;
        while self.round(end)? {}
        Ok(())
    }

    /// Lets time pass until something holds.
    pub fn run_until(&mut self, what: &str, longest: Duration, done: impl Fn(&Self) -> bool) -> Result<Duration> {
        let begin = Instant::now();
        let end = begin + longest;
        while !done(self) {
            if !self.round(end)? {
                bail!("after {} s still not: {what}\n{}", longest.as_secs(), self.describe());
            }
        }
        Ok(begin.elapsed())
    }

    /// What is there, for whoever must find out why something is not.
    fn describe(&self) -> String {
        let count = |holds: &dyn Fn(&Member) -> bool| self.members.iter().filter(|member| holds(member)).count();
        let publishing = count(&|member| member.publish.as_ref().is_some_and(Peer::is_connected));
        let subscribed = count(&|member| member.subscribe.as_ref().is_some_and(Peer::is_connected));
        let (errors, sum) = (count(&|member| !member.errors.is_empty()), self.sum());
        let pictures = count(&|member| member.tally.first_key.is_some());
        let mut text = format!(
            "{} members; connected to publish {publishing}, to subscribe {subscribed}; {pictures} had a picture, {errors} an error; {} packets",
            self.members.len(),
            sum.packets
        );
        let without = |member: &&Member| member.subscribe.is_some() && member.tally.first_key.is_none();
        if let Some(member) = self.members.iter().find(without) {
            let (heard, padding) = (&member.tally.heard, member.tally.padding);
            text +=
                &format!("; one of them heard {heard:?}, {padding} of padding, was told {:?}", member.last.get("line"));
            text += &format!(", its errors {:?}", member.errors);
        }
        text
    }

    /// One turn: send what is due, wait, read what came. False once the end is reached.
    fn round(&mut self, end: Instant) -> Result<bool> {
        let begin = Instant::now();
        if begin >= end {
            return Ok(false);
        }
        let mut next = end;
        for member in &mut self.members {
            member.work(begin);
            next = next.min(member.deadline().unwrap_or(end));
        }
        if !self.is_prompt {
            std::thread::sleep(ROUND.saturating_sub(begin.elapsed()).min(end - begin));
        }
        let wait = next.saturating_duration_since(Instant::now());
        self.poll.poll(&mut self.events, Some(wait)).or_else(|error| match error.kind() {
            std::io::ErrorKind::Interrupted => Ok(()),
            _ => Err(error),
        })?;
        for event in &self.events {
            let token = event.token().0;
            let Some(member) = self.members.get_mut(token / TOKENS) else { continue };
            let peer = match token % TOKENS {
                0 => {
                    member.hear(&self.common, self.poll.registry())?;
                    continue;
                }
                1 => &mut member.publish,
                _ => &mut member.subscribe,
            };
            if let Some(peer) = peer {
                peer.readable(&mut self.buffers, &mut member.tally);
            }
        }
        Ok(true)
    }

    /// Begins a measurement.
    pub fn restart(&mut self) {
        for member in &mut self.members {
            member.tally.restart();
            if let Some(sender) = &mut member.sender {
                sender.own_delay = Delays::default();
            }
        }
    }

    /// Gives a member's subscribe connection a narrow line (bits a second, longest queue), or its wide one back.
    pub fn narrow(&mut self, number: usize, line: Option<(u32, Duration)>) -> Result<()> {
        let peer = self.member(number)?.subscribe.as_mut().context("it gets nothing yet")?;
        peer.link = line.map(|(rate, queue)| Link::new(rate, queue, Instant::now()));
        Ok(())
    }

    /// Datagrams that a narrow line has dropped.
    pub fn dropped_by_line(&self, number: usize) -> u64 {
        let peer = self.members.get(number).and_then(|member| member.subscribe.as_ref());
        peer.and_then(|peer| peer.link.as_ref()).map_or(0, |link| link.dropped)
    }

    /// All that was received, and all that is missing.
    pub fn sum(&self) -> Sum {
        let mut sum = Sum::default();
        for member in &self.members {
            sum.add(&member.tally);
            if let Some(sender) = &member.sender {
                sum.own_delays.merge(&sender.own_delay);
            }
        }
        sum
    }
}

/// Over all members.
#[derive(Default)]
pub struct Sum {
    pub packets: u64,
    pub bytes: u64,
    pub lost: u64,
    pub torn: u64,
    pub delays: Delays,
    pub own_delays: Delays,
}

impl Sum {
    fn add(&mut self, tally: &Tally) {
        self.packets += tally.packets;
        self.bytes += tally.bytes;
        self.lost += tally.lost();
        self.torn += tally.torn;
        self.delays.merge(&tally.delays);
    }
}
