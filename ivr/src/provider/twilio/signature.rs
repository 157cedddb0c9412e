//! Twilio's request signature, checked as Twilio's own library (`RequestValidator` of the Python package, 9.13) checks
//! it; a test compares the verdicts.
//!
//! HMAC over the URL and, for a form, every distinct name and value in sorted order; for any other body the URL carries
//! `bodySHA256`. Twilio is not of one mind about a port in the URL, so the URL counts with and without it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The header with the signature.
pub const SIGNATURE_HEADER: &str = "X-Twilio-Signature";
/// The header that names the algorithm, when it is not HMAC-SHA1.
pub const SETTINGS_HEADER: &str = "X-Twilio-Webhooks-Signature-Settings";

/// What was signed besides the URL.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// Decoded pairs of a form, in any order. Empty for a GET.
    Form(&'a [(String, String)]),
    /// Any other body, JSON for instance: it must match the URL's `bodySHA256`.
    Body(&'a [u8]),
}

/// The hash below the HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Algorithm {
    /// With the account's auth token.
    #[default]
    HmacSha1,
    /// With a shared key.
    HmacSha256,
}

impl Algorithm {
    /// Reads the settings header (`key=…,algorithm=HMAC_SHA256`). No header, or none that names an algorithm, is
    /// HMAC-SHA1; `None` for one that we do not know.
    #[must_use]
    pub fn of_header(header: Option<&str>) -> Option<Self> {
        let named = header
            .unwrap_or_default()
            .split(',')
            .filter_map(|part| part.split_once('='))
            .find(|(name, value)| name.trim() == "algorithm" && !value.trim().is_empty())
            .map(|(_, value)| value.trim().to_ascii_uppercase());
        match named.as_deref() {
            None | Some("HMAC_SHA1") => Some(Self::HmacSha1),
            Some("HMAC_SHA256") => Some(Self::HmacSha256),
            Some(_) => None,
        }
    }
}

/// Whether `signature` (base64, from the header) is Twilio's for this request. Compares in constant time.
#[must_use]
pub fn accepts(secret: &str, algorithm: Algorithm, url: &str, content: Content<'_>, signature: &str) -> bool {
    let form = match content {
        Content::Form(form) => form,
        // The hash in the URL is itself signed; without it nothing vouches for the body.
        Content::Body(body) if body_hash_matches(url, body) => &[],
        Content::Body(_) => return false,
    };
    let (without_port, with_port) = port_variants(url);
    let as_one = sign(secret, algorithm, &without_port, form).as_bytes().ct_eq(signature.as_bytes());
    let as_other = sign(secret, algorithm, &with_port, form).as_bytes().ct_eq(signature.as_bytes());
    (as_one | as_other).into()
}

/// The signature of a request (base64).
#[must_use]
pub fn sign(secret: &str, algorithm: Algorithm, url: &str, form: &[(String, String)]) -> String {
    let mut pairs: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let text: String = [url].into_iter().chain(pairs.into_iter().flat_map(|(name, value)| [name, value])).collect();
    match algorithm {
        Algorithm::HmacSha1 => Hmac::<Sha1>::new_from_slice(secret.as_bytes())
            .map(|mac| STANDARD.encode(mac.chain_update(&text).finalize().into_bytes())),
        Algorithm::HmacSha256 => Hmac::<Sha256>::new_from_slice(secret.as_bytes())
            .map(|mac| STANDARD.encode(mac.chain_update(&text).finalize().into_bytes())),
    }
    // HMAC takes keys of any length; an empty string would match no signature.
    .unwrap_or_default()
}

fn body_hash_matches(url: &str, body: &[u8]) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or_default();
    let named =
        url::form_urlencoded::parse(query.as_bytes()).find(|(name, value)| name == "bodySHA256" && !value.is_empty());
    named.is_some_and(|(_, expected)| hex::encode(Sha256::digest(body)).as_bytes().ct_eq(expected.as_bytes()).into())
}

