//! Entry points for the fuzz targets of `signaling/fuzz`, one for each kind of strangers' bytes. Not part of the product: built for tests and with
//! the feature `fuzzing` only.
//!
//! Each takes any bytes, reads a story out of them ([`Input`]) and asserts what holds whatever comes: no panic, bounded answers, and no effect of what
//! is not authentic. A test replays the corpus, so that what was found stays fixed.

pub(crate) mod input;
mod manifest;
mod recorder;
mod room;

pub use crate::media::fuzz::{call, codecs, dtls, egress, receive, sdp, stun, tcp};
pub use manifest::manifest;
pub use recorder::recorder;
pub use room::room;

pub(crate) use input::Input;

/// A target's name and entry point.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 11] = [
    ("call", call),
    ("codecs", codecs),
    ("dtls", dtls),
    ("egress", egress),
    ("manifest", manifest),
    ("receive", receive),
    ("recorder", recorder),
    ("room", room),
    ("sdp", sdp),
    ("stun", stun),
    ("tcp", tcp),
];

#[cfg(test)]
mod tests {
    use super::TARGETS;
    use std::fs;
    use std::path::Path;

    /// Every input of the corpus, past findings among them.
    #[test]
    fn the_corpus_is_no_trouble() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        for (name, run) in TARGETS {
            let mut inputs = 0;
            for entry in fs::read_dir(corpus.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")) {
                run(&fs::read(entry.unwrap().path()).unwrap());
                inputs += 1;
            }
            assert!(inputs > 0, "{name} has no corpus");
        }
    }

    #[test]
    fn every_target_is_built() {
        let targets = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/targets");
        let files = fs::read_dir(targets).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut files: Vec<_> = files.collect();
        files.sort();
        let names: Vec<_> = TARGETS.iter().map(|(name, _)| format!("{name}.rs")).collect();
        assert_eq!(files, names);
    }
}
