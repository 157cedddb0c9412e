//! The subject of a text, by keywords that are data.
//!
//! Each line of `keywords.csv` gives a subject some points for the words it lists; the subject with most points wins. A phrase hides the
//! shorter words inside it only for its own subject: "bank guarantee" may speak for finance and still leave "tender" to procurement.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    fmt,
    str::FromStr,
    sync::LazyLock,
};

use serde::{Deserialize, Serialize};

use super::{
    state::listed,
    words::{Word, folded_words, is_udyam_number, words},
};

/// The least points that count as an answer: one usual word. A lone hint is no answer.
const ENOUGH: u32 = 2;

static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(|| rows(include_str!("subjects.csv")));
static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::new(&rows::<Line>(include_str!("keywords.csv"))));

/// The code of a subject. Codes are fixed; names and what follows from a subject are an administrator's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "`subjects.csv` says what each is")]
pub enum SubjectCode {
    Finance,
    DelayedPayment,
    Tax,
    RawMaterial,
    Labour,
    Permission,
    Registration,
    Procurement,
    Export,
    Technology,
    Scheme,
    Infrastructure,
    Idea,
    Other,
}

impl SubjectCode {
    /// All codes, in the order in which they are offered.
    pub const ALL: [Self; 14] = [
        Self::Finance,
        Self::DelayedPayment,
        Self::Tax,
        Self::RawMaterial,
        Self::Labour,
        Self::Permission,
        Self::Registration,
        Self::Procurement,
        Self::Export,
        Self::Technology,
        Self::Scheme,
        Self::Infrastructure,
        Self::Idea,
        Self::Other,
    ];

    /// The code as it is stored and sent: `delayed-payment`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Finance => "finance",
            Self::DelayedPayment => "delayed-payment",
            Self::Tax => "tax",
            Self::RawMaterial => "raw-material",
            Self::Labour => "labour",
            Self::Permission => "permission",
            Self::Registration => "registration",
            Self::Procurement => "procurement",
            Self::Export => "export",
            Self::Technology => "technology",
            Self::Scheme => "scheme",
            Self::Infrastructure => "infrastructure",
            Self::Idea => "idea",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for SubjectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no subject's code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the code of a subject")]
pub struct UnknownSubject(String);

impl FromStr for SubjectCode {
    type Err = UnknownSubject;

    fn from_str(code: &str) -> Result<Self, UnknownSubject> {
        Self::ALL.into_iter().find(|one| one.as_str() == code).ok_or_else(|| UnknownSubject(code.to_owned()))
    }
}

/// A subject's default names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Subject {
    /// Its code.
    pub code: SubjectCode,
    /// Its name in English.
    pub english: String,
    /// Its name in Hindi.
    pub hindi: String,
}

/// The default subjects, in the order in which they are offered.
#[must_use]
pub fn subjects() -> &'static [Subject] {
    &SUBJECTS
}

/// Why a text got its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The words that decided, as the text has them, in its order.
    pub words: Vec<String>,
    /// The points of the winner.
    pub points: u32,
    /// The next best subject and its points, when there was one.
    pub runner_up: Option<(SubjectCode, u32)>,
}

impl fmt::Display for Why {
    /// The words between commas, for the history of a case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(", "))
    }
}

/// The subject of a text and why. `None` when its words say nothing or two subjects equally much: a person at triage decides then.
#[must_use]
pub fn classify(text: &str) -> Option<(SubjectCode, Why)> {
    let text_words = without_udyam_numbers(words(text));
    let mut scores: Vec<(SubjectCode, Score)> = RULES.score(&text_words).into_iter().collect();
    scores.sort_by_key(|(_, score)| Reverse(score.points));
    let mut scores = scores.into_iter();
    let (code, score) = scores.next().filter(|(_, score)| score.points >= ENOUGH)?;
    let runner_up = scores.next().map(|(other, score)| (other, score.points));
    if runner_up.is_some_and(|(_, points)| points == score.points) {
        return None;
    }
    Some((code, Why { words: score.said(text, &text_words), points: score.points, runner_up }))
}

/// Drops registration numbers, `UDYAM-MH-26-0012345`: who gives one does not complain of it.
fn without_udyam_numbers(words: Vec<Word>) -> Vec<Word> {
    let begins: Vec<bool> = (0..words.len()).map(|at| words.get(at..at + 4).is_some_and(is_udyam_number)).collect();
    let mut to_drop = 0_u8;
    let keep = |(word, begins): (Word, bool)| {
        to_drop = if begins { 4 } else { to_drop };
        let kept = (to_drop == 0).then_some(word);
        to_drop = to_drop.saturating_sub(1);
        kept
    };
    words.into_iter().zip(begins).filter_map(keep).collect()
}

