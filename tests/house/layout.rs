//! Sizes, the top level, and migrations.

use crate::tree::Tree;
use std::collections::BTreeSet;

/// Lines of code, blank and comment lines not counted. Half of it is the aim.
const MOST_LINES: usize = 800;
const MEASURED: &[&str] = &[".rs", ".js", ".css", ".html"];
/// Fetched or generated, kept as they came.
const NOT_WRITTEN_HERE: &[&str] = &["/vendor/", ".min."];

/// What may stand at the root besides dot-files; the last line exists only where something was built or run.
const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "signaling",
    "ivr",
    "migrations",
    "deploy",
    "tests",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "clippy.toml",
    "rustfmt.toml",
    "deny.toml",
    "askama.toml",
    "target",
    "data",
];

pub fn too_long(tree: &Tree) -> Vec<String> {
    let measured = |path: &str| {
        MEASURED.iter().any(|kind| path.ends_with(kind)) && !NOT_WRITTEN_HERE.iter().any(|part| path.contains(part))
    };
    let mut faults = Vec::new();
    for file in tree.files.iter().filter(|file| measured(&file.path)) {
        let lines = file.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        if lines > MOST_LINES {
            faults.push(format!("{}: {lines} lines, {MOST_LINES} are the most", file.path));
        }
    }
    faults
}

pub fn strange_at_the_top(tree: &Tree) -> Vec<String> {
    let strange = |name: &&String| !name.starts_with('.') && !TOP.contains(&name.as_str());
    tree.top.iter().filter(strange).map(|name| format!("{name}: the top level is fixed")).collect()
}

pub fn migrations_of_one_database(tree: &Tree) -> Vec<String> {
    let of = |database: &str| -> BTreeSet<String> {
        let folder = format!("migrations/{database}/");
        tree.files.iter().filter_map(|file| file.path.strip_prefix(&folder)).map(str::to_owned).collect()
    };
    let (sqlite, postgres) = (of("sqlite"), of("postgres"));
    sqlite.symmetric_difference(&postgres).map(|name| format!("{name}: a migration of one database only")).collect()
}

#[test]
fn a_long_file_is_noticed() {
    let long = "let x = 1;\n\n// said\n".repeat(MOST_LINES + 1);
    let tree = Tree::of(&[
        ("src/a.rs", &long),
        ("src/b.rs", &"x\n".repeat(MOST_LINES)),
        ("src/web/assets/vendor/htmx.js", &long),
        ("src/places.csv", &long),
    ]);
    assert_eq!(too_long(&tree), ["src/a.rs: 801 lines, 800 are the most"]);
}

#[test]
fn a_stranger_at_the_top_is_noticed() {
    let tree = Tree::of(&[("src/a.rs", ""), ("docs/a.md", ""), (".ci/run", ""), ("README.md", "")]);
    assert_eq!(strange_at_the_top(&tree), ["docs: the top level is fixed"]);
}

#[test]
fn a_migration_of_one_database_is_noticed() {
    let tree = Tree::of(&[
        ("migrations/sqlite/0001_a.sql", ""),
        ("migrations/postgres/0001_a.sql", ""),
        ("migrations/sqlite/0002_b.sql", ""),
    ]);
    assert_eq!(migrations_of_one_database(&tree), ["0002_b.sql: a migration of one database only"]);
}
