//! Who may see whom: main → app → {web, jobs, intake} → service → {domain, store}. A module not listed here may see and be seen, except
//! that nobody but the entrances looks up at `app`.

use crate::tree::{Tree, code, lies_in};

/// What a part of the house may see of the rest of it: only these modules (and itself).
const SEES_ONLY: &[(&str, &[&str])] = &[
    ("src/domain", &["id"]),
    ("src/insight", &[]),
    ("src/id", &[]),
    ("src/text", &["id", "domain", "time"]),
    ("src/time", &["domain"]),
    ("src/tls", &["config", "error"]),
];
/// What a part of the house must not see.
const DOES_NOT_SEE: &[(&str, &[&str])] = &[
    ("src/store", &["service", "web", "jobs", "intake", "notify", "portals", "documents", "config", "demo"]),
    ("src/service", &["web", "jobs", "intake", "demo"]),
    ("src/web", &["jobs"]),
    ("src/web/views", &["store", "service", "jobs", "intake", "config"]),
    ("src/jobs", &["web", "intake"]),
    ("src/intake", &["web", "jobs"]),
    ("src/notify", &["service", "web", "jobs", "intake", "demo"]),
    ("src/documents", &["service", "store", "web", "jobs", "intake", "demo"]),
];
/// Nobody else starts or holds the whole.
const SEE_THE_WHOLE: &[&str] = &["src/main", "src/lib", "src/cli", "src/app"];
const THE_WHOLE: &[&str] = &["app", "cli"];

/// Each crate below the root, and the names that it must not know.
const BELOW: &[(&str, &[&str])] = &[("signaling", &["ivr", "champions_hub"]), ("ivr", &["signaling", "champions_hub"])];

pub fn against_the_stream(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for file in tree.sources().filter(|file| file.path.starts_with("src/")) {
        for (number, seen) in seen(&file.path, &code(&file.text)) {
            let mut fault = |why: String| faults.push(format!("{}:{number}: {why} must not see {seen}", file.path));
            for (part, only) in SEES_ONLY.iter().filter(|(part, _)| lies_in(&file.path, part)) {
                let itself = part.strip_prefix("src/") == Some(seen.as_str());
                if !itself && !only.contains(&seen.as_str()) && is_module(tree, &seen) {
                    fault((*part).to_owned());
                }
            }
            for (part, never) in DOES_NOT_SEE.iter().filter(|(part, _)| lies_in(&file.path, part)) {
                if never.contains(&seen.as_str()) {
                    fault((*part).to_owned());
                }
            }
            let entrance = SEE_THE_WHOLE.iter().any(|part| lies_in(&file.path, part));
            if THE_WHOLE.contains(&seen.as_str()) && !entrance {
                fault("anything but the entrances".to_owned());
            }
        }
    }
    faults
}

pub fn crates_that_see_each_other(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (below, strangers) in BELOW {
        for file in tree.files.iter().filter(|file| file.path.starts_with(&format!("{below}/"))) {
            let named = |line: &str, stranger: &str| match file.path.rsplit('.').next() {
                Some("rs") => line.contains(&format!("{stranger}::")) && !line.contains(&format!("::{stranger}::")),
                Some("toml") => line.trim_start().starts_with(&stranger.replace('_', "-")),
                _ => false,
            };
            let text = if file.path.ends_with(".rs") { code(&file.text) } else { file.text.clone() };
            for (number, line) in text.lines().enumerate() {
                for stranger in strangers.iter().filter(|stranger| named(line, stranger)) {
                    faults.push(format!("{}:{}: {below} must not know {stranger}", file.path, number + 1));
                }
            }
        }
    }
    faults
}

fn is_module(tree: &Tree, name: &str) -> bool {
    tree.files.iter().any(|file| lies_in(&file.path, &format!("src/{name}")))
}

/// The top modules of the root crate that a file names, with the line: `crate::x`, `crate::{x, y::z}`, `champions_hub::x`, and
/// `super::super::x` where it climbs to the root.
fn seen(path: &str, code: &str) -> Vec<(usize, String)> {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let depth = inside.split('/').count();
    let mut found = Vec::new();
    for root in ["crate::".to_owned(), "champions_hub::".to_owned(), "super::".repeat(depth)] {
        for (at, _) in code.match_indices(&root) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            let rest = code[at + root.len()..].trim_start();
            found.extend(first_names(rest).into_iter().map(|name| (line, name)));
        }
    }
    found
}

/// The first name of a path, or of each path in a group.
fn first_names(rest: &str) -> Vec<String> {
    let Some(group) = rest.strip_prefix('{') else {
        return vec![name_at(rest)].into_iter().filter(|name| !name.is_empty()).collect();
    };
    let mut names = Vec::new();
    let mut depth = 0;
    let mut expects_name = true;
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expects_name = true,
            _ if expects_name && depth == 0 && (character.is_alphabetic() || character == '_') => {
                names.push(name_at(&group[at..]));
                expects_name = false;
            }
            _ => {}
        }
    }
    names
}

fn name_at(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn an_arrow_against_the_stream_is_noticed() {
    let bad = Tree::of(&[
        ("src/domain/case.rs", "use crate::store::Tx;\nuse crate::id::CaseId;\n"),
        ("src/domain/hearing.rs", "use super::super::web;\n"),
        ("src/insight/place.rs", "fn f() { crate::domain::case::x() }"),
        ("src/store/cases.rs", "use crate::{domain::case::Case, id::CaseId, service::{self, filing}};"),
        ("src/service/filing.rs", "use crate::web::views;\nuse crate::app::App;"),
        ("src/web/views/desk.rs", "use crate::store::cases::Row;"),
        ("src/web/mod.rs", "use crate::service::filing;"),
        ("src/main.rs", "use champions_hub::app;"),
        ("src/app.rs", ""),
    ]);
    assert_eq!(
        against_the_stream(&bad),
        [
            "src/domain/case.rs:1: src/domain must not see store",
            "src/domain/hearing.rs:1: src/domain must not see web",
            "src/insight/place.rs:1: src/insight must not see domain",
            "src/store/cases.rs:1: src/store must not see service",
            "src/service/filing.rs:1: src/service must not see web",
            "src/service/filing.rs:2: anything but the entrances must not see app",
            "src/web/views/desk.rs:1: src/web/views must not see store",
        ]
    );
}

#[test]
fn a_crate_that_knows_its_neighbour_is_noticed() {
    let bad = Tree::of(&[
        ("ivr/src/lib.rs", "use signaling::RoomHandle;\n// signaling::x\n"),
        ("ivr/Cargo.toml", "[dependencies]\nsignaling = { path = \"../signaling\" }\n"),
        ("signaling/src/lib.rs", "fn f() { champions_hub::x() }"),
        ("signaling/src/room.rs", "fn f() { crate::ivr::x() }"),
    ]);
    assert_eq!(
        crates_that_see_each_other(&bad),
        [
            "signaling/src/lib.rs:1: signaling must not know champions_hub",
            "ivr/src/lib.rs:1: ivr must not know signaling",
            "ivr/Cargo.toml:2: ivr must not know signaling",
        ]
    );
}
