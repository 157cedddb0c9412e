//! Runs `tests/twilio/oracle.py` with the Python environment that `tests/twilio/setup` makes.
#![expect(clippy::expect_used, reason = "a check that did not run must fail loudly")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// The oracle's JSON lines for a subject, or `None` where `HUB_SKIP_TWILIO_ORACLE=1` says that it is deliberately not
/// run.
///
/// # Panics
/// When the environment is missing or the oracle fails: a check that did not run must not look like one that passed.
pub fn lines(subject: &str) -> Option<Vec<serde_json::Value>> {
    if std::env::var("HUB_SKIP_TWILIO_ORACLE").is_ok_and(|set| set == "1") {
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let target = root.join(std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned()));
    let python = std::env::var("HUB_TWILIO_PYTHON").map_or(target.join("venv/twilio/bin/python"), PathBuf::from);
    assert!(
        python.exists(),
        "{} is missing: run tests/twilio/setup, or set HUB_SKIP_TWILIO_ORACLE=1",
        python.display()
    );
    let output = Command::new(&python)
        .arg(root.join("tests/twilio/oracle.py"))
        .arg(subject)
        .output()
        .expect("the oracle starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    Some(text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect())
}
