//! A recording's folder that somebody else made.

use super::Input;
use crate::recording::manifest::{Body, FILE, Head};
use crate::recording::verify;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

/// One for each process; its files are written anew for each story.
static FOLDER: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("signaling-fuzz-{}", std::process::id())));

/// A manifest whose chain holds, with any bodies, over a file with any bytes; or a manifest of any bytes at all.
pub fn manifest(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let is_chained = input.flag();
    let media = input.piece();
    let text = input.rest();
    let manifest = if is_chained { chained(text) } else { text.to_vec() };
    let written = fs::create_dir_all(&*FOLDER)
        .and_then(|()| fs::write(FOLDER.join("a.webm"), media))
        .and_then(|()| fs::write(FOLDER.join(FILE), &manifest));
    assert!(written.is_ok(), "the folder cannot be written: {written:?}");
    if let Ok(report) = verify(&FOLDER) {
        assert!(is_chained, "nobody guesses a hash");
        for file in report.files {
            assert_eq!(file.name, "a.webm", "a file that is not there");
            assert_eq!(file.bytes + file.tail_bytes, media.len() as u64);
        }
    }
}

/// Each line a body as JSON; the numbers and hashes are added. What is no body stands as it is.
fn chained(text: &[u8]) -> Vec<u8> {
    let mut head = Head::default();
    let mut manifest = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let next = serde_json::from_slice::<Body>(line).and_then(|body| head.next(7, body));
        if let Ok((text, after)) = next {
            manifest.extend_from_slice(text.as_bytes());
            head = after;
        } else {
            manifest.extend_from_slice(line);
        }
    }
    manifest
}
