//! Transcripts kept beside what they test: text files in which a person can follow a talk. A file holds both sides; a
//! test plays the lines of one side and compares what the other says. `UPDATE_TRANSCRIPTS=1` writes the files anew, for
//! a person to read before committing them.

use std::path::Path;

/// Plays every `.txt` file of `folder` (below the crate) and compares. `play` gets the file and returns how it should
/// read.
pub(crate) fn check(folder: &str, least: usize, play: impl Fn(&str) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut played = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let written = std::fs::read_to_string(&path).unwrap();
        let heard = play(&written);
        if std::env::var("UPDATE_TRANSCRIPTS").is_ok_and(|set| set == "1") {
            std::fs::write(&path, &heard).unwrap();
        } else {
            assert!(heard == written, "{} reads otherwise:\n{}", path.display(), first_difference(&written, &heard));
        }
        played += 1;
    }
    assert!(played >= least, "only {played} transcripts in {}", folder.display());
}

fn first_difference(written: &str, heard: &str) -> String {
    let (mut written, mut heard) = (written.lines(), heard.lines());
    for number in 1.. {
        match (written.next(), heard.next()) {
            (None, None) => break,
            (one, other) if one == other => {}
            (one, other) => {
                return format!(
                    "line {number}\n  written: {}\n  heard:   {}",
                    one.unwrap_or("(end)"),
                    other.unwrap_or("(end)")
                );
            }
        }
    }
    "the ends of lines".to_owned()
}
