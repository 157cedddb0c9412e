//! The shipped sound files: all there, playable on a telephone line, small, and replaceable by a recording of a person.
#![expect(clippy::indexing_slicing, reason = "a file that is too short fails the test")]

use ivr::{Language, Phrase, Prompt, PromptStore, Sound};

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Seconds of sound in a WAV file, after checking that it is 8 kHz mono G.711 A-law (format 6).
fn seconds(file: &str, bytes: &[u8]) -> f64 {
    assert_eq!((&bytes[..4], &bytes[8..16]), (&b"RIFF"[..], &b"WAVEfmt "[..]), "{file}");
    let format = (u16_at(bytes, 20), u16_at(bytes, 22), u32_at(bytes, 24), u16_at(bytes, 34));
    assert_eq!(format, (6, 1, 8000, 8), "{file}: format, channels, rate, bits");
    let mut at = 12;
    while &bytes[at..at + 4] != b"data" {
        at += 8 + u32_at(bytes, at + 4) as usize;
    }
    let length = u32_at(bytes, at + 4);
    assert!(at + 8 + length as usize <= bytes.len(), "{file} is cut short");
    f64::from(length) / 8000.0
}

#[test]
fn every_prompt_has_a_sound_of_sensible_length() {
    let store = PromptStore::embedded();
    assert_eq!(store.missing(), Vec::<String>::new());
    let mut total = 0;
    for prompt in Language::ALL.into_iter().flat_map(Prompt::all) {
        let bytes = store.sound(&prompt.file()).unwrap();
        let length = seconds(&prompt.file(), &bytes);
        let words = prompt.text().chars().count();
        match prompt.sound {
            Sound::Pause => assert!((0.2..0.6).contains(&length)),
            Sound::Digit(_) | Sound::Letter(_) => assert!((0.15..1.2).contains(&length), "{}: {length}", prompt.file()),
            // Speech has 8 to 25 letters a second: outside of that the sound is cut, or is another text's.
            Sound::Phrase(_) => {
                let pace = words as f64 / length;
                assert!((7.0..25.0).contains(&pace) || length < 1.2, "{}: {pace:.1} letters a second", prompt.file());
            }
        }
        total += bytes.len();
    }
    for sample in ivr::samples() {
        let bytes = store.sound(&sample.file).unwrap();
        assert!((4.0..15.0).contains(&seconds(&sample.file, &bytes)), "{}", sample.file);
        total += bytes.len();
    }
    assert!(total < 3 * 1024 * 1024, "{total} bytes");
}

#[test]
fn a_file_in_the_folder_comes_first() {
    let folder = std::env::temp_dir().join(format!("prompts-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("hi")).unwrap();
    std::fs::write(folder.join("hi/welcome.wav"), b"a human voice").unwrap();
    std::fs::write(folder.join("secret.txt"), b"not a prompt").unwrap();
    let store = PromptStore::with_folder(&folder);
    let welcome = |language| Prompt::new(Phrase::Welcome, language).file();
    assert_eq!(*store.sound(&welcome(Language::Hindi)).unwrap(), *b"a human voice");
    assert_eq!(store.sound(&welcome(Language::English)), PromptStore::embedded().sound(&welcome(Language::English)));
    for outside in [
        "secret.txt",
        "../secret.wav",
        "hi/../../x.wav",
        "hi/welcome.wav/..",
        "xx/welcome.wav",
        "/etc/passwd",
        "hi/.wav",
        "make",
        "",
    ] {
        assert_eq!(store.sound(outside), None, "{outside}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
