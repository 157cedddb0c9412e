//! Checks a recording's folder against its manifest, offline, and names the first link that is broken.
//!
//! What a killed process or a power cut leaves behind (half a line at the manifest's end, bytes behind a file's last segment, a header
//! that was about to be written again) is a *tail*: told, and no error, because nothing in it was ever confirmed.

use super::manifest::{self, Body, FORMAT, Line};
use crate::message::Kind;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// A folder that verifies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The room that was recorded.
    pub room: String,
    /// When it began, epoch milliseconds.
    pub started_at: i64,
    /// What the hub said of the recording at its start.
    pub meta: serde_json::Value,
    /// The recording was finished in order. Else it ends where it was cut off.
    pub complete: bool,
    /// Lines in the manifest.
    pub lines: u64,
    /// The hash of the last line. Compare it with the one that was kept elsewhere.
    pub head: String,
    /// Event lines.
    pub events: u64,
    /// The last media in any file, in milliseconds from the start.
    pub end_ms: u64,
    /// Each file in the manifest.
    pub files: Vec<FileReport>,
    /// What was never confirmed, in words.
    pub tail: Vec<String>,
    /// Files in the folder that the manifest does not know.
    pub unlisted: Vec<String>,
}

/// A file that verifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileReport {
    /// In the folder.
    pub name: String,
    /// Whose.
    pub member: String,
    /// Sound, camera or screen; none in manifests from before this was told.
    pub kinds: Vec<Kind>,
    /// Bytes that the manifest covers.
    pub bytes: u64,
    /// Bytes behind them.
    pub tail_bytes: u64,
    /// Segments checked.
    pub segments: u64,
    /// The file was finished.
    pub closed: bool,
    /// SHA-256 of the whole file, when it was finished.
    pub sha256: Option<String>,
}

/// Why a folder does not verify.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// There is no manifest, or something cannot be read.
    #[error("{}: {error}", path.display())]
    Io {
        /// What was to be read.
        path: PathBuf,
        /// Why it was not.
        error: io::Error,
    },
    /// The first broken link.
    #[error("line {line} of the manifest{}: {what}", file.as_ref().map(|f| format!(" ({f})")).unwrap_or_default())]
    Broken {
        /// Counted from 1.
        line: u64,
        /// The file that the line tells of.
        file: Option<String>,
        /// What is wrong.
        what: String,
    },
}

/// Checks a folder. Reads every byte of it.
///
/// # Errors
/// When something cannot be read, or the first thing that does not fit the manifest.
pub fn verify(folder: &Path) -> Result<Report, VerifyError> {
    let path = folder.join(manifest::FILE);
    let bytes = fs::read(&path).map_err(|error| VerifyError::Io { path, error })?;
    let chain = read_chain(&bytes);
    let chain_is_broken = chain.broken.is_some();
    let mut check =
        Check { folder, files: BTreeMap::new(), handles: BTreeMap::new(), tail: chain.tail, chain_is_broken };
    let mut report = Report {
        room: String::new(),
        started_at: 0,
        meta: serde_json::Value::Null,
        complete: false,
        lines: chain.lines.len() as u64,
        head: chain.head,
        events: 0,
        end_ms: 0,
        files: Vec::new(),
        tail: Vec::new(),
        unlisted: Vec::new(),
    };
    for (index, line) in chain.lines.iter().enumerate() {
        let number = index as u64 + 1;
        let later = chain.lines.get(index + 1..).unwrap_or_default();
        if report.complete {
            return Err(broken(number, None, "it stands behind the recording's end"));
        }
        match &line.body {
            Body::Open { format, room, meta } => {
                if index != 0 || *format != FORMAT {
                    return Err(broken(number, None, "it is not the beginning of a recording that we know"));
                }
                report.room.clone_from(room);
                report.started_at = line.at;
                report.meta = meta.clone();
            }
            _ if index == 0 => return Err(broken(number, None, "the first line is not the recording's beginning")),
            Body::Event { .. } => report.events += 1,
            Body::Header { file, member, kinds, length, sha256, .. } => {
                check.header(number, (file, member, kinds), *length, sha256, later)?;
            }
            Body::Segment { file, offset, length, sha256, to_ms, .. } => {
                check.segment(number, file, (*offset, *length), sha256)?;
                report.end_ms = report.end_ms.max(*to_ms);
            }
            Body::Close { file: Some(file), length, sha256 } => {
                check.close(number, file, *length, sha256.as_deref())?
            }
            Body::Close { file: None, .. } => report.complete = true,
        }
    }
    if let Some((number, what)) = chain.broken {
        return Err(broken(number, None, what));
    }
    if chain.lines.is_empty() {
        return Err(broken(1, None, "the manifest is empty"));
    }
    check.finish(&mut report)?;
    Ok(report)
}

