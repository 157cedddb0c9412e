//! One home for each package: whoever wants to change a library finds all of its use in one place.

use crate::tree::{Tree, code, lies_in};

/// A package as code names it, and the only files that may.
const HOMES: &[(&str, &[&str])] = &[
    ("sqlx", &["src/store"]),
    ("axum", &["src/web", "signaling/examples"]),
    ("axum_server", &["src/web", "src/app", "src/tls"]),
    ("tower", &["src/web"]),
    ("tower_http", &["src/web"]),
    ("askama", &["src/web", "src/notify"]),
    ("lettre", &["src/notify/email"]),
    ("rustls", &["src/tls"]),
    ("rcgen", &["src/tls"]),
    ("argon2", &["src/service/sign_in"]),
    ("fluent_templates", &["src/text", "ivr/src/text"]),
    ("webrtc", &["signaling/src/media", "signaling/tests", "signaling/examples"]),
    ("rtc", &["signaling/src/media", "signaling/src/recording/tests", "signaling/tests", "signaling/examples"]),
    ("twilio_rs", &["ivr/src/provider/twilio"]),
    ("str0m", &["tests/bench/src"]),
    ("dimpl", &["tests/bench/src"]),
];

/// Words that open a statement of SQL.
const SQL: &[&str] = &["INSERT INTO ", "DELETE FROM ", "SELECT * FROM", "CREATE TABLE ", "ALTER TABLE "];
const SQL_HOMES: &[&str] = &["src/store"];

pub fn strangers(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for file in tree.sources() {
        let code = code(&file.text);
        for (package, homes) in HOMES {
            if homes.iter().any(|home| lies_in(&file.path, home)) {
                continue;
            }
            for (number, line) in code.lines().enumerate() {
                if names(line, package) {
                    faults.push(format!("{}:{}: {package} lives in {}", file.path, number + 1, homes.join(", ")));
                }
            }
        }
    }
    faults
}

pub fn sql_elsewhere(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for file in tree.sources().filter(|file| !SQL_HOMES.iter().any(|home| lies_in(&file.path, home))) {
        for (number, line) in file.text.lines().enumerate() {
            if !line.trim_start().starts_with("//") && SQL.iter().any(|words| line.contains(words)) {
                faults.push(format!("{}:{}: SQL lives in src/store", file.path, number + 1));
            }
        }
    }
    faults
}

/// Whether a line of code names a package as the start of a path: `sqlx::query`, `use sqlx;`, but not `self.sqlx` or `store::sqlx::x`.
fn names(line: &str, package: &str) -> bool {
    line.match_indices(package).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + package.len()..]);
        let starts = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.')
            && (!before.ends_with("::")
                || before.trim_end_matches("::").ends_with([' ', '(', '<', '[', '&'])
                || before == "::");
        let imported = before.trim_start().trim_start_matches("pub ").trim_start().starts_with("use ")
            && before.trim_end().ends_with("use");
        starts && (after.starts_with("::") || (imported && after.starts_with([';', ' '])))
    })
}

#[test]
fn a_package_away_from_home_is_noticed() {
    let bad = Tree::of(&[
        ("src/service/file.rs", "use sqlx::Row;\nfn f() { sqlx::query(\"x\"); }\n"),
        ("src/domain/a.rs", "#[derive(askama::Template)] struct A;\n"),
        ("src/web/b.rs", "    pub use rustls;\n"),
        ("signaling/src/room/core.rs", "let p: ::webrtc::Peer;"),
        ("ivr/src/flow/mod.rs", "fn f() -> twilio_rs::Client"),
    ]);
    let faults = strangers(&bad);
    assert_eq!(faults.len(), 6, "{faults:#?}");
    assert!(faults[0].starts_with("src/service/file.rs:1: sqlx lives in src/store"), "{faults:#?}");
}

#[test]
fn a_package_at_home_and_words_like_it_are_fine() {
    let good = Tree::of(&[
        ("src/store/cases.rs", "use sqlx::Row;"),
        ("src/tls.rs", "use rustls::ServerConfig;"),
        (
            "src/web/a.rs",
            "// sqlx::query\nlet x = \"sqlx::query\"; crate::media::rtc::x(); self.rtc.y(); my_rtc::z(); let rustls = 1;",
        ),
        ("tests/story.rs", "use sqlx::Row;"),
    ]);
    assert_eq!(strangers(&good), Vec::<String>::new());
}

#[test]
fn sql_away_from_home_is_noticed() {
    let tree = Tree::of(&[
        ("src/service/a.rs", "const Q: &str = \"INSERT INTO case_file (id) VALUES ($1)\";\n// SELECT * FROM x\n"),
        ("src/store/a.rs", "const Q: &str = \"DELETE FROM x\";"),
    ]);
    assert_eq!(sql_elsewhere(&tree), ["src/service/a.rs:1: SQL lives in src/store"]);
}