/// The URL without its port, and with one: its own, else that of its scheme.
fn port_variants(url: &str) -> (String, String) {
    let Some((scheme, rest)) = url.split_once("://") else { return (url.to_owned(), url.to_owned()) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let port_at = authority.rfind(':').filter(|at| !authority.get(*at..).is_some_and(|port| port.contains(']')));
    match port_at {
        Some(at) => (format!("{scheme}://{}{tail}", authority.split_at(at).0), url.to_owned()),
        None => {
            let port = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
            (url.to_owned(), format!("{scheme}://{authority}:{port}{tail}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// The example of Twilio's documentation on webhook security.
    #[test]
    fn the_documented_example_is_accepted() {
        let pairs = form(&[
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]);
        let url = "https://mycompany.com/myapp.php?foo=1&bar=2";
        assert_eq!(sign("12345", Algorithm::HmacSha1, url, &pairs), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        assert!(accepts("12345", Algorithm::HmacSha1, url, Content::Form(&pairs), "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
        assert!(!accepts("12346", Algorithm::HmacSha1, url, Content::Form(&pairs), "RSOYDt4T1cUTdK1PDd93/VVr8B8="));
        assert!(!accepts("12345", Algorithm::HmacSha1, url, Content::Form(&pairs), ""));
    }

    #[test]
    fn order_and_repetition_of_fields_do_not_matter() {
        let once = sign("t", Algorithm::HmacSha1, "https://a/b", &form(&[("A", "1"), ("A", "2"), ("B", "3")]));
        assert_eq!(
            once,
            sign("t", Algorithm::HmacSha1, "https://a/b", &form(&[("B", "3"), ("A", "2"), ("A", "1"), ("A", "2")]))
        );
    }

    #[test]
    fn the_port_counts_both_ways() {
        for (called, signed) in [
            ("https://a.in/b", "https://a.in:443/b"),
            ("https://a.in:443/b", "https://a.in/b"),
            ("http://a.in/b", "http://a.in:80/b"),
            ("https://a.in:8443/b?c=d:e", "https://a.in/b?c=d:e"),
            ("https://a.in:8443/b", "https://a.in:8443/b"),
        ] {
            let signature = sign("t", Algorithm::HmacSha1, signed, &[]);
            assert!(
                accepts("t", Algorithm::HmacSha1, called, Content::Form(&[]), &signature),
                "{called} signed as {signed}"
            );
        }
        let elsewhere = sign("t", Algorithm::HmacSha1, "https://a.in:8444/b", &[]);
        assert!(!accepts("t", Algorithm::HmacSha1, "https://a.in/b", Content::Form(&[]), &elsewhere));
    }

    #[test]
    fn a_body_counts_only_with_its_hash_in_the_url() {
        let body = br#"{"a":1}"#;
        let url = format!("https://a/b?bodySHA256={}", hex::encode(Sha256::digest(body)));
        let signature = sign("t", Algorithm::HmacSha1, &url, &[]);
        assert!(accepts("t", Algorithm::HmacSha1, &url, Content::Body(body), &signature));
        assert!(!accepts("t", Algorithm::HmacSha1, &url, Content::Body(br#"{"a":2}"#), &signature));
        let bare = sign("t", Algorithm::HmacSha1, "https://a/b", &[]);
        assert!(!accepts("t", Algorithm::HmacSha1, "https://a/b", Content::Body(body), &bare));
    }

    #[test]
    fn the_settings_header_names_the_algorithm() {
        assert_eq!(Algorithm::of_header(None), Some(Algorithm::HmacSha1));
        assert_eq!(Algorithm::of_header(Some("key=k, algorithm=hmac_sha256")), Some(Algorithm::HmacSha256));
        assert_eq!(Algorithm::of_header(Some("algorithm=")), Some(Algorithm::HmacSha1));
        assert_eq!(Algorithm::of_header(Some("algorithm=none")), None);
    }
}
