//! The way in for offices that let neither UDP nor strange ports out: a TURN server (RFC 8656), which is somebody else's program
//! (coturn), and its short-lived credentials, which are made here.
//!
//! Hub and server share a secret and nothing else. The user name is the moment at which it ends, in seconds of the Unix epoch,
//! a colon and the member; the password is the name's HMAC-SHA-1 under the secret, in base64. The draft
//! `draft-uberti-behave-turn-rest-00` describes it, coturn calls it `use-auth-secret`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use signaling::message::IceServer;

use crate::config::Media;
use crate::time::Timestamp;

/// A secret that is shorter is guessed: everybody who joins has a signature to try it on.
const SHORTEST_SECRET: usize = 16;
/// Below it a credential may end while its page still connects.
const SHORTEST_LIFE_SECONDS: u32 = 60;
/// A credential that outlives its week serves nobody but a thief.
const LONGEST_LIFE_SECONDS: u32 = 7 * 86_400;
/// More addresses only slow a browser down: it tries each.
const MOST_URLS: usize = 4;

/// The TURN server, and how to make credentials for it.
pub struct Turn {
    urls: Vec<String>,
    secret: String,
    life_seconds: u32,
}

impl std::fmt::Debug for Turn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn")
            .field("urls", &self.urls)
            .field("life_seconds", &self.life_seconds)
            .finish_non_exhaustive()
    }
}

impl Turn {
    /// The server that the configuration names, if any.
    ///
    /// # Errors
    /// As [`Turn::new`].
    pub fn of_config(media: &Media) -> anyhow::Result<Option<Self>> {
        media.turn.as_ref().map(|turn| Self::new(&turn.urls, &turn.secret, turn.ttl_seconds)).transpose()
    }

    /// A server at these addresses, in the order in which browsers are to be told of them.
    ///
    /// # Errors
    /// Which setting cannot be used. The secret is not shown.
    pub fn new(urls: &[String], secret: &str, life_seconds: u32) -> anyhow::Result<Self> {
        anyhow::ensure!(
            !urls.is_empty() && urls.len() <= MOST_URLS,
            "media.turn.urls must name one address at least and {MOST_URLS} at most"
        );
        for url in urls {
            anyhow::ensure!(
                is_turn_url(url),
                "media.turn.urls: {url:?} is not of the form turns:HOST:PORT?transport=tcp (RFC 7065)"
            );
        }
        anyhow::ensure!(
            !secret.is_empty(),
            "media.turn.secret is missing: set HUB_MEDIA__TURN__SECRET to coturn's static-auth-secret"
        );
        anyhow::ensure!(
            secret.len() >= SHORTEST_SECRET,
            "media.turn.secret is shorter than {SHORTEST_SECRET} characters"
        );
        anyhow::ensure!(
            (SHORTEST_LIFE_SECONDS..=LONGEST_LIFE_SECONDS).contains(&life_seconds),
            "media.turn.ttl_seconds must be from {SHORTEST_LIFE_SECONDS} to {LONGEST_LIFE_SECONDS}"
        );
        Ok(Self { urls: urls.to_owned(), secret: secret.to_owned(), life_seconds })
    }

    /// The server with a credential for one member. `now` is the machine's time: the server compares with its own.
    #[must_use]
    pub fn server(&self, member: &str, now: Timestamp) -> IceServer {
        let end = now.plus_millis(i64::from(self.life_seconds) * 1_000).millis().div_euclid(1_000);
        let username = format!("{end}:{member}");
        let credential = sign(&self.secret, &username);
        IceServer { urls: self.urls.clone(), username: Some(username), credential: Some(credential) }
    }
}

fn sign(secret: &str, username: &str) -> String {
    // HMAC takes a key of any length.
    Hmac::<Sha1>::new_from_slice(secret.as_bytes())
        .map(|mac| STANDARD.encode(mac.chain_update(username.as_bytes()).finalize().into_bytes()))
        .unwrap_or_default()
}

/// `turn:` or `turns:`, a host, perhaps a port, perhaps the transport (RFC 7065, 3.1).
fn is_turn_url(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("turns:").or_else(|| url.strip_prefix("turn:")) else { return false };
    let (address, transport) = rest.split_once('?').map_or((rest, None), |(address, query)| (address, Some(query)));
    let known = transport.is_none_or(|query| matches!(query, "transport=udp" | "transport=tcp"));
    // A literal IPv6 address has its colons in brackets.
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse::<u16>().is_ok_and(|port| port > 0)),
        _ => (address, true),
    };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let fits = bracketed.map_or_else(
        || !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')),
        |host| host.parse::<std::net::Ipv6Addr>().is_ok(),
    );
    known && port && fits
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "north-block-2026-secret";

    fn urls(urls: &[&str]) -> Vec<String> {
        urls.iter().map(|url| (*url).to_owned()).collect()
    }

    #[test]
    fn a_credential_is_what_coturn_computes() {
        // printf '1800003600:party' | openssl dgst -sha1 -hmac north-block-2026-secret -binary | base64
        let turn = Turn::new(&urls(&["turns:turn.example.in:443?transport=tcp"]), SECRET, 3_600).unwrap();
        let server = turn.server("party", Timestamp::from_millis(1_800_000_000_999));
        assert_eq!(server.username.as_deref(), Some("1800003600:party"));
        assert_eq!(server.credential.as_deref(), Some("gtJY375xByx3z+dYLPcEwbqRHOw="));
        assert_eq!(server.urls, ["turns:turn.example.in:443?transport=tcp"]);
    }

    #[test]
    fn the_secret_is_not_shown() {
        let turn = Turn::new(&urls(&["turn:192.0.2.1"]), SECRET, 3_600).unwrap();
        assert!(!format!("{turn:?}").contains("north"));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let one = urls(&["turn:turn.example.in"]);
        let wrong = |urls: &[String], secret, life| Turn::new(urls, secret, life).unwrap_err().to_string();
        assert!(wrong(&one, "", 3_600).contains("secret is missing"));
        assert!(wrong(&one, "short", 3_600).contains("shorter than 16"));
        assert!(wrong(&one, SECRET, 59).contains("ttl_seconds"));
        assert!(wrong(&one, SECRET, LONGEST_LIFE_SECONDS + 1).contains("ttl_seconds"));
        assert!(wrong(&[], SECRET, 3_600).contains("one address"));
        assert!(wrong(&vec!["turn:a".to_owned(); 5], SECRET, 3_600).contains("4 at most"));
        for url in [
            "https://turn.example.in",
            "turn:",
            "turn:a:0",
            "turn:a:70000",
            "turn:a?transport=sctp",
            "turn:a b",
            "turn:[::g]",
        ] {
            assert!(wrong(&urls(&[url]), SECRET, 3_600).contains("RFC 7065"), "{url}");
        }
    }

    #[test]
    fn addresses_of_rfc_7065_are_understood() {
        for url in [
            "turn:a.example",
            "turn:a.example:3478",
            "turns:a:5349?transport=tcp",
            "turn:192.0.2.7:80?transport=udp",
            "turn:[2001:db8::1]:443",
            "turns:[::1]",
        ] {
            assert!(is_turn_url(url), "{url}");
        }
    }
}
