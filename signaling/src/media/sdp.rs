//! Session descriptions: what a client offers or answers, read into [`Remote`] and [`Section`]s; what we answer or offer, written from them.

use super::Codec;
use crate::message::Kind;

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
    /// Simulcast layers that the client sends, in the order of its description; empty without simulcast.
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
