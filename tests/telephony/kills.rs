//! The process is killed at any moment while texts come in. A provider brings again what it got no answer to; in the end
//! every text is one case, and no number of the series is missing or given twice.

use crate::hub::{Hub, databases, until};
use crate::line::twilio;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const KILLS: u64 = 25;
/// As many texts are under way at once.
const SENDERS: usize = 4;
/// A seed that failed stays.
const SEEDS: [u64; 1] = [0x5EED_2026];

fn number_of(text: usize) -> String {
    format!("+9198{text:08}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_kills_lose_no_text_and_file_none_twice() {
    for seed in SEEDS {
        for database in databases().await {
            let brought = story(database, seed).await;
            assert!(brought > usize::try_from(KILLS).unwrap(), "texts came in between the kills: {brought}");
        }
    }
}

async fn story(database: Option<String>, mut seed: u64) -> usize {
    let mut hub = Hub::start(database).await;
    let world = hub.all_cases().await.len();
    let next = Arc::new(AtomicUsize::new(0));
    let mut acknowledged = BTreeSet::new();
    let mut cut = 0;
    let mut unanswered: BTreeSet<usize> = BTreeSet::new();
    for _ in 0..KILLS {
        let over = Arc::new(AtomicBool::new(false));
        // First what got no answer before the kill, by the same name; then new texts.
        let again: Vec<usize> = unanswered.iter().copied().collect();
        let mut senders = tokio::task::JoinSet::new();
        for sender in 0..SENDERS {
            let (next, over) = (Arc::clone(&next), Arc::clone(&over));
            let mine: Vec<usize> = again.iter().copied().filter(|text| text % SENDERS == sender).collect();
            let line = hub.line();
            senders.spawn(async move {
                let mut answers = Vec::new();
                let mut mine = mine.into_iter();
                while !over.load(Ordering::Relaxed) {
                    let text = mine.next().unwrap_or_else(|| next.fetch_add(1, Ordering::Relaxed));
                    let from = number_of(text);
                    let sid = format!("SM{text}");
                    let fields = [
                        ("MessageSid", sid.as_str()),
                        ("From", &from),
                        ("Body", "My bank refused my loan, unit in Pune"),
                    ];
                    let answer = twilio(&line, "sms", &fields).send().await;
                    answers.push((text, answer.is_ok_and(|answer| answer.status() == 200)));
                }
                answers
            });
        }
        // The moment of the kill is wall-clock time: it falls anywhere between storing, acting and answering.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tokio::time::sleep(Duration::from_millis(20 + (seed >> 33) % 180)).await;
        hub.kill();
        over.store(true, Ordering::Relaxed);
        for (text, is_answered) in senders.join_all().await.into_iter().flatten() {
            if is_answered {
                unanswered.remove(&text);
                acknowledged.insert(text);
            } else {
                cut += 1;
                unanswered.insert(text);
            }
        }
        hub = hub.started_again().await;
    }
    for text in &unanswered {
        let (from, sid) = (number_of(*text), format!("SM{text}"));
        let fields = [("MessageSid", sid.as_str()), ("From", &from), ("Body", "My bank refused my loan, unit in Pune")];
        let answer = twilio(&hub.line(), "sms", &fields).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        acknowledged.insert(*text);
    }
    until("every stored text is done with", async || (hub.open_events().await == 0).then_some(())).await;
    for text in &acknowledged {
        hub.case_of(&number_of(*text)).await;
    }
    let cases = hub.all_cases().await;
    assert_eq!(cases.len(), world + acknowledged.len(), "one case for each text and none besides");
    let numbers: BTreeSet<String> =
        cases.iter().map(|case| case.number.to_string()).filter(|number| number.starts_with("GR")).collect();
    let last = numbers.last().unwrap()[5..12].parse::<usize>().unwrap();
    assert_eq!(numbers.len(), last, "the numbers of the series have no gap");
    eprintln!("{} texts, {KILLS} kills, {cut} texts cut off", acknowledged.len());
    acknowledged.len()
}
