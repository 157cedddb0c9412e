//! The sound of calls: what counts as one, how it comes to its case, and what is told when it never comes. A sound either
//! arrives with its event, or the event names it and a job fetches it from the provider.

use serde::{Deserialize, Serialize};

use super::notices::Post;
use super::{Hub, ServiceError, system};
use crate::domain::calendar::Timestamp;
use crate::domain::case::{Case, CaseEvent};
use crate::id::{AttachmentId, CaseId, JobId};
use crate::store::cases;
use crate::store::{StoreError, Tx, outbox};

/// The job that fetches a sound.
pub const FETCH_RECORDING: &str = "fetch_recording";

/// The largest sound that is taken, in octets: an hour from a browser's microphone.
pub const LARGEST_SOUND: usize = 20 * 1024 * 1024;

/// What the bytes of a sound say of themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Media type to serve it with.
    pub media_type: &'static str,
    /// Ending of its name.
    pub ending: &'static str,
}

/// What is to be fetched, and for which case: the payload of the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// The provider's name of the recording.
    pub recording: String,
    /// The case that it belongs to.
    pub case: CaseId,
}

/// Recognises a sound by its first bytes: what a sender claims is not asked. `None` for anything else.
#[must_use]
pub fn kind_of(content: &[u8]) -> Option<Kind> {
    let is = |at: usize, mark: &[u8]| content.get(at..).is_some_and(|rest| rest.starts_with(mark));
    let (media_type, ending) = if is(0, b"RIFF") && is(8, b"WAVE") {
        ("audio/wav", "wav")
    } else if is(0, &[0x1A, 0x45, 0xDF, 0xA3]) {
        ("audio/webm", "webm")
    } else if is(0, b"OggS") {
        ("audio/ogg", "ogg")
    } else if is(4, b"ftyp") {
        ("audio/mp4", "m4a")
    } else if is(0, b"ID3") || is(0, &[0xFF, 0xFB]) || is(0, &[0xFF, 0xF3]) {
        ("audio/mpeg", "mp3")
    } else {
        return None;
    };
    Some(Kind { media_type, ending })
}

/// The length of a WAV in whole seconds, rounded; `None` for other sounds, whose length their first bytes do not tell.
#[must_use]
pub fn seconds_of_wav(content: &[u8]) -> Option<u32> {
    let number =
        |at: usize| -> Option<u32> { Some(u32::from_le_bytes(content.get(at..at.checked_add(4)?)?.try_into().ok()?)) };
    let mut at = 12_usize;
    let mut octets_per_second = None;
    while let (Some(name), Some(size)) = (content.get(at..at.checked_add(4)?), number(at.checked_add(4)?)) {
        let body = at.checked_add(8)?;
        match name {
            b"fmt " => octets_per_second = number(body.checked_add(8)?).filter(|rate| *rate > 0),
            b"data" => {
                // A recorder that streams does not know the size when it writes it.
                let there = u32::try_from(content.len().saturating_sub(body)).unwrap_or(u32::MAX);
                let rate = octets_per_second?;
                return Some(size.min(there).saturating_add(rate / 2) / rate);
            }
            _ => {}
        }
        // Chunks begin at even places.
        at = body.checked_add(usize::try_from(size).ok()?)?.checked_add(usize::try_from(size % 2).ok()?)?;
    }
    None
}

/// Brings what was said on a call to its case: sounds that are here already at once, the others by a job. `names` are
/// the call's recordings.
///
/// # Errors
/// What the database says.
pub(crate) async fn bring(tx: &mut Tx, case: &Case, names: &[String], now: Timestamp) -> Result<(), StoreError> {
    for name in names {
        match name.parse::<AttachmentId>() {
            // Brought already, when an event is acted on again.
            Ok(here) => drop(cases::adopt_attachment(tx, &here, &case.id).await?),
            Err(_) => {
                let fetch = Fetch { recording: name.clone(), case: case.id.clone() };
                let payload = serde_json::to_string(&fetch).map_err(|_| StoreError::Corrupt { what: "fetch" })?;
                outbox::enqueue(tx, &JobId::generate(now.millis()), FETCH_RECORDING, &payload, now).await?;
            }
        }
    }
    Ok(())
}

