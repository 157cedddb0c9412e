//! Links that carry their own permission: to follow a case, to join a hearing. Signed with HMAC-SHA-256 under a key that
//! only the hub can read; each purpose signs under its own name, so that one link never opens another door.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use rand::TryRngCore as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::Path;

use crate::domain::presence::Part;
use crate::id::{CaseId, HearingId};
use crate::time::Timestamp;

/// Octets of a signature in a link: 128 bits are beyond guessing and short enough for a text message.
const SIGNATURE_OCTETS: usize = 16;
const KEY_OCTETS: usize = 32;

/// Signs and checks links, under the address that people reach the hub by.
pub struct Links {
    key: [u8; KEY_OCTETS],
    /// `https://host`, without a slash at the end.
    pub public_url: String,
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

/// Permission to enter a media room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinToken {
    /// The room.
    pub room: String,
    /// Who this is inside the room; the same person keeps the same name of a member.
    pub member: String,
    /// Name as shown.
    pub name: String,
    /// Their part.
    pub part: Part,
    /// Not valid after this moment.
    pub until: Timestamp,
}

impl Links {
    /// Opens the key file, made when missing and readable by its owner alone.
    ///
    /// # Errors
    /// When the file can neither be read nor written.
    pub fn open(key_file: &Path, public_url: &str) -> std::io::Result<Self> {
        let key = match std::fs::read(key_file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_key(key_file)?,
            Err(error) => return Err(error),
        };
        let key = key.try_into().map_err(|_| {
            std::io::Error::new(std::io::ErrorKind::InvalidData, "the key file does not hold 32 octets")
        })?;
        Ok(Self { key, public_url: public_url.trim_end_matches('/').to_owned() })
    }

    /// The address of a page.
    #[must_use]
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// Permission to follow a case and add to it.
    #[must_use]
    pub fn track_key(&self, case: &CaseId) -> String {
        self.sign("track", case.as_str())
    }

    /// Whether a key opens a case.
    #[must_use]
    pub fn opens_case(&self, case: &CaseId, key: &str) -> bool {
        same(&self.track_key(case), key)
    }

    /// The address under which the unit follows its case.
    #[must_use]
    pub fn track(&self, number: crate::domain::number::CaseNumber, case: &CaseId) -> String {
        self.page(&format!("/track/{number}?k={}", self.track_key(case)))
    }

    /// Permission of somebody without an account to come to a hearing with a part.
    #[must_use]
    pub fn hearing_key(&self, hearing: &HearingId, part: Part) -> String {
        format!("{}.{}", part.code(), self.sign("hearing", &format!("{hearing} {}", part.code())))
    }

    /// The part that a key gives in a hearing.
    #[must_use]
    pub fn hearing_part(&self, hearing: &HearingId, key: &str) -> Option<Part> {
        let part = Part::from_code(key.split_once('.')?.0)?;
        same(&self.hearing_key(hearing, part), key).then_some(part)
    }

    /// The address under which somebody without an account comes to a hearing.
    #[must_use]
    pub fn hearing(&self, hearing: &HearingId, part: Part) -> String {
        self.page(&format!("/hearings/{hearing}?k={}", self.hearing_key(hearing, part)))
    }

    /// Writes a token to join a room.
    #[must_use]
    pub fn join_token(&self, token: &JoinToken) -> String {
        let body = URL_SAFE_NO_PAD.encode(serde_json::to_vec(token).unwrap_or_default());
        let signature = self.sign("join", &body);
        format!("{body}.{signature}")
    }

    /// Reads a token to join `room`: the signature first, its meaning only then.
    #[must_use]
    pub fn read_join_token(&self, text: &str, room: &str, now: Timestamp) -> Option<JoinToken> {
        let (body, signature) = text.split_once('.')?;
        if !same(&self.sign("join", body), signature) {
            return None;
        }
        let token: JoinToken = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()?;
        (token.room == room && now <= token.until).then_some(token)
    }

    fn sign(&self, purpose: &str, what: &str) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key of 32 octets");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(what.as_bytes());
        let digest = mac.finalize().into_bytes();
        URL_SAFE_NO_PAD.encode(digest.get(..SIGNATURE_OCTETS).unwrap_or_default())
    }
}

fn same(one: &str, other: &str) -> bool {
    subtle::ConstantTimeEq::ct_eq(one.as_bytes(), other.as_bytes()).into()
}

/// So many random octets from the operating system, as text for an address.
///
/// # Errors
/// When the operating system has none to give.
pub fn random_token() -> std::io::Result<String> {
    let mut octets = [0; KEY_OCTETS];
    rand::rngs::OsRng.try_fill_bytes(&mut octets).map_err(std::io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(octets))
}

/// The SHA-256 of a token, which is all that is stored of it.
#[must_use]
pub fn token_hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

fn make_key(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut key = vec![0; KEY_OCTETS];
    rand::rngs::OsRng.try_fill_bytes(&mut key).map_err(std::io::Error::other)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&key)?;
    file.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        Links { key: [7; KEY_OCTETS], public_url: "https://hub.example".to_owned() }
    }

    fn token(until: i64) -> JoinToken {
        JoinToken {
            room: "hearing-1".to_owned(),
            member: "party".to_owned(),
            name: "Asha".to_owned(),
            part: Part::Party,
            until: Timestamp::from_millis(until),
        }
    }

    #[test]
    fn a_token_opens_its_room_in_its_time_and_nothing_else() {
        let links = links();
        let text = links.join_token(&token(1_000));
        let at = Timestamp::from_millis;
        assert_eq!(links.read_join_token(&text, "hearing-1", at(1_000)), Some(token(1_000)));
        assert_eq!(links.read_join_token(&text, "hearing-1", at(1_001)), None, "expired");
        assert_eq!(links.read_join_token(&text, "hearing-2", at(0)), None, "another room");
        let other = Links { key: [8; KEY_OCTETS], ..self::links() };
        assert_eq!(other.read_join_token(&text, "hearing-1", at(0)), None, "another key");
        for forged in ["", ".", "e30.AAAA", &text[..text.len() - 1], &format!("{text}x")] {
            assert_eq!(links.read_join_token(forged, "hearing-1", at(0)), None, "{forged}");
        }
    }

    #[test]
    fn a_partys_key_is_no_observers_key_and_no_case_key() {
        let links = links();
        let hearing = HearingId::generate(1);
        let key = links.hearing_key(&hearing, Part::Party);
        assert_eq!(links.hearing_part(&hearing, &key), Some(Part::Party));
        assert_eq!(links.hearing_part(&HearingId::generate(2), &key), None);
        assert_eq!(links.hearing_part(&hearing, &key.replace("party", "observer")), None);
        assert!(!links.opens_case(&CaseId::generate(1), &key));
    }

    #[test]
    fn the_key_file_is_made_once_and_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys/link.key");
        let first = Links::open(&path, "https://hub.example/").unwrap();
        let second = Links::open(&path, "https://hub.example").unwrap();
        assert_eq!(first.key, second.key);
        assert_eq!(first.public_url, "https://hub.example");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