#[derive(Deserialize)]
struct Line {
    subject: SubjectCode,
    weight: u32,
    words: String,
}

/// A word or phrase that speaks for a subject.
#[derive(Debug)]
struct Rule {
    subject: SubjectCode,
    weight: u32,
    pattern: Vec<Pattern>,
}

#[derive(Debug)]
enum Pattern {
    Whole(String),
    Stem(String),
}

impl Pattern {
    fn new(word: &str) -> Option<Self> {
        let folded = folded_words(word).into_iter().next()?;
        Some(if word.ends_with('*') { Self::Stem(folded) } else { Self::Whole(folded) })
    }

    fn matches(&self, word: &str) -> bool {
        match self {
            Self::Whole(whole) => word == whole,
            Self::Stem(stem) => word.starts_with(stem.as_str()),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Whole(text) | Self::Stem(text) => text,
        }
    }
}

/// The rules, found by the first word of their pattern.
#[derive(Debug, Default)]
struct Rules {
    all: Vec<Rule>,
    by_first: HashMap<String, Vec<usize>>,
    /// Octets of the longest first word: no longer beginning of a word is looked up, or one endless word would take
    /// minutes.
    longest_first: usize,
}

/// What a subject has collected: points, and the places (first word, count of words) that gave them.
#[derive(Debug, Default)]
struct Score {
    points: u32,
    at: BTreeMap<usize, usize>,
}

impl Score {
    fn said(&self, text: &str, words: &[Word]) -> Vec<String> {
        let end = |first: usize, count: usize| words.get(first + count - 1).map(|word| word.at.end);
        self.at
            .iter()
            .filter_map(|(&first, &count)| Some(text.get(words.get(first)?.at.start..end(first, count)?)?.to_owned()))
            .collect()
    }
}

impl Rules {
    fn new(lines: &[Line]) -> Self {
        let mut rules = Self::default();
        for line in lines {
            for phrase in listed(&line.words) {
                let pattern: Vec<_> = phrase.split_whitespace().filter_map(Pattern::new).collect();
                let Some(first) = pattern.first() else { continue };
                rules.longest_first = rules.longest_first.max(first.text().len());
                rules.by_first.entry(first.text().to_owned()).or_default().push(rules.all.len());
                rules.all.push(Rule { subject: line.subject, weight: line.weight, pattern });
            }
        }
        rules
    }

    fn score(&self, words: &[Word]) -> HashMap<SubjectCode, Score> {
        let mut counted = vec![false; self.all.len()];
        let mut covered: HashMap<SubjectCode, usize> = HashMap::new();
        let mut scores: HashMap<SubjectCode, Score> = HashMap::new();
        for first in 0..words.len() {
            let mut matched: Vec<(usize, &Rule)> = self.at(words, first).collect();
            // The longest phrase first; the words inside it do not speak for the same subject again.
            matched.sort_by_key(|(_, rule)| Reverse((rule.pattern.len(), rule.weight)));
            for (index, rule) in matched {
                let covered_to = covered.entry(rule.subject).or_default();
                if *covered_to > first {
                    continue;
                }
                *covered_to = first + rule.pattern.len();
                let Some(counted) = counted.get_mut(index).filter(|counted| !**counted && rule.weight > 0) else {
                    continue;
                };
                *counted = true;
                let score = scores.entry(rule.subject).or_default();
                score.points += rule.weight;
                score.at.insert(first, rule.pattern.len());
            }
        }
        scores
    }

    /// The rules that match with their first word at `first`.
    fn at<'a>(&'a self, words: &'a [Word], first: usize) -> impl Iterator<Item = (usize, &'a Rule)> {
        let rest = words.get(first..).unwrap_or_default();
        let word = rest.first().map_or("", |word| word.folded.as_str());
        let beginnings =
            word.char_indices().map(|(at, character)| word.get(..at + character.len_utf8()).unwrap_or_default());
        beginnings
            .take_while(|beginning| beginning.len() <= self.longest_first)
            .filter_map(|beginning| self.by_first.get(beginning))
            .flatten()
            .filter_map(|&index| Some((index, self.all.get(index)?)))
            .filter(move |(_, rule)| {
                rule.pattern.len() <= rest.len()
                    && rule.pattern.iter().zip(rest).all(|(pattern, word)| pattern.matches(&word.folded))
            })
    }
}

fn rows<T: serde::de::DeserializeOwned>(table: &str) -> Vec<T> {
    csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(table.as_bytes())
        .deserialize()
        .filter_map(Result::ok)
        .collect()
}

#[cfg(test)]
#[path = "subject_tests.rs"]
mod tests;
