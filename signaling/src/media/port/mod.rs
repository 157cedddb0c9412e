//! The one media port: UDP for everybody ([`udp`], filled from a [`batch`]) and TCP on the same number for networks that pass no UDP ([`tcp`]).
//! Here lies how datagrams get in and out, and what clients are told of the way; what is in them is not looked at.

pub(crate) mod batch;
mod candidate;
pub(crate) mod tcp;
pub(crate) mod udp;

pub(crate) use candidate::candidates;

use std::net::SocketAddr;

/// Where a client's datagrams come from and go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Path {
    Udp(SocketAddr),
    /// A connection's number; numbers are never used twice.
    Tcp(u64),
}
