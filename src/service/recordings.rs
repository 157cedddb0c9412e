//! Recordings as people reach them: what there is, the files, and whether they are what was recorded.

use std::path::PathBuf;

use signaling::message::Kind;
use signaling::recording::FileReport;

use super::{Hub, ServiceError, hearings};
use crate::domain::policy::{Act, Actor};
use crate::id::{HearingId, RecordingId};
use crate::store::recordings::{self as store, Recording};

/// A file of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFile {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Octets.
    pub size: u64,
}

/// What the manifest tells of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedFile {
    /// Its name.
    pub name: String,
    /// The member whose it is.
    pub member: String,
    /// Holds the member's shared screen.
    pub is_screen: bool,
    /// There is something to see. Manifests of older recordings do not tell; then there may be.
    pub has_picture: bool,
}

/// Whether a recording is what was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every segment fits its hash, every line its chain.
    Whole {
        /// Last hash of the chain.
        head: String,
        /// Number of segments in all files.
        segments: u64,
        /// Whether it was closed; else the process ended during it, and all that was written is whole.
        complete: bool,
        /// Each file.
        files: Vec<CheckedFile>,
    },
    /// The first broken link.
    Broken {
        /// What it is.
        link: String,
    },
}

/// The recordings of a hearing with their files.
///
/// # Errors
/// [`ServiceError::NotFound`] also where the person may not read the case.
pub async fn of_hearing(
    hub: &Hub,
    actor: &Actor,
    hearing: &HearingId,
) -> Result<Vec<(Recording, Vec<RecordedFile>)>, ServiceError> {
    let file = hearings::read(hub, actor, hearing).await?;
    let mut listed = Vec::new();
    for recording in file.recordings {
        let files = files(hub, &recording).await?;
        listed.push((recording, files));
    }
    Ok(listed)
}

/// Where a file of a recording lies, and its media type.
///
/// # Errors
/// [`ServiceError::NotFound`] also where the person may not read the case.
pub async fn file(
    hub: &Hub,
    actor: &Actor,
    id: &RecordingId,
    name: &str,
) -> Result<(PathBuf, &'static str), ServiceError> {
    let recording = readable(hub, actor, id).await?;
    // Only names that the folder itself lists: nothing of a request becomes a path.
    let known = files(hub, &recording).await?.into_iter().find(|f| f.name == name).ok_or(ServiceError::NotFound)?;
    Ok((hub.files.full(&recording.folder).join(&known.name), known.media_type))
}

/// Checks a recording against its hashes, and its last hash against the one in the database.
///
/// # Errors
/// [`ServiceError::NotFound`] also where the person may not read the case.
pub async fn verify(hub: &Hub, actor: &Actor, id: &RecordingId) -> Result<Verdict, ServiceError> {
    let recording = readable(hub, actor, id).await?;
    let folder = hub.files.full(&recording.folder);
    let checked = tokio::task::spawn_blocking(move || signaling::recording::verify(&folder)).await;
    Ok(match checked {
        Ok(Ok(report)) => match recording.head {
            Some(head) if !head.is_empty() && head != report.head => {
                Verdict::Broken { link: "the last hash is not the one that was stored at the end".to_owned() }
            }
            _ => Verdict::Whole {
                segments: report.files.iter().map(|f| f.segments).sum(),
                complete: report.complete,
                files: report.files.into_iter().map(CheckedFile::from).collect(),
                head: report.head,
            },
        },
        Ok(Err(error)) => Verdict::Broken { link: error.to_string() },
        Err(error) => Verdict::Broken { link: error.to_string() },
    })
}

impl From<FileReport> for CheckedFile {
    fn from(file: FileReport) -> Self {
        let is_screen = file.kinds.contains(&Kind::Screen);
        let has_picture = is_screen || file.kinds.is_empty() || file.kinds.contains(&Kind::Video);
        Self { name: file.name, member: file.member, is_screen, has_picture }
    }
}

async fn readable(hub: &Hub, actor: &Actor, id: &RecordingId) -> Result<Recording, ServiceError> {
    let mut tx = hub.store.read().await?;
    let recording = store::by_id(&mut tx, id).await?.ok_or(ServiceError::NotFound)?;
    let (_, case) = hearings::load(&mut tx, &recording.hearing).await?;
    if actor.may(Act::Read, &case) { Ok(recording) } else { Err(ServiceError::NotFound) }
}

/// The files of a recording's folder, by name.
async fn files(hub: &Hub, recording: &Recording) -> Result<Vec<RecordedFile>, ServiceError> {
    let mut found = Vec::new();
    let mut folder = match tokio::fs::read_dir(hub.files.full(&recording.folder)).await {
        Ok(folder) => folder,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error.into()),
    };
    while let Some(entry) = folder.next_entry().await? {
        let name = entry.file_name().to_string_lossy().into_owned();
        let media_type = match name.rsplit_once('.').map(|(_, ending)| ending) {
            Some("webm") => "video/webm",
            Some("mkv") => "video/x-matroska",
            Some("jsonl") => "application/jsonl",
            _ => continue,
        };
        found.push(RecordedFile { size: entry.metadata().await?.len(), name, media_type });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}
