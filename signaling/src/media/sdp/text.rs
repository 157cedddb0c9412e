//! The text of a description as lines: session part, media sections, attributes. No meaning beyond RFC 8866's grammar.

use super::{MAX_FORMATS, MAX_SECTIONS, MAX_TEXT_BYTES, SdpError};
use std::str::FromStr;

/// A description taken apart; borrows the text, and takes at most eleven bytes for each byte of it.
#[derive(Debug, Default)]
pub(super) struct Description<'a> {
    /// Number and version of the session (the `o=` line), when both are numbers.
    pub origin: Option<(u64, u64)>,
    pub session: Attributes<'a>,
    pub media: Vec<Media<'a>>,
}

/// One `m=` line with what follows it.
#[derive(Debug, Default)]
pub(super) struct Media<'a> {
    /// `audio`, `video`, `application`.
    pub kind: &'a str,
    pub port: u16,
    pub protocol: &'a str,
    pub formats: Vec<&'a str>,
    pub attributes: Attributes<'a>,
}

/// `a=` lines in their order, without `a=`.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Attributes<'a> {
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| *found == name)
    }

    /// The first value of this name.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.values(name).next()
    }

    pub fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(found, _)| *found == name).map(|(_, value)| *value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().copied()
    }
}

impl<'a> Description<'a> {
    /// # Errors
    /// Too long, no or too many sections, an `m=` line that cannot be read.
    pub fn read(text: &'a str) -> Result<Self, SdpError> {
        let description = Self::read_lines(text)?;
        if description.media.is_empty() {
            return Err(SdpError::NoSections);
        }
        Ok(description)
    }

    /// The same without the need for a section: fragments may have none.
    pub fn read_lines(text: &'a str) -> Result<Self, SdpError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(SdpError::TooLong);
        }
        let mut description = Self::default();
        // A lone carriage return ends a line for some readers and not for others: what we repeat must not hide one.
        for line in text.split(['\r', '\n']) {
            let line = line.trim_end();
            if let Some(attribute) = line.strip_prefix("a=") {
                let attribute = attribute.split_once(':').unwrap_or((attribute, ""));
                let attributes = match description.media.last_mut() {
                    Some(media) => &mut media.attributes,
                    None => &mut description.session,
                };
                attributes.0.push(attribute);
            } else if let Some(media) = line.strip_prefix("m=") {
                let index = description.media.len();
                if index == MAX_SECTIONS {
                    return Err(SdpError::TooManySections);
                }
                description.media.push(Media::read(media, index)?);
            } else if let Some(origin) = line.strip_prefix("o=") {
                description.origin = read_origin(origin);
            }
        }
        Ok(description)
    }
}

impl<'a> Media<'a> {
    /// `video 9 UDP/TLS/RTP/SAVPF 96 97`.
    fn read(line: &'a str, index: usize) -> Result<Self, SdpError> {
        let mut words = line.split_ascii_whitespace();
        let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next()) else {
            return Err(SdpError::BadSection(index));
        };
        // `9/2` counts ports; we need none of them, only to know a refusal.
        let port = port.split('/').next().and_then(number).ok_or(SdpError::BadSection(index))?;
        let formats: Vec<_> = words.take(MAX_FORMATS + 1).collect();
        if formats.len() > MAX_FORMATS {
            return Err(SdpError::TooManyFormats(index));
        }
        if !is_token(kind) || !protocol.split('/').all(is_token) || formats.is_empty() {
            return Err(SdpError::BadSection(index));
        }
        Ok(Self { kind, port, protocol, formats, attributes: Attributes::default() })
    }

    /// Port 0, unless the section only waits for its bundle (RFC 9143 section 6).
    pub fn is_refused(&self) -> bool {
        self.port == 0 && !self.attributes.has("bundle-only")
    }

    /// RTP under DTLS, in all the names of RFC 8829 section 5.1.3.
    pub fn is_rtp(&self) -> bool {
        let mut parts = self.protocol.rsplit('/');
        matches!(parts.next(), Some("SAVPF" | "SAVP" | "AVPF" | "AVP")) && parts.next() == Some("RTP")
    }
}

/// `- 8875525576365992988 2 IN IP4 127.0.0.1`.
fn read_origin(line: &str) -> Option<(u64, u64)> {
    let mut words = line.split_ascii_whitespace().skip(1);
    Some((number(words.next()?)?, number(words.next()?)?))
}

/// A number as it is written again: no sign, no zeros in front.
pub(super) fn number<T: FromStr>(text: &str) -> Option<T> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

/// RFC 8866 section 9, and no longer than anybody needs.
pub(super) fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// The value of one parameter in `a=1;b=2`, names without regard to case.
pub(super) fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    parameters
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| found.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}
