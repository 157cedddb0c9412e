//! Session descriptions: what a client offers or answers, read into [`Remote`] and [`Section`]s; what we answer or offer, written from them.
//!
//! Pure functions from text to values and back; nothing here keeps state or knows a socket.
//!
//! * `text`: lines, attributes, media sections; no meaning. `codec`: which codecs and header extensions we have in common with a section.
//! * [`read_offer`] / [`write_answer`]: publish connections, WHIP (RFC 9725) and WHEP. [`write_offer`] / [`read_answer`]: subscribe connections.
//! * `fragment`: trickle and ICE restarts of WHIP and WHEP sessions (RFC 8840), whose offers [`standing`] judges and keeps.
//!
//! What every description of ours says: ICE-lite (RFC 8445 section 2.5), one transport for all sections (BUNDLE, RFC 9143; rtcp-mux), DTLS with us as the server
//! (RFC 8842), SHA-256 fingerprints (RFC 8122), no candidates of the client needed. Directions are the intersection of both sides' wishes (RFC 3264 section 6.1).

mod codec;
mod fragment;
mod read;
pub(crate) mod standing;
#[cfg(test)]
mod tests;
mod text;
mod write;

#[cfg(test)]
pub(crate) use read::Answer;
pub(crate) use read::{Offer, read_answer, read_offer};
pub(crate) use write::{write_answer, write_offer};

use super::Codec;
use crate::message::Kind;

/// The longest description that is read, in bytes. A browser's answer for a wall of 120 pictures is about 200 KB.
pub(crate) const MAX_TEXT_BYTES: usize = 256 * 1024;
/// The most media sections of one description that is read.
pub(crate) const MAX_SECTIONS: usize = 256;
/// The most slots of one subscribe connection: Firefox keeps no more than 128 sections in a bundle and drops the rest without a word.
pub(crate) const MAX_SLOTS: usize = 128;
/// The most payload types of one section. Chromium offers 34.
pub(crate) const MAX_FORMATS: usize = 64;
/// The most header extensions of one section. Chromium offers 13, and has 18.
pub(crate) const MAX_EXTENSIONS: usize = 32;
/// The most simulcast layers that we take of one section; more are not asked for.
pub(crate) const MAX_LAYERS: usize = 3;
/// The most SSRCs of one section that are remembered; more are ignored.
pub(crate) const MAX_SSRCS: usize = 8;

/// The canonical name (RFC 7022) of all streams of ours, here and in sender reports. It is one for a connection, because a browser keeps sound and picture of one
/// msid in step only when both carry the same; and one for all connections, because no client ever meets two.
pub(crate) const CNAME: &str = "hub";

/// Why a description was not taken; for the log and for the body of a WHIP or WHEP refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SdpError {
    #[error("the description is longer than {MAX_TEXT_BYTES} bytes")]
    TooLong,
    #[error("the description has no media section")]
    NoSections,
    #[error("the description has more than {MAX_SECTIONS} media sections")]
    TooManySections,
    #[error("media section {0} has more than {MAX_FORMATS} payload types")]
    TooManyFormats(usize),
    #[error("media section {0} has more than {MAX_EXTENSIONS} header extensions")]
    TooManyExtensions(usize),
    #[error("the m= line of media section {0} cannot be read")]
    BadSection(usize),
    #[error("media section {0} has no usable mid")]
    BadMid(usize),
    #[error("two media sections have the same mid")]
    RepeatedMid,
    #[error("the sections are not bundled, and we have one transport for all (RFC 9143)")]
    NotBundled,
    #[error("the description has no usable ICE user fragment and password (RFC 8839)")]
    NoCredentials,
    #[error("the description has no usable SHA-256 fingerprint (RFC 8122)")]
    NoFingerprint,
    #[error("the client wants to be the DTLS server, and so do we: it has to offer setup actpass or active (RFC 8842)")]
    ClientIsDtlsServer,
    #[error("the client has to answer setup active (RFC 8842)")]
    AnswerNotActive,
    #[error("the client is ICE-lite as we are, so that nobody would check the path (RFC 8445)")]
    BothLite,
    #[error("the answer has {found} media sections where {offered} were offered (RFC 3264)")]
    OtherSections { found: usize, offered: usize },
    #[error("media section {0} of the answer is not the one that was offered there")]
    OtherSection(usize),
}

/// A section that we send on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub mid: String,
    pub kind: Kind,
    /// The name of the stream (RFC 8830) that sound and picture share; a token of at most 64 characters.
    pub msid: String,
    pub ssrc: u32,
    /// Without one no retransmission format is offered, and none announced.
    pub rtx_ssrc: Option<u32>,
    pub active: bool,
}

/// What a client's description says of its transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remote {
    pub ufrag: String,
    pub pwd: String,
    /// SHA-256 of the certificate that the client will show.
    pub fingerprint: Vec<u8>,
}

/// What a description of ours says of our transport.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Local<'a> {
    pub ufrag: &'a str,
    pub pwd: &'a str,
    /// As it stands in SDP: `sha-256 AB:CD:…`.
    pub fingerprint: &'a str,
    /// `candidate:…` lines without `a=`.
    pub candidates: &'a [String],
}

/// Header extensions that we read or write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Extension {
    /// RFC 6464.
    AudioLevel,
    /// RFC 9143.
    Mid,
    /// RFC 8852.
    Rid,
    /// RFC 8852, on retransmissions.
    RepairedRid,
    /// draft-holmer-rmcat-transport-wide-cc-extensions.
    TransportCc,
}

/// One codec of a section as it was negotiated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodecEntry {
    pub payload_type: u8,
    pub codec: Codec,
    /// The payload type of its retransmissions (RFC 4588).
    pub rtx: Option<u8>,
}

/// One media section as both sides agreed on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub mid: String,
    /// The second picture section of a client is its screen.
    pub kind: Kind,
    /// The client sends on it.
    pub sends: bool,
    /// The client takes what we send on it.
    pub takes: bool,
    /// Best first; empty when the section was refused.
    pub codecs: Vec<CodecEntry>,
    /// Extension ids on the wire.
    pub extensions: Vec<(u8, Extension)>,
    /// Simulcast layers that the client sends (or will, while it pauses), in the order of its description; empty without simulcast.
    pub rids: Vec<String>,
    /// SSRCs that the client announces (not with simulcast), and (retransmission, media) pairs of them.
    pub ssrcs: Vec<u32>,
    pub rtx_ssrcs: Vec<(u32, u32)>,
}

impl Section {
    pub fn extension(&self, wanted: Extension) -> Option<u8> {
        self.extensions.iter().find(|(_, extension)| *extension == wanted).map(|(id, _)| *id)
    }
}
