//! What clients are told of the port: the ICE candidates of the hub (RFC 8445; for TCP RFC 6544), as they stand in SDP (RFC 8839, section 5.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Most addresses that clients are told. Each costs every client a check for each of its own.
const MAX_ADDRESSES: usize = 8;

/// The port's addresses, best first: the public ones as they are configured (forwarded to us unchanged, see deploy/README.md), then those of this
/// machine, for clients in the same building; all over UDP before any over TCP. Each line is the value of an `a=candidate` attribute with its
/// name, without `a=`.
pub(crate) fn candidates(local: SocketAddr, public: &[IpAddr], with_tcp: bool) -> Vec<String> {
    let own = if local.ip().is_unspecified() { outward_addresses(local.is_ipv6()) } else { vec![local.ip()] };
    lines(local.port(), &addresses(local, public, &own), with_tcp)
}

/// Each address once. Loopback serves the demo on one machine; where public addresses are named, nobody is helped by it.
fn addresses(local: SocketAddr, public: &[IpAddr], own: &[IpAddr]) -> Vec<IpAddr> {
    let loopback = local.ip().is_unspecified().then_some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let own = own.iter().copied().chain(loopback).filter(|ip| public.is_empty() || !ip.is_loopback());
    let mut addresses = Vec::new();
    for ip in public.iter().copied().chain(own).map(|ip| ip.to_canonical()) {
        // A socket of IPv4 hears nothing of IPv6, wherever that is forwarded from.
        if (local.is_ipv6() || ip.is_ipv4()) && !addresses.contains(&ip) && addresses.len() < MAX_ADDRESSES {
            addresses.push(ip);
        }
    }
    addresses
}

/// Priorities are those of host candidates (RFC 8445, section 5.1.2.1; RFC 6544, section 4.2), falling from address to address.
fn lines(port: u16, addresses: &[IpAddr], with_tcp: bool) -> Vec<String> {
    let less = |index: usize| u32::try_from(index).unwrap_or(0) * 256;
    let udp = addresses
        .iter()
        .enumerate()
        .map(|(n, ip)| format!("candidate:{} 1 udp {} {ip} {port} typ host", n + 1, 2_130_706_431 - less(n)));
    let tcp = addresses.iter().enumerate().filter(|_| with_tcp).map(|(n, ip)| {
        format!("candidate:{} 1 tcp {} {ip} {port} typ host tcptype passive", n + 101, 1_671_430_143 - less(n))
    });
    udp.chain(tcp).collect()
}

/// The addresses that this machine would use towards others. Nothing is sent: connecting a UDP socket only looks the route up, here to addresses
/// for documentation (RFC 5737, RFC 3849).
fn outward_addresses(with_ipv6: bool) -> Vec<IpAddr> {
    let towards = |from: IpAddr, to: IpAddr| {
        let socket = UdpSocket::bind((from, 0)).ok()?;
        socket.connect((to, 9)).ok()?;
        let ip = socket.local_addr().ok()?.ip();
        (!ip.is_unspecified() && !ip.is_loopback()).then_some(ip)
    };
    let short = towards(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(192, 0, 2, 1).into());
    let long = || towards(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into());
    short.into_iter().chain(with_ipv6.then(long).flatten()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(local: &str, public: &[&str], own: &[&str]) -> Vec<String> {
        let parse = |ips: &[&str]| ips.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<IpAddr>>();
        addresses(local.parse().unwrap(), &parse(public), &parse(own)).iter().map(IpAddr::to_string).collect()
    }

    #[test]
    fn public_addresses_come_first_and_each_once() {
        assert_eq!(told("0.0.0.0:1", &["203.0.113.10"], &["10.0.0.5"]), ["203.0.113.10", "10.0.0.5"]);
        assert_eq!(told("0.0.0.0:1", &["203.0.113.10"], &["203.0.113.10"]), ["203.0.113.10"]);
        assert_eq!(told("0.0.0.0:1", &[], &["10.0.0.5"]), ["10.0.0.5", "127.0.0.1"]);
        assert_eq!(told("0.0.0.0:1", &["127.0.0.1"], &[]), ["127.0.0.1"]);
        assert_eq!(told("127.0.0.1:1", &[], &["127.0.0.1"]), ["127.0.0.1"]);
        assert_eq!(told("127.0.0.1:1", &["203.0.113.10"], &["127.0.0.1"]), ["203.0.113.10"]);
    }

    #[test]
    fn families_are_those_of_the_socket() {
        assert_eq!(told("0.0.0.0:1", &["2001:db8::5", "203.0.113.10"], &[]), ["203.0.113.10"]);
        assert_eq!(told("[::]:1", &["2001:db8::5", "::ffff:203.0.113.10"], &[]), ["2001:db8::5", "203.0.113.10"]);
    }

    #[test]
    fn lines_are_those_of_the_standard() {
        let addresses = ["2001:db8::5".parse().unwrap(), "10.0.0.5".parse().unwrap()];
        assert_eq!(
            lines(3478, &addresses, true),
            [
                "candidate:1 1 udp 2130706431 2001:db8::5 3478 typ host",
                "candidate:2 1 udp 2130706175 10.0.0.5 3478 typ host",
                "candidate:101 1 tcp 1671430143 2001:db8::5 3478 typ host tcptype passive",
                "candidate:102 1 tcp 1671429887 10.0.0.5 3478 typ host tcptype passive",
            ]
        );
        assert_eq!(lines(3478, &addresses, false).len(), 2);
    }

    #[test]
    fn a_bound_address_is_told_as_it_is() {
        let told = candidates("127.0.0.1:40000".parse().unwrap(), &[], false);
        assert_eq!(told, ["candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host"]);
    }
}
