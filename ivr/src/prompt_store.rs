//! Where the sound files are: embedded in the program, and in a folder that may hold better ones (a human voice).

use std::borrow::Cow;
use std::path::PathBuf;

use rust_embed::RustEmbed;

use crate::language::Language;
use crate::prompt::Prompt;

#[derive(RustEmbed)]
#[folder = "prompts/"]
struct Embedded;

/// The sound files. A file in the folder comes before the embedded one of the same name, so that a recording by a
/// person needs no new build.
#[derive(Debug, Clone, Default)]
pub struct PromptStore {
    folder: Option<PathBuf>,
}

impl PromptStore {
    /// The shipped files alone.
    #[must_use]
    pub fn embedded() -> Self {
        Self::default()
    }

    /// The shipped files, and before them those in `folder` (`folder/hi/welcome.wav`).
    #[must_use]
    pub fn with_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()) }
    }

    /// The bytes of a sound file (WAV) by the name that [`Prompt::file`] gives; `None` for any other name, so a name
    /// that comes from outside reaches no other file. Reads the folder, so it blocks for as long as one small file
    /// takes.
    #[must_use]
    pub fn sound(&self, file: &str) -> Option<Cow<'static, [u8]>> {
        if !is_prompt_file(file) {
            return None;
        }
        let own = self.folder.as_ref().and_then(|folder| std::fs::read(folder.join(file)).ok());
        match own {
            Some(bytes) => Some(Cow::Owned(bytes)),
            None => Embedded::get(file).map(|found| found.data),
        }
    }

    /// The files that some prompt needs and that are not there (or empty), for the program's self-check. Empty when all
    /// is well.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        Language::ALL
            .into_iter()
            .flat_map(Prompt::all)
            .map(|prompt| prompt.file())
            .filter(|file| self.sound(file).is_none_or(|bytes| bytes.is_empty()))
            .collect()
    }
}

/// `xx/name.wav` with a language that we have and a name of small letters, digits and hyphens.
fn is_prompt_file(file: &str) -> bool {
    let Some((language, name)) = file.split_once('/') else { return false };
    let Some(stem) = name.strip_suffix(".wav") else { return false };
    Language::ALL.iter().any(|known| known.tag() == language)
        && !stem.is_empty()
        && stem.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