struct Chain {
    lines: Vec<Line>,
    head: String,
    broken: Option<(u64, String)>,
    tail: Vec<String>,
}

/// Reads lines as far as the chain holds.
fn read_chain(bytes: &[u8]) -> Chain {
    let head = "0".repeat(64);
    let mut chain = Chain { lines: Vec::new(), head, broken: None, tail: Vec::new() };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    if whole < bytes.len() {
        chain.tail.push(format!("{}: {} bytes of an unfinished line", manifest::FILE, bytes.len() - whole));
    }
    let lines = bytes.get(..whole).unwrap_or_default().split_inclusive(|byte| *byte == b'\n');
    for (index, text) in lines.enumerate() {
        let number = index as u64;
        let text = std::str::from_utf8(text).unwrap_or_default().trim_end_matches('\n');
        let what = match manifest::read(text) {
            Err(error) => error.to_string(),
            Ok((line, _)) if line.seq != number => {
                format!("it says it is line {}: a line is missing or moved", line.seq + 1)
            }
            Ok((line, _)) if line.prev != chain.head => "it does not follow the line before it".to_owned(),
            Ok((line, hash)) => {
                chain.lines.push(line);
                chain.head = hash;
                continue;
            }
        };
        chain.broken = Some((number + 1, what));
        break;
    }
    chain
}

struct Check<'a> {
    folder: &'a Path,
    files: BTreeMap<String, FileReport>,
    handles: BTreeMap<String, File>,
    tail: Vec<String>,
    chain_is_broken: bool,
}

