use super::*;

/// What is found, short: state/district/place.
fn found(text: &str) -> String {
    let finding = find(text);
    let state = finding.state.map(|state| state.to_string()).unwrap_or_default();
    [state.as_str(), finding.district.unwrap_or_default(), finding.place.unwrap_or_default()].join("/")
}

#[test]
fn english_texts() {
    for (text, expected) in [
        ("My bank refused my working capital loan, unit in Pune", "MH/Pune/Pune"),
        ("unit in PUNE", "MH/Pune/Pune"),
        ("We are at Bhosari, Pune", "MH/Pune/Pune"),
        ("Powerloom unit, Bhiwandi dist Thane", "MH/Thane/Bhiwandi"),
        ("I run a foundry in Bombay", "MH/Mumbai/Mumbai"),
        ("Bangalore based startup", "KA/Bengaluru Urban/Bengaluru"),
        ("carpet weaver of Bhadohi, U.P.", "UP/Bhadohi/Bhadohi"),
        ("from Kanpur Dehat", "UP/Kanpur Dehat/Kanpur Dehat"),
        ("Orissa", "OD//"),
        ("Our factory is in Tamil Nadu", "TN//"),
        ("a unit in UP", "UP//"),
        ("Silvassa plant", "DH/Dadra and Nagar Haveli/Silvassa"),
        ("Tirupur knitwear exporter", "TN/Tiruppur/Tiruppur"),
        ("Chandigarh", "CH/Chandigarh/Chandigarh"),
        ("Port Blair", "AN/South Andaman/Sri Vijaya Puram"),
        ("walnut unit, J&K", "JK//"),
        ("J. K. Enterprises", "//"),
        ("village Rampur, district Saharanpur, UP", "UP/Saharanpur/Saharanpur"),
    ] {
        assert_eq!(found(text), expected, "{text}: {:?}", find(text));
    }
}

#[test]
fn hindi_texts() {
    for (text, expected) in [
        ("बैंक ने ऋण नहीं दिया, इकाई पुणे में है", "MH/Pune/Pune"),
        ("मुम्बई से बोल रहा हूँ", "MH/Mumbai/Mumbai"),
        ("उत्तर प्रदेश के कानपुर में कारखाना", "UP/Kanpur Nagar/Kanpur"),
        ("बिहार के गया में इकाई", "BR/Gaya/Gaya"),
        ("लुधियाना", "PB/Ludhiana/Ludhiana"),
        ("मध्य प्रदेश", "MP//"),
        ("हमारी इकाई इन्दौर में है और खरीदार दिल्ली का है", "MP/Indore/Indore"),
    ] {
        assert_eq!(found(text), expected, "{text}: {:?}", find(text));
    }
}

#[test]
fn a_name_in_two_states_says_no_state_unless_the_text_does() {
    for name in ["Aurangabad", "Bilaspur", "Hamirpur", "Pratapgarh", "Balrampur", "Bijapur", "Berhampur", "बिलासपुर"]
    {
        let finding = find(&format!("unit in {name}"));
        assert_eq!((finding.state, finding.district), (None, None), "{name}");
        assert_eq!(finding.candidates.len(), 2, "{name}");
    }
    assert_eq!(found("Bilaspur, Chhattisgarh"), "CG/Bilaspur/Bilaspur");
    assert_eq!(found("Bilaspur HP"), "HP/Bilaspur/Bilaspur");
    assert_eq!(found("Aurangabad in Bihar"), "BR/Aurangabad/Aurangabad");
    assert_eq!(found("My unit is at Aurangabad. State: Maharashtra"), "MH/Chhatrapati Sambhajinagar/Aurangabad");
    assert_eq!(found("Pratapgarh (UP)"), "UP/Pratapgarh/Pratapgarh");
    assert_eq!(found("हमीरपुर, हिमाचल प्रदेश"), "HP/Hamirpur/Hamirpur");
    assert_eq!(found("unit in Hamirpur, UDYAM-HP-04-0001234"), "HP/Hamirpur/Hamirpur");
}

#[test]
fn the_place_of_the_unit_wins_over_the_place_of_another() {
    assert_eq!(found("Our buyer in Mumbai does not pay. Our factory is in Rajkot."), "GJ/Rajkot/Rajkot");
    assert_eq!(found("I supply to a car maker of Gurgaon, my unit is in Rohtak"), "HR/Rohtak/Rohtak");
    assert_eq!(found("Pune unit, supplied pumps to a customer in Delhi"), "MH/Pune/Pune");
    assert_eq!(found("खरीदार मुंबई का है, कारखाना सूरत में है"), "GJ/Surat/Surat");
    // Two places and nothing to choose by.
    let finding = find("Pune and Delhi");
    assert_eq!(finding.state, None);
    assert_eq!(finding.candidates.len(), 1, "Delhi is a state here: {:?}", finding.candidates);
}

#[test]
fn ordinary_words_are_no_places() {
    for text in [
        "paisa nahi diya gaya",
        "mandi me bhaav gir gaya",
        "पैसा नहीं दिया गया",
        "Mr Anand refused to listen",
        "I come on Mon and Tue",
        "Nirmal enterprises",
        "puri tarah se band",
        "no place here at all",
        "I gave it in or as at me",
        "OUR BILL IS OR WAS AS GOOD",
        "a 10 HP motor",
        "the riverpune",
        "",
    ] {
        assert_eq!(find(text), Finding::default(), "{text}");
    }
    assert_eq!(found("our unit in Gaya"), "BR/Gaya/Gaya");
    assert_eq!(found("Mandi district"), "HP/Mandi/Mandi");
    assert_eq!(found("Anand, Gujarat"), "GJ/Anand/Anand");
    assert_eq!(found("Bodh Gaya"), "BR/Gaya/Gaya");
}

#[test]
fn a_bank_with_a_place_in_its_name_is_no_place() {
    assert_eq!(found("Bank of Maharashtra refused my loan"), "//");
    assert_eq!(found("Punjab National Bank refused, unit in Patna"), "BR/Patna/Patna");
    assert_eq!(found("बैंक ऑफ बड़ौदा ने मना किया, इकाई जयपुर में"), "RJ/Jaipur/Jaipur");
}

#[test]
fn an_udyam_number_tells_the_state_when_nothing_else_does() {
    let finding = find("My number is UDYAM-OR-19-0012345, please help");
    assert_eq!(finding.state.map(|state| state.to_string()).as_deref(), Some("OD"));
    assert_eq!(finding.words, ["UDYAM-OR-19-0012345"]);
    assert_eq!(found("udyam-xx-19-0012345"), "//");
}

#[test]
fn says_which_words_decided() {
    assert_eq!(find("Loan refused. Unit: Poona, Maharashtra").words, ["Poona", "Maharashtra"]);
}

#[test]
fn every_place_is_found_by_its_own_names() {
    for place in places() {
        for name in [&place.name].into_iter().chain(&place.hindi).chain(&place.aliases) {
            let state = place.state.state().map(|state| state.english.as_str()).unwrap_or_default();
            let finding = find(&format!("{name}, {state}"));
            assert_eq!(finding.state, Some(place.state), "{name}, {state}");
            assert_eq!(finding.district, Some(place.district.as_str()), "{name}, {state}");
        }
    }
}

#[test]
fn a_hundred_kilobytes_are_no_trouble() {
    let text = "unit in Pune, ".repeat(7_000);
    assert_eq!(found(&text), "MH/Pune/Pune");
}
