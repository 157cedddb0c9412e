//! The process is killed at random moments while programs file cases and ask again with the same key until they are answered: nothing
//! that was acknowledged is lost, nothing is there twice, and the numbers of the series have neither gap nor repetition.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod support;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::client::{Answer, Client};
use support::database::Database;
use support::{Hub, until};
use tokio::sync::watch;
use tokio::task::JoinSet;

const CLIENTS: usize = 4;
const SEED: u64 = 20_261_122;
/// From the moment at which the hub knows its addresses: it may still be coming up, or have answered many.
const LONGEST_LIFE: u64 = 400;
/// Tries of one request; a hub that never answers fails the test instead of keeping it.
const TRIES: usize = 3_000;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_case_is_lost_on_sqlite() {
    filing_under_fire(Database::Sqlite, 50).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_case_is_lost_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    filing_under_fire(database, 15).await;
}

/// Where the hub is now; nowhere while it is down; and whether the programs may stop when they are answered.
#[derive(Clone)]
struct Signpost {
    hub: Option<Client>,
    enough: bool,
    /// Requests answered so far.
    answered: Arc<AtomicUsize>,
}

async fn filing_under_fire(database: Database, kills: u32) {
    let mut hub = Hub::open(database).await;
    let token = hub.sign_in("officer.finance").await.token().to_owned();
    let answered = Arc::new(AtomicUsize::new(0));
    let first = Signpost { hub: Some(hub.bearer(&token)), enough: false, answered: Arc::clone(&answered) };
    let (signpost, reader) = watch::channel(first);
    let mut programs = JoinSet::new();
    for program in 0..CLIENTS {
        programs.spawn(file_and_file(program, reader.clone()));
    }
    let mut random = StdRng::seed_from_u64(SEED);
    for kill in 0..kills {
        // Every other hub lives until it has answered somebody, however slow the machine; the rest may die while they come up.
        if kill % 2 == 0 {
            let before = answered.load(Ordering::Relaxed);
            until("somebody is answered", async || (answered.load(Ordering::Relaxed) > before).then_some(())).await;
        }
        tokio::time::sleep(Duration::from_millis(random.random_range(0..LONGEST_LIFE))).await;
        hub.kill();
        signpost.send_modify(|s| s.hub = None);
        hub.come_up().await;
        signpost.send_modify(|s| s.hub = Some(hub.bearer(&token)));
    }
    hub.ready().await;
    signpost.send_modify(|s| s.enough = true);
    let mut acknowledged = BTreeMap::new();
    let mut repeated = 0;
    while let Some(program) = programs.join_next().await {
        let (filed, tries) = program.unwrap();
        repeated += tries - filed.len();
        acknowledged.extend(filed);
    }
    eprintln!("{kills} kills, {} cases acknowledged, {repeated} requests without an answer", acknowledged.len());
    assert!(acknowledged.len() >= kills as usize / 2, "too little was filed to say anything");
    assert!(repeated > 0, "no kill met a request");
    nothing_is_lost_or_double(&hub, &token, &acknowledged).await;
}

/// Files one case after the other; answers text and number of each, and how often it asked.
async fn file_and_file(program: usize, mut signpost: watch::Receiver<Signpost>) -> (Vec<(String, String)>, usize) {
    let (mut filed, mut tries) = (Vec::new(), 0);
    while !signpost.borrow().enough {
        let text = format!("The bank is silent, says program {program} for the {}th time, in Pune", filed.len());
        let number = file(&text, &mut signpost, &mut tries).await;
        filed.push((text, number));
    }
    (filed, tries)
}

async fn file(text: &str, signpost: &mut watch::Receiver<Signpost>, tries: &mut usize) -> String {
    let complaint = json!({ "series": "GR", "text": text, "subject": "finance", "applicant": { "kind": "unit", "name": "A program" } });
    for _ in 0..TRIES {
        let hub = signpost.wait_for(|s| s.hub.is_some()).await.unwrap().hub.clone().unwrap();
        *tries += 1;
        let request =
            hub.request(reqwest::Method::POST, "/api/v1/cases").header("idempotency-key", text).json(&complaint);
        match Answer::read(request).await {
            Ok(answer) => {
                assert_eq!(answer.status, 201, "{}", answer.text);
                signpost.borrow().answered.fetch_add(1, Ordering::Relaxed);
                return answer.json()["number"].as_str().unwrap().to_owned();
            }
            // Not up yet, or no longer. What came of the request nobody knows.
            Err(_) => tokio::time::sleep(BETWEEN_TRIES).await,
        }
    }
    unreachable!("asked {TRIES} times")
}

async fn nothing_is_lost_or_double(hub: &Hub, token: &str, acknowledged: &BTreeMap<String, String>) {
    let officer = hub.bearer(token);
    for (text, number) in acknowledged {
        assert_eq!(officer.case(number).await["text"], *text, "{number}");
        let kinds: Vec<String> =
            officer.history(number).await.iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect();
        assert_eq!(kinds, ["filed", "routed"], "{number}");
    }
    let all = every_case(hub).await;
    let theirs = all.iter().filter(|(_, text)| text.contains("says program")).count();
    assert_eq!(theirs, acknowledged.len(), "each request became one case");

    let mut serials: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (number, _) in &all {
        serials.entry(number[..4].to_owned()).or_default().push(number[5..12].parse().unwrap());
    }
    for (series, serials) in serials {
        let distinct: BTreeSet<u32> = serials.iter().copied().collect();
        assert_eq!(distinct.len(), serials.len(), "{series}: a number given twice");
        let last = u32::try_from(serials.len()).unwrap();
        assert!(distinct.iter().copied().eq(1..=last), "{series}: a gap below {last}: {distinct:?}");
    }
}

/// Number and text of every case there is.
async fn every_case(hub: &Hub) -> Vec<(String, String)> {
    let secretary = hub.sign_in("secretary").await;
    let (mut all, mut after) = (Vec::new(), String::new());
    for _ in 0..1_000 {
        let page = secretary.get(&format!("/api/v1/cases?limit=1000{after}")).await.ok();
        let text = |case: &serde_json::Value, key: &str| case[key].as_str().unwrap().to_owned();
        all.extend(page["items"].as_array().unwrap().iter().map(|case| (text(case, "number"), text(case, "text"))));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
    unreachable!("the list does not end")
}