/// Keeps a fetched sound beside its case, once.
///
/// # Errors
/// When disk or database do not take it.
pub async fn fetched(hub: &Hub, fetch: &Fetch, content: &[u8]) -> Result<(), ServiceError> {
    let now = hub.clock.now();
    let kind = kind_of(content).unwrap_or(Kind { media_type: "application/octet-stream", ending: "bin" });
    let name = format!("{}.{}", fetch.recording, kind.ending);
    let kept = hub.files.keep(&name, kind.media_type, content, Some(&fetch.case), now).await?;
    let stored = async {
        let mut tx = hub.store.write().await?;
        // A job that was killed after this runs again.
        let known = cases::attachments(&mut tx, &fetch.case).await?.iter().any(|a| a.name == name);
        if !known {
            cases::insert_attachment(&mut tx, &kept).await?;
            tx.commit().await?;
        }
        Ok::<_, StoreError>(!known)
    };
    let stored = stored.await;
    if !matches!(stored, Ok(true)) {
        hub.files.discard(&kept).await;
    }
    Ok(stored.map(drop)?)
}

/// Tells the history and the officer that a sound will not come.
///
/// # Errors
/// What the database says.
pub async fn lost(tx: &mut Tx, hub: &Hub, fetch: &Fetch, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let Some(case) = cases::by_id(tx, &fetch.case).await? else { return Ok(()) };
    let case = Case { version: case.version + 1, ..case };
    cases::update(tx, &case).await?;
    let event = CaseEvent::SoundLost { why: why.to_owned() };
    cases::append(tx, &case.id, case.version, now, &system(), &event).await?;
    Post { tx, links: &hub.links, now }.sound_lost(&case, why).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(rate: u32, data: usize) -> Vec<u8> {
        let mut sound = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x06\0\x01\0".to_vec();
        sound.extend(rate.to_le_bytes());
        sound.extend(rate.to_le_bytes());
        sound.extend([1, 0, 8, 0]);
        sound.extend(b"LIST\x03\0\0\0abc\0");
        sound.extend(b"data");
        sound.extend(u32::try_from(data).unwrap().to_le_bytes());
        sound.resize(sound.len() + data, 0xD5);
        sound
    }

    #[test]
    fn a_sound_is_known_by_its_bytes_alone() {
        assert_eq!(kind_of(&wav(8_000, 10)).unwrap().media_type, "audio/wav");
        assert_eq!(kind_of(b"OggS\0\x02").unwrap().ending, "ogg");
        assert_eq!(kind_of(b"\0\0\0\x20ftypM4A ").unwrap().ending, "m4a");
        for other in [b"<script>alert(1)</script>".as_slice(), b"", b"RIFF\0\0\0\0AVI ", b"PK\x03\x04", b"GIF89a"] {
            assert_eq!(kind_of(other), None);
        }
    }

    #[test]
    fn the_length_of_a_wav_is_read_and_nothing_else_is_believed() {
        assert_eq!(seconds_of_wav(&wav(8_000, 80_000)), Some(10));
        assert_eq!(seconds_of_wav(&wav(8_000, 3_000)), Some(0), "a slip of the finger");
        assert_eq!(seconds_of_wav(&wav(0, 3_000)), None);
        let mut streamed = wav(8_000, 16_000);
        let size = streamed.len() - 16_000 - 4;
        streamed[size..size + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(seconds_of_wav(&streamed), Some(2));
        for cut in 0..60 {
            let _no_panic = seconds_of_wav(&wav(8_000, 80)[..cut]);
        }
    }
}
