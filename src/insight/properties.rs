//! What must hold for any text: people send everything.

use proptest::prelude::*;

use super::{language, place, subject, words::words};

/// Pieces that rules look at, in any order, with anything between.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("unit in ".to_owned()),
        Just("Pune, ".to_owned()),
        Just("Gaya ".to_owned()),
        Just("district ".to_owned()),
        Just("UP ".to_owned()),
        Just("J & K ".to_owned()),
        Just("Bank of Baroda ".to_owned()),
        Just("UDYAM-MH-26-0012345 ".to_owned()),
        Just("कार्यशील पूँजी ".to_owned()),
        Just("working capital ".to_owned()),
        Just("बिलासपुर में। ".to_owned()),
        Just("buyer ".to_owned()),
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_without_harm(text in pieces()) {
        let finding = place::find(&text);
        prop_assert!(finding.words.iter().all(|word| text.contains(word.as_str())));
        prop_assert!(finding.district.is_none() || finding.state.is_some());
        prop_assert!(finding.state.is_none() || finding.candidates.is_empty());
        if let (Some(state), Some(district)) = (finding.state, finding.district) {
            prop_assert!(place::districts(state).any(|place| place.name == district));
        }
        if let Some((code, why)) = subject::classify(&text) {
            prop_assert!(code != subject::SubjectCode::Other && why.points > 0);
            prop_assert!(!why.words.is_empty() && why.words.iter().all(|word| text.contains(word.as_str())));
            prop_assert!(why.runner_up.is_none_or(|(_, points)| points < why.points));
        }
        prop_assert!(language::guess(&text).is_none_or(|tag| language::base(tag).len() >= 2));
    }

    #[test]
    fn words_stand_in_the_text_in_order(text in any::<String>()) {
        let found = words(&text);
        prop_assert!(found.is_sorted_by(|one, next| one.at.end <= next.at.start));
        prop_assert!(found.iter().all(|word| text.get(word.at.clone()).is_some() && !word.folded.is_empty()));
    }
}
