//! The manifest: one JSON line for each thing that was written or happened, chained by SHA-256.
//!
//! A line ends in `,"hash":"…"}`. The hash is SHA-256 over the line's bytes before that, closed with `}`; `prev`, inside, is the hash of the
//! line before (64 zeros in the first). So anybody can check the chain with a text editor and `sha256sum`, in any language, without
//! agreeing on how JSON is written. Media data is on the disk before its line is; only a rewritten file header follows its line, so that a
//! killed process leaves a header that one of the last two header lines describes.

use crate::message::Kind;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The file's name in the recording's folder.
pub(crate) const FILE: &str = "manifest.jsonl";
/// The manifest's own format.
pub(crate) const FORMAT: u32 = 1;
const HASH_MARK: &str = ",\"hash\":\"";

/// One line, without its hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub seq: u64,
    /// Epoch milliseconds UTC.
    pub at: i64,
    #[serde(flatten)]
    pub body: Body,
    pub prev: String,
}

/// What a line tells. Offsets and lengths are bytes; `from_ms` and `to_ms` count from the recording's start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Body {
    /// The recording began. Always the first line.
    Open { format: u32, room: String, meta: serde_json::Value },
    /// The first bytes of a file. A later one for the same file supersedes it.
    Header {
        file: String,
        member: String,
        /// What is in it by now: sound, camera, screen.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        kinds: Vec<Kind>,
        offset: u64,
        length: u64,
        sha256: String,
    },
    /// Bytes were appended to a file, directly behind what was there.
    Segment { file: String, offset: u64, length: u64, sha256: String, from_ms: u64, to_ms: u64 },
    /// Something happened: presence, session, trouble with the disk.
    Event { data: serde_json::Value },
    /// A file is complete (then `file`, its length and its own hash are told), or the recording is.
    Close {
        #[serde(skip_serializing_if = "Option::is_none", default)]
        file: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        length: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        sha256: Option<String>,
    },
}

/// The chain's end: what the next line needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub seq: u64,
    pub hash: String,
    /// The manifest's length in bytes.
    pub length: u64,
}

impl Default for Head {
    fn default() -> Self {
        Self { seq: 0, hash: "0".repeat(64), length: 0 }
    }
}

impl Head {
    /// The next line's text, with its line feed, and the head after it.
    pub fn next(&self, at: i64, body: Body) -> Result<(String, Self), serde_json::Error> {
        let line = Line { seq: self.seq, at, body, prev: self.hash.clone() };
        let bare = serde_json::to_string(&line)?;
        let hash = sha256(bare.as_bytes());
        let open = bare.strip_suffix('}').unwrap_or(&bare);
        let text = format!("{open}{HASH_MARK}{hash}\"}}\n");
        let length = self.length + text.len() as u64;
        Ok((text, Self { seq: self.seq + 1, hash, length }))
    }
}

/// What is wrong with a line's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LineError {
    #[error("it is not a line of this format")]
    Unreadable,
    #[error("its hash does not fit its text")]
    Hash,
}

/// Reads a line (without line feed) and checks its own hash. Answers the line and the hash.
pub(crate) fn read(text: &str) -> Result<(Line, String), LineError> {
    let (open, rest) = text.rsplit_once(HASH_MARK).ok_or(LineError::Unreadable)?;
    let hash = rest.strip_suffix("\"}").ok_or(LineError::Unreadable)?;
    let bare = format!("{open}}}");
    if sha256(bare.as_bytes()) != hash {
        return Err(LineError::Hash);
    }
    let line = serde_json::from_str(&bare).map_err(|_| LineError::Unreadable)?;
    Ok((line, hash.to_owned()))
}

/// SHA-256 in lower-case hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_chain_and_read_back() {
        let event = |n: u32| Body::Event { data: serde_json::json!({"event": "x", "text": "a,\"hash\":\"b", "n": n}) };
        let (first, head) = Head::default().next(7, event(1)).unwrap();
        let (second, head) = head.next(8, event(2)).unwrap();
        let (line, hash) = read(first.trim_end()).unwrap();
        assert_eq!((line.seq, line.at, line.prev.as_str()), (0, 7, "0".repeat(64).as_str()));
        let (line, last) = read(second.trim_end()).unwrap();
        assert_eq!((line.seq, line.prev, line.body), (1, hash, event(2)));
        assert_eq!(head, Head { seq: 2, hash: last, length: (first.len() + second.len()) as u64 });
        let changed = second.replace("\"n\":2", "\"n\":3");
        assert_eq!(read(changed.trim_end()), Err(LineError::Hash));
        assert_eq!(read("{}"), Err(LineError::Unreadable));
    }
}
