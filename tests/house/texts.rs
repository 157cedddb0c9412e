//! Texts: what is said in one language is said in all, with the same values put in.

use crate::tree::Tree;
use std::collections::{BTreeMap, BTreeSet};

/// `src/locales/hi/desk.ftl` → (`src/locales`, `hi`).
fn home_and_language(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_suffix(".ftl")?;
    let at = path.find("/locales/")? + "/locales".len();
    Some((&path[..at], path[at + 1..].split('/').next()?))
}

pub fn untranslated(tree: &Tree) -> Vec<String> {
    type Messages = BTreeMap<String, BTreeSet<String>>;
    let mut homes: BTreeMap<&str, BTreeMap<&str, Messages>> = BTreeMap::new();
    let mut faults = Vec::new();
    for file in &tree.files {
        let Some((home, language)) = home_and_language(&file.path) else { continue };
        let known = homes.entry(home).or_default().entry(language).or_default();
        for (id, variables) in messages(&file.text) {
            if known.insert(id.clone(), variables).is_some() {
                faults.push(format!("{}: {id} stands twice in {language}", file.path));
            }
        }
    }
    for (home, languages) in &homes {
        for required in ["en", "hi"] {
            if !languages.contains_key(required) {
                faults.push(format!("{home}: nothing in {required}"));
            }
        }
        let all: BTreeSet<&String> = languages.values().flat_map(BTreeMap::keys).collect();
        for id in all {
            let Some(english) = languages.get("en").and_then(|english| english.get(id)) else {
                faults.push(format!("{home}: {id} is not in en"));
                continue;
            };
            for (language, messages) in languages.iter().filter(|(language, _)| **language != "en") {
                match messages.get(id) {
                    None => faults.push(format!("{home}: {id} is not in {language}")),
                    Some(variables) if variables != english => {
                        faults.push(format!("{home}: {id} puts in {variables:?} in {language}, {english:?} in en"));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    faults
}

/// The messages, terms and attributes of a fluent file, each with the variables that it puts in.
fn messages(text: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut found: Vec<(String, BTreeSet<String>)> = Vec::new();
    let mut owner = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let indented = line.starts_with(char::is_whitespace);
        let trimmed = line.trim_start();
        let id: String =
            trimmed.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
        let defines = trimmed[id.len()..].trim_start().starts_with('=') && !id.is_empty();
        if defines && !indented {
            owner.clone_from(&id);
            found.push((id, BTreeSet::new()));
        } else if defines && id.starts_with('.') {
            found.push((format!("{owner}{id}"), BTreeSet::new()));
        }
        if let Some((_, variables)) = found.last_mut() {
            variables.extend(line.split('$').skip(1).map(|rest| {
                rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect::<String>()
            }));
            variables.remove("");
        }
    }
    found
}

#[test]
fn an_untranslated_text_is_noticed() {
    let tree = Tree::of(&[
        ("src/locales/en/a.ftl", "# said\nhello = Hello { $name }\nonly-here = One\nfield = F\n    .label = L\n"),
        ("src/locales/hi/a.ftl", "hello = नमस्ते { $nam }\nfield = फ़\n"),
        ("src/locales/hi/b.ftl", "only-there = दो\nhello = फिर\n"),
        ("ivr/locales/en/a.ftl", "hello = Hello\n"),
    ]);
    assert_eq!(
        untranslated(&tree),
        [
            "src/locales/hi/b.ftl: hello stands twice in hi",
            "ivr/locales: nothing in hi",
            "src/locales: field.label is not in hi",
            "src/locales: hello puts in {} in hi, {\"name\"} in en",
            "src/locales: only-here is not in hi",
            "src/locales: only-there is not in en",
        ]
    );
}

#[test]
fn selectors_and_long_texts_are_read_as_one_message() {
    let read = messages(
        "days = { $count ->\n    [one] one day\n   *[other] { $count } days until { $date }\n }\n-term = Hub\n",
    );
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].1, BTreeSet::from(["count".to_owned(), "date".to_owned()]));
    assert_eq!(read[1].0, "-term");
}
