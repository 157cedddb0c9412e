use super::*;

fn subject(text: &str) -> Option<SubjectCode> {
    classify(text).map(|(code, _)| code)
}

#[test]
fn the_tables_are_whole() {
    assert_eq!(subjects().iter().map(|subject| subject.code).collect::<Vec<_>>(), SubjectCode::ALL);
    for (table, kept) in [
        (include_str!("subjects.csv"), subjects().len()),
        (include_str!("keywords.csv"), rows::<Line>(include_str!("keywords.csv")).len()),
    ] {
        let lines = table.lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!(lines, kept, "a line of the table was not understood");
    }
    for code in SubjectCode::ALL {
        assert_eq!(code.as_str().parse(), Ok(code));
        if code != SubjectCode::Other {
            assert!(RULES.all.iter().any(|rule| rule.subject == code), "no keyword for {code}");
        }
    }
    assert!("money".parse::<SubjectCode>().is_err());
}

#[test]
fn english_complaints_find_their_subject() {
    use SubjectCode as S;
    for (text, expected) in [
        ("My bank refused my working capital loan, unit in Pune", S::Finance),
        ("The branch has declared my account NPA and sent a recovery notice", S::Finance),
        ("A big company took our goods and has not paid our invoice for 8 months", S::DelayedPayment),
        ("Payment pending from a PSU for supplies made last year", S::DelayedPayment),
        ("GST refund of 4 lakh is stuck since March", S::Tax),
        ("Steel price doubled and there is a shortage of raw material", S::RawMaterial),
        ("Provident fund office sent notice though workers left", S::Labour),
        ("Pollution board is not giving consent to operate", S::Permission),
        ("Udyam certificate shows wrong address", S::Registration),
        ("Our bid was rejected in a tender on GeM for want of turnover", S::Procurement),
        ("Our container is held at the port, shipping bill not cleared", S::Export),
        ("Need help of tool room for mould design, machine breakdown", S::Technology),
        ("PMEGP subsidy not released by the bank", S::Scheme),
        ("Power cuts of eight hours a day in our industrial estate", S::Infrastructure),
        ("I have an idea for common cold storage and want to collaborate", S::Idea),
    ] {
        assert_eq!(subject(text), Some(expected), "{text}: {:?}", classify(text));
    }
}

#[test]
fn hindi_complaints_find_their_subject() {
    use SubjectCode as S;
    for (text, expected) in [
        ("बैंक ने मेरा कार्यशील पूँजी ऋण अस्वीकार कर दिया, इकाई पुणे में है", S::Finance),
        ("कंपनी ने आठ महीने से भुगतान नहीं किया है", S::DelayedPayment),
        ("जीएसटी रिफंड छह महीने से अटका है", S::Tax),
        ("कच्चे माल की कमी है, स्टील के दाम दोगुने हो गए", S::RawMaterial),
        ("पीएफ विभाग ने मज़दूरों के नाम पर गलत नोटिस भेजा", S::Labour),
        ("प्रदूषण बोर्ड से अनुमति नहीं मिल रही", S::Permission),
        ("उद्यम पंजीकरण में नाम गलत छप गया", S::Registration),
        ("टेंडर में छोटी इकाई की बोली बिना कारण खारिज", S::Procurement),
        ("निर्यात का कंटेनर बंदरगाह पर रुका है", S::Export),
        ("टूल रूम से साँचे की मशीन के लिए मदद चाहिए", S::Technology),
        ("पीएमईजीपी की सब्सिडी नहीं आई", S::Scheme),
        ("बिजली रोज़ छह घंटे कटती है", S::Infrastructure),
        ("मेरा एक सुझाव है", S::Idea),
    ] {
        assert_eq!(subject(text), Some(expected), "{text}: {:?}", classify(text));
    }
}

#[test]
fn hindi_in_latin_letters_finds_its_subject() {
    use SubjectCode as S;
    for (text, expected) in [
        ("Bank loan nahi de raha, karz ke liye bahut baar gaya", S::Finance),
        ("Company ne paisa nahi diya 6 mahine se, bakaya 5 lakh", S::DelayedPayment),
        ("kachcha maal bahut mehnga ho gaya", S::RawMaterial),
        ("mazdoor wapas nahi aaye", S::Labour),
        ("bijli nahi aati, karkhana band", S::Infrastructure),
        ("mera sujhav hai ki yojana badle", S::Idea),
        ("licence ke liye nagar nigam paisa maang raha hai", S::Permission),
    ] {
        assert_eq!(subject(text), Some(expected), "{text}: {:?}", classify(text));
    }
}

#[test]
fn says_which_words_decided() {
    let (code, why) = classify("My Bank refused my WORKING CAPITAL loan, unit in Pune").unwrap();
    assert_eq!(code, SubjectCode::Finance);
    assert_eq!(why.words, ["Bank", "WORKING CAPITAL", "loan"]);
    assert_eq!(why.to_string(), "Bank, WORKING CAPITAL, loan");
    assert_eq!(why.points, 7);
    assert_eq!(why.runner_up, None);
}

#[test]
fn says_nothing_rather_than_guess() {
    for text in ["", "   ", "🙂🙂", "hello", "please help me sir", "नमस्ते", "मुझे मदद चाहिए", "asdf qwer", "0123456789"]
    {
        assert_eq!(subject(text), None, "{text}");
    }
    // As much of the one as of the other.
    assert_eq!(subject("epfo gstin"), None);
}

#[test]
fn repeating_a_word_does_not_outvote_another_subject() {
    let text = format!("{} subsidy claim pending under PMEGP", "bank ".repeat(200));
    assert_eq!(subject(&text), Some(SubjectCode::Scheme));
}

#[test]
fn giving_a_registration_number_is_no_complaint_about_it() {
    assert_eq!(subject("My Udyam number UDYAM-TN-02-0123456. Loan not given."), Some(SubjectCode::Finance));
    assert_eq!(
        subject("Udyam registration no UDYAM-TN-02-0123456, electricity cut"),
        Some(SubjectCode::Infrastructure)
    );
    assert_eq!(subject("Udyam certificate UDYAM-TN-02-0123456 shows a wrong name"), Some(SubjectCode::Registration));
}

#[test]
fn stems_do_not_match_inside_words() {
    assert_eq!(subject("the riverbanks overflowed"), None);
    assert_eq!(subject("gemstone cutting"), None);
}

#[test]
fn a_hundred_kilobytes_are_no_trouble() {
    let text = "loan ".repeat(20_000);
    assert_eq!(subject(&text), Some(SubjectCode::Finance));
}

/// Text messages come to 100 KB. Whoever writes one must not hold up the others: each of these takes milliseconds, and took
/// minutes where work grew with the square of the length.
#[test]
fn an_endless_text_is_read_in_time() {
    let begun = std::time::Instant::now();
    for endless in ["x".repeat(100_000), "क".repeat(30_000), "UDYAM-MH-26-0012345 ".repeat(5_000)] {
        let text = format!("My bank refused my loan. {endless}");
        assert_eq!(classify(&text).map(|(code, _)| code), Some(SubjectCode::Finance));
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}