impl Check<'_> {
    fn header(
        &mut self,
        number: u64,
        (file, member, kinds): (&str, &str, &[Kind]),
        length: u64,
        sha256: &str,
        later: &[Line],
    ) -> Result<(), VerifyError> {
        if file.contains(['/', '\\']) || file.starts_with('.') {
            return Err(broken(number, Some(file), "that is no file of this folder"));
        }
        let is_first = !self.files.contains_key(file);
        let report = self.files.entry(file.to_owned()).or_insert_with(|| FileReport {
            name: file.to_owned(),
            member: member.to_owned(),
            kinds: Vec::new(),
            bytes: length,
            tail_bytes: 0,
            segments: 0,
            closed: false,
            sha256: None,
        });
        report.kinds = kinds.to_vec();
        let segments = report.segments;
        let of_this = |body: &Body| match body {
            Body::Header { file: other, .. } | Body::Segment { file: other, .. } => other == file,
            Body::Close { file: other, .. } => other.as_deref() == Some(file),
            Body::Open { .. } | Body::Event { .. } => false,
        };
        // Of a file's headers only the last stands in the file; behind a broken link there may be one that we do not read.
        let superseded = self.chain_is_broken
            || later.iter().any(|line| matches!(line.body, Body::Header { .. }) && of_this(&line.body));
        let found = self.hash(number, file, 0, length);
        if found.as_deref().is_ok_and(|found| found == sha256) {
            return Ok(());
        }
        if superseded {
            return Ok(());
        }
        // A process that died between the line and the rewriting leaves the header of the line before.
        let is_last = !later.iter().any(|line| of_this(&line.body));
        if is_last && !is_first && segments > 0 {
            self.tail.push(format!("{file}: the header was about to be written again"));
            return Ok(());
        }
        found?;
        Err(broken(number, Some(file), "the file's header is not the one that was recorded"))
    }

    fn segment(
        &mut self,
        number: u64,
        file: &str,
        (offset, length): (u64, u64),
        sha256: &str,
    ) -> Result<(), VerifyError> {
        let Some(report) = self.files.get(file).filter(|report| !report.closed) else {
            return Err(broken(number, Some(file), "a segment of a file that is not open"));
        };
        if report.bytes != offset {
            return Err(broken(number, Some(file), "the segment does not follow the one before it"));
        }
        if self.hash(number, file, offset, length)? != sha256 {
            return Err(broken(number, Some(file), "the segment's bytes are not the ones that were recorded"));
        }
        if let Some(report) = self.files.get_mut(file) {
            report.bytes += length;
            report.segments += 1;
        }
        Ok(())
    }

    fn close(&mut self, number: u64, file: &str, length: Option<u64>, sha256: Option<&str>) -> Result<(), VerifyError> {
        let Some(report) = self.files.get(file) else {
            return Err(broken(number, Some(file), "the end of a file that was not opened"));
        };
        let bytes = report.bytes;
        if length != Some(bytes) || sha256 != Some(self.hash(number, file, 0, bytes)?.as_str()) {
            return Err(broken(number, Some(file), "the whole file is not the one that was finished"));
        }
        if let Some(report) = self.files.get_mut(file) {
            report.closed = true;
            report.sha256 = sha256.map(str::to_owned);
        }
        Ok(())
    }

    fn finish(mut self, report: &mut Report) -> Result<(), VerifyError> {
        let io = |path: PathBuf| move |error| VerifyError::Io { path, error };
        for entry in fs::read_dir(self.folder).map_err(io(self.folder.to_owned()))? {
            let entry = entry.map_err(io(self.folder.to_owned()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            match self.files.get_mut(&name) {
                Some(file) => {
                    let length = entry.metadata().map_err(io(entry.path()))?.len();
                    file.tail_bytes = length.saturating_sub(file.bytes);
                    if file.tail_bytes > 0 {
                        self.tail.push(format!("{name}: {} bytes behind the last segment", file.tail_bytes));
                    }
                }
                None if name == manifest::FILE => {}
                None => report.unlisted.push(name),
            }
        }
        report.unlisted.sort();
        report.files = self.files.into_values().collect();
        report.tail = self.tail;
        Ok(())
    }

    /// The hash of a piece of a file. A piece that is not there is a broken link.
    fn hash(&mut self, number: u64, file: &str, offset: u64, length: u64) -> Result<String, VerifyError> {
        if !self.handles.contains_key(file) {
            let opened = File::open(self.folder.join(file))
                .map_err(|error| broken(number, Some(file), format!("the file cannot be opened: {error}")))?;
            self.handles.insert(file.to_owned(), opened);
        }
        let missing = |error: io::Error| broken(number, Some(file), format!("the file ends too early ({error})"));
        let Some(handle) = self.handles.get_mut(file) else {
            return Err(broken(number, Some(file), "the file cannot be opened"));
        };
        handle.seek(SeekFrom::Start(offset)).map_err(missing)?;
        let mut hash = Sha256::new();
        let copied = io::copy(&mut handle.take(length), &mut hash).map_err(missing)?;
        if copied < length {
            return Err(missing(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(hex::encode(hash.finalize()))
    }
}

fn broken(line: u64, file: Option<&str>, what: impl Into<String>) -> VerifyError {
    VerifyError::Broken { line, file: file.map(str::to_owned), what: what.into() }
}
