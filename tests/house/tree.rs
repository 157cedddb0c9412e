//! The files that the rules look at.

#![expect(clippy::panic, reason = "a test that cannot read its own repository has nothing to go on")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folders that are not ours to judge: built, fetched, or data of a running hub.
const NOT_OURS: &[&str] = &["target", "node_modules", "data", ".git"];
/// Kinds of files that are text and ours.
const READ: &[&str] = &["rs", "toml", "lock", "ftl", "sql", "js", "css", "html"];

/// A tree of files: paths from the repository's root with `/` between, and the text of those that are read.
pub struct Tree {
    pub files: Vec<File>,
    /// Names at the root.
    pub top: Vec<String>,
}

pub struct File {
    pub path: String,
    pub text: String,
}

impl Tree {
    /// The repository that this test was built from.
    pub fn of_the_repository() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut tree = Self { files: Vec::new(), top: names(root) };
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for name in names(&folder) {
                let path = folder.join(&name);
                if path.is_dir() {
                    if !NOT_OURS.contains(&name.as_str()) {
                        folders.push(path);
                    }
                } else if READ.iter().any(|kind| path.extension().is_some_and(|extension| extension == *kind)) {
                    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                    tree.files.push(File { path: relative(root, &path), text });
                }
            }
        }
        assert!(tree.files.iter().any(|file| file.path == "tests/house/tree.rs"), "the tree was not found");
        tree
    }

    /// A tree made up for a test of a rule.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files: Vec<File> =
            files.iter().map(|(path, text)| File { path: (*path).to_owned(), text: (*text).to_owned() }).collect();
        let mut top: Vec<String> =
            files.iter().filter_map(|file| file.path.split('/').next()).map(str::to_owned).collect();
        top.dedup();
        Self { files, top }
    }

    /// The Rust files of the three crates, without tests and examples that stand outside them.
    pub fn sources(&self) -> impl Iterator<Item = &File> {
        let ours = |path: &str| ["src/", "signaling/", "ivr/"].iter().any(|start| path.starts_with(start));
        self.files.iter().filter(move |file| file.path.ends_with(".rs") && ours(&file.path))
    }
}

/// Lies in a folder or is the file of that name: `src/tls` holds `src/tls.rs` and `src/tls/reload.rs`.
pub fn lies_in(path: &str, home: &str) -> bool {
    path == home || path.strip_prefix(home).is_some_and(|rest| rest.starts_with('/') || rest == ".rs")
}

/// The code of a Rust file: comments, texts and characters blanked out, lines kept.
pub fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = skipped(rest);
        if skipped > 0 {
            code.extend(rest[..skipped].chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
            rest = &rest[skipped..];
            continue;
        }
        // A word is taken whole, so that the r of `for"` never looks like the start of a raw text.
        let word =
            rest.find(|character: char| !(character.is_alphanumeric() || character == '_')).unwrap_or(rest.len());
        let taken = word.max(first.len_utf8());
        code.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    code
}

/// The length in bytes of the comment, text or character that starts here; 0 if none does.
fn skipped(rest: &str) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    let unprefixed = rest.strip_prefix('b').or_else(|| rest.strip_prefix('c')).unwrap_or(rest);
    let prefix = rest.len() - unprefixed.len();
    if let Some(raw) = unprefixed.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if let Some(inside) = raw[hashes..].strip_prefix('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let length = inside.find(&end).map_or(inside.len(), |at| at + end.len());
            return prefix + 1 + hashes + 1 + length;
        }
        return 0;
    }
    if unprefixed.starts_with('"') {
        return prefix + quoted(unprefixed, '"');
    }
    // 'a' is a character, 'a a lifetime.
    let mut after = unprefixed.chars().skip(1);
    if unprefixed.starts_with('\'') && after.next().is_some_and(|second| second == '\\' || after.next() == Some('\'')) {
        return prefix + quoted(unprefixed, '\'');
    }
    0
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + quote.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn relative(root: &Path, path: &Path) -> String {
    let inside: PathBuf = path.strip_prefix(root).unwrap_or(path).to_owned();
    inside.iter().filter_map(|part| part.to_str()).collect::<Vec<_>>().join("/")
}

#[test]
fn comments_and_texts_are_no_code() {
    let text = "use a; // sqlx::one\n/* axum /* nested */ still */ let x = \"sqlx::two \\\" more\"; let r = r#\"sqlx \" three\"#;\n\
                let c = '\"'; let life: &'static str = b\"x\"; call(for_r\"x\", '\\'');";
    let code = code(text);
    assert_eq!(code.lines().count(), text.lines().count());
    for gone in ["sqlx", "axum", "nested", "three", "more"] {
        assert!(!code.contains(gone), "{gone} in {code}");
    }
    for kept in ["use a;", "let x =", "let r =", "let c =", "&'static str", "call(for_r"] {
        assert!(code.contains(kept), "{kept} not in {code}");
    }
}

#[test]
fn a_home_is_a_file_or_a_folder() {
    assert!(
        lies_in("src/tls.rs", "src/tls")
            && lies_in("src/tls/reload.rs", "src/tls")
            && lies_in("src/tls.rs", "src/tls.rs")
    );
    assert!(!lies_in("src/tlsx.rs", "src/tls") && !lies_in("src/tls.rs", "src/tls/reload"));
}
