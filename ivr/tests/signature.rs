//! Our verdict on a signature is that of Twilio's own library, for requests in order and for requests tampered with.
#![cfg(feature = "twilio")]

mod oracle;

use ivr::provider::twilio::signature::{Algorithm, Content, accepts};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Case {
    url: String,
    form: Vec<(String, String)>,
    body: Option<String>,
    token: String,
    algorithm: String,
    signature: String,
    valid: bool,
}

#[test]
fn the_verdict_is_that_of_twilio_s_library() {
    let Some(lines) = oracle::lines("signatures") else { return };
    let cases: Vec<Case> = lines.into_iter().map(|line| serde_json::from_value(line).unwrap()).collect();
    let valid = cases.iter().filter(|case| case.valid).count();
    assert_eq!(cases.len(), 2_000);
    assert!(valid >= 1_000, "every untampered request is among them");
    assert!(cases.len() - valid > 900, "and most of the tampered ones");
    for case in cases {
        let content = match &case.body {
            Some(body) => Content::Body(body.as_bytes()),
            None => Content::Form(&case.form),
        };
        let algorithm = Algorithm::of_header(Some(&format!("algorithm={}", case.algorithm))).unwrap();
        assert_eq!(accepts(&case.token, algorithm, &case.url, content, &case.signature), case.valid, "{case:?}");
    }
}
