//! What Cargo.lock may hold. `deny.toml` says the same and more to cargo-deny; this runs wherever the tests do.

use crate::tree::Tree;

/// Second TLS and crypto stacks, which need cmake or a system's library.
const BANNED: &[&str] = &["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "aws-lc-sys", "cmake"];
const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

pub fn banned(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for lock in tree.files.iter().filter(|file| file.path == "Cargo.lock") {
        let values = |key: &str| {
            let opening = format!("{key} = \"");
            lock.text.lines().filter_map(move |line| line.strip_prefix(&opening)?.strip_suffix('"').map(str::to_owned))
        };
        faults.extend(
            values("name").filter(|name| BANNED.contains(&name.as_str())).map(|name| format!("{name} is banned")),
        );
        faults.extend(
            values("source").filter(|source| source != SOURCE).map(|source| format!("{source} is no source of ours")),
        );
    }
    if !tree.files.iter().any(|file| file.path == "Cargo.lock") {
        faults.push("Cargo.lock is missing".to_owned());
    }
    faults
}

#[test]
fn a_banned_package_and_a_strange_source_are_noticed() {
    let lock = format!(
        "[[package]]\nname = \"serde\"\nsource = \"{SOURCE}\"\n\n[[package]]\nname = \"openssl-sys\"\nsource = \"git+https://x/y\"\n"
    );
    assert_eq!(
        banned(&Tree::of(&[("Cargo.lock", &lock)])),
        ["openssl-sys is banned", "git+https://x/y is no source of ours"]
    );
    assert_eq!(banned(&Tree::of(&[])), ["Cargo.lock is missing"]);
}
