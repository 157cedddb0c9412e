//! The closing gate under random histories: whatever officers do, in whatever order and however late, no decision against a unit is
//! closed while one of the four grounds holds and the unit was neither heard nor lawfully passed over; and the gate stands in nobody's
//! way otherwise.
//!
//! [`World`] performs each command on the domain, handing the gate the hearings of *all* cases. Beside it stands the book of a clerk
//! who knows the operating procedure and not the program: he writes down what happened, and says at each closing what he thinks of it.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use champions_hub::domain::calendar::Timestamp;
use champions_hub::domain::case::{self, Case, Channel, Command, Grounds, Outcome, Status};
use champions_hub::domain::closing_gate::Heard;
use champions_hub::domain::hearing::{self, Finding, Hearing, HearingCommand, Medium, Phase};
use champions_hub::domain::number::{CaseNumber, Series};
use champions_hub::domain::party::Applicant;
use champions_hub::domain::presence::PartyPresence;
use champions_hub::domain::refusal::Refusal;
use champions_hub::id::{CaseId, DeskId, HearingId};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::cell::RefCell;

const CASES: usize = 2;
const HISTORIES: u32 = 6_000;
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// Something that somebody does.
#[derive(Debug, Clone)]
enum Act {
    /// Take a step with a case.
    Case(usize, CaseStep),
    /// Fix a hearing so many hours from now.
    Fix(usize, Medium, i64),
    /// Take a step in one of the hearings, counted over all cases.
    Hearing(usize, HearingStep),
    /// Go the whole way of a hearing that is held, or of one ex parte, leaving out the steps whose bit is not set.
    Held(usize, Medium, u16),
    ExParte(usize, u16),
    /// Attend and decide.
    Decide(usize, Outcome, Grounds),
}

#[derive(Debug, Clone)]
enum CaseStep {
    Attend,
    Reply,
    Interim,
    Transfer,
    Decide(Outcome, Grounds),
    Close,
    Reopen,
    Appeal,
    PartyAdds,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum HearingStep {
    Serve,
    Attempt,
    PartyKnocks,
    PartyIsLetIn,
    Start,
    Pause,
    Resume,
    End,
    ExParte,
    Record,
    Order,
}

/// What the clerk wrote down of a case.
struct CaseFile {
    /// Filing, or last reopening.
    life_began: i64,
    /// Some ground was answered "yes", ever.
    ground: bool,
    against_the_unit: Option<bool>,
}

/// What the clerk wrote down of a hearing.
#[derive(Default)]
struct HearingFile {
    of: usize,
    on_paper: bool,
    due: i64,
    served: bool,
    attempts: usize,
    party_came: bool,
    party_was_in: bool,
    began: Option<i64>,
    ended: bool,
    passed_over: bool,
    record: bool,
    order: bool,
}

impl HearingFile {
    /// The unit was heard, or passed over as the procedure allows; both with record and order.
    fn concluded(&self) -> bool {
        self.ended && self.record && self.order && (self.passed_over || self.party_was_in || self.on_paper)
    }
}

/// How often what happened, so that the test knows that it saw something.
#[derive(Debug, Default)]
struct Tally {
    closed_freely: u32,
    closed_after_hearing: u32,
    closed_ex_parte: u32,
    refused: u32,
    refused_for_delay_alone: u32,
    refused_despite_hearing_before_reopening: u32,
    refused_despite_hearing_of_another_case: u32,
}

struct World {
    now: i64,
    cases: Vec<Case>,
    hearings: Vec<(Hearing, PartyPresence)>,
    case_files: Vec<CaseFile>,
    hearing_files: Vec<HearingFile>,
}

impl World {
    fn new() -> Self {
        // 23:30 in India: the calendar day ends half an hour later.
        let now = Timestamp::parse_rfc3339("2026-11-21T23:30:00+05:30").unwrap().millis();
        let cases = (1..=CASES).map(|serial| filed(u32::try_from(serial).unwrap(), now)).collect();
        let file = || CaseFile { life_began: now, ground: false, against_the_unit: None };
        Self {
            now,
            cases,
            hearings: Vec::new(),
            case_files: (0..CASES).map(|_| file()).collect(),
            hearing_files: Vec::new(),
        }
    }

    fn perform(&mut self, act: Act, tally: &mut Tally) -> Result<(), TestCaseError> {
        match act {
            Act::Case(of, step) => self.case_step(of, step, tally),
            Act::Fix(of, medium, hours) => {
                self.fix(of, medium, hours);
                Ok(())
            }
            Act::Hearing(which, step) if !self.hearings.is_empty() => {
                self.hearing_step(which % self.hearings.len(), step)
            }
            Act::Hearing(..) => Ok(()),
            Act::Decide(of, outcome, grounds) => {
                self.case_step(of, CaseStep::Attend, tally)?;
                self.case_step(of, CaseStep::Decide(outcome, grounds), tally)
            }
            Act::Held(of, medium, bits) => {
                use HearingStep::{End, Order, PartyIsLetIn, PartyKnocks, Record, Start};
                self.way(of, medium, 0, &[PartyKnocks, Start, PartyIsLetIn, End, Record, Order], bits)
            }
            Act::ExParte(of, bits) => {
                use HearingStep::{Attempt, ExParte, Order, Record, Serve};
                self.way(of, Medium::Video, 1, &[Serve, Attempt, Attempt, Attempt, ExParte, Record, Order], bits)
            }
        }
    }

    fn way(
        &mut self,
        of: usize,
        medium: Medium,
        hours: i64,
        steps: &[HearingStep],
        bits: u16,
    ) -> Result<(), TestCaseError> {
        let Some(which) = self.fix(of, medium, hours) else { return Ok(()) };
        for (bit, step) in steps.iter().enumerate() {
            // The last step but two of an ex parte waits for the hour of the hearing, now and then.
            if *step == HearingStep::ExParte && bits & 0x8000 != 0 {
                self.now += hours * HOUR;
            }
            if bits & (1 << bit) != 0 {
                self.hearing_step(which, *step)?;
            }
        }
        Ok(())
    }

    fn fix(&mut self, of: usize, medium: Medium, hours: i64) -> Option<usize> {
        let starts_at = Timestamp::from_millis(self.now + hours * HOUR);
        let hearing = Hearing::fix(HearingId::generate(self.now), self.cases[of].id.clone(), medium, starts_at, None);
        let command = Command::FixHearing { hearing: hearing.id.clone(), starts_at };
        self.decide(of, command).ok()?;
        self.hearings.push((hearing, PartyPresence::default()));
        let on_paper = matches!(medium, Medium::Telephone | Medium::InPerson);
        self.hearing_files.push(HearingFile { of, on_paper, due: starts_at.millis(), ..HearingFile::default() });
        Some(self.hearings.len() - 1)
    }

    fn decide(&mut self, of: usize, command: Command) -> Result<(), Refusal> {
        let heard: Vec<Heard> =
            self.hearings.iter().map(|(hearing, presence)| hearing.for_the_gate(*presence)).collect();
        let (case, _) = case::decide(self.cases[of].clone(), command, &heard, Timestamp::from_millis(self.now))?;
        self.cases[of] = case;
        Ok(())
    }

    fn case_step(&mut self, of: usize, step: CaseStep, tally: &mut Tally) -> Result<(), TestCaseError> {
        let text = || "words".to_owned();
        let desk = DeskId::generate(0);
        let done = self.decide(
            of,
            match step.clone() {
                CaseStep::Attend => Command::Attend { note: text() },
                CaseStep::Reply => Command::Reply { text: text() },
                CaseStep::Interim => {
                    Command::InterimReply { text: text(), expected_at: Timestamp::from_millis(self.now + DAY) }
                }
                CaseStep::Transfer => Command::Transfer { desk, assignee: None, reason: text(), subject: None },
                CaseStep::Decide(outcome, grounds) => Command::Decide { outcome, reasons: text(), grounds },
                CaseStep::Close => Command::Close { text: text() },
                CaseStep::Reopen => Command::Reopen { reason: text() },
                CaseStep::Appeal => Command::Appeal { reason: text(), desk, assignee: None },
                CaseStep::PartyAdds => Command::AddFromParty { text: text() },
            },
        );
        let file = &mut self.case_files[of];
        match (step, done) {
            (CaseStep::Close, done) => return self.judge_closing(of, done, tally),
            (CaseStep::Decide(outcome, grounds), Ok(())) => {
                file.against_the_unit = Some(outcome != Outcome::Favourable);
                file.ground |= grounds.humanitarian || grounds.injustice || grounds.harassment || grounds.undue_delay;
            }
            (CaseStep::Reopen | CaseStep::Appeal, Ok(())) => {
                file.life_began = self.now;
                file.against_the_unit = None;
            }
            _ => {}
        }
        Ok(())
    }

    /// The clerk's opinion of a closing, beside what the domain did.
    fn judge_closing(&self, of: usize, done: Result<(), Refusal>, tally: &mut Tally) -> Result<(), TestCaseError> {
        let file = &self.case_files[of];
        let late = self.now >= end_of_seventh_day(file.life_began);
        let needs_hearing = file.against_the_unit == Some(true) && (file.ground || late);
        let of_this_life = |h: &&HearingFile| h.began.is_some_and(|began| began >= file.life_began);
        let all = || self.hearing_files.iter().filter(|h| h.concluded());
        let fitting: Vec<&HearingFile> = all().filter(|h| h.of == of).filter(of_this_life).collect();
        match done {
            Ok(()) => {
                prop_assert!(file.against_the_unit.is_some(), "closed without a decision");
                prop_assert!(
                    !needs_hearing || !fitting.is_empty(),
                    "closed unheard: ground {}, late {late}",
                    file.ground
                );
                prop_assert_eq!(self.cases[of].status, Status::Closed);
                match (needs_hearing, fitting.iter().any(|h| h.passed_over)) {
                    (false, _) => tally.closed_freely += 1,
                    (true, false) => tally.closed_after_hearing += 1,
                    (true, true) => tally.closed_ex_parte += 1,
                }
            }
            Err(Refusal::HearingRequired) => {
                prop_assert!(needs_hearing, "a hearing was asked for that nobody needs");
                prop_assert!(fitting.is_empty(), "a hearing that was held did not count");
                tally.refused += 1;
                tally.refused_for_delay_alone += u32::from(!file.ground);
                tally.refused_despite_hearing_before_reopening += u32::from(all().any(|h| h.of == of));
                tally.refused_despite_hearing_of_another_case += u32::from(all().any(|h| h.of != of));
            }
            Err(_) => {}
        }
        Ok(())
    }

    fn hearing_step(&mut self, which: usize, step: HearingStep) -> Result<(), TestCaseError> {
        let words = || "words".to_owned();
        let (hearing, presence) = &mut self.hearings[which];
        let file = &mut self.hearing_files[which];
        let command = match step {
            HearingStep::PartyKnocks => {
                (presence.came, file.party_came) = (true, true);
                return Ok(());
            }
            // Nobody is let in who did not come, or while the session does not go on.
            HearingStep::PartyIsLetIn => {
                let inside = presence.came && hearing.phase == Phase::InSession;
                presence.was_in_session |= inside;
                file.party_was_in |= inside;
                return Ok(());
            }
            HearingStep::Serve => HearingCommand::Serve { channel: words() },
            HearingStep::Attempt => HearingCommand::Attempt { channel: words(), result: words() },
            HearingStep::Start => HearingCommand::Start,
            HearingStep::Pause => HearingCommand::Pause { reason: words() },
            HearingStep::Resume => HearingCommand::Resume,
            HearingStep::End => HearingCommand::End,
            HearingStep::ExParte => HearingCommand::ExParte { reason: words() },
            HearingStep::Record => HearingCommand::Record { text: words() },
            HearingStep::Order => {
                HearingCommand::Order { findings: vec![Finding { issue: words(), finding: words() }], reasons: words() }
            }
        };
        let done = hearing::decide(hearing.clone(), command, *presence, Timestamp::from_millis(self.now));
        let Ok((changed, _)) = done else { return Ok(()) };
        *hearing = changed;
        match step {
            HearingStep::Serve => file.served = true,
            HearingStep::Attempt => file.attempts += 1,
            HearingStep::Start => file.began = Some(self.now),
            HearingStep::End => file.ended = true,
            HearingStep::Record => file.record = true,
            HearingStep::Order => {
                prop_assert!(file.record, "an order without a record");
                prop_assert!(file.ended, "an order before the end");
                prop_assert!(!file.order, "a second order");
                file.order = true;
            }
            HearingStep::ExParte => {
                prop_assert!(file.served, "passed over without notice");
                prop_assert!(file.attempts >= 3, "passed over after {} attempts", file.attempts);
                prop_assert!(self.now >= file.due, "passed over before its hour");
                prop_assert!(!file.party_came, "passed over although it came");
                file.passed_over = true;
                file.ended = true;
                file.began.get_or_insert(self.now);
            }
            HearingStep::Pause | HearingStep::Resume | HearingStep::PartyKnocks | HearingStep::PartyIsLetIn => {}
        }
        Ok(())
    }
}

/// The first moment after the seventh day in India, which is five and a half hours ahead.
fn end_of_seventh_day(from: i64) -> i64 {
    let ahead = 5 * HOUR + HOUR / 2;
    ((from + ahead).div_euclid(DAY) + 8) * DAY - ahead
}

fn filed(serial: u32, now: i64) -> Case {
    let number = CaseNumber::new(Series::Grievance, 26, serial).unwrap();
    let (subject, state, text) = ("finance".to_owned(), "MH".to_owned(), "words".to_owned());
    let id = CaseId::generate(now);
    let now = Timestamp::from_millis(now);
    Case::file(
        id,
        number,
        Channel::Api,
        subject,
        state,
        String::new(),
        "en".to_owned(),
        text,
        Applicant::default(),
        now,
    )
}

fn grounds() -> impl Strategy<Value = Grounds> {
    prop_oneof![
        3 => Just(Grounds::default()),
        1 => any::<[bool; 4]>().prop_map(|[humanitarian, injustice, harassment, undue_delay]| Grounds {
            humanitarian,
            injustice,
            harassment,
            undue_delay,
        }),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![1 => Just(Outcome::Favourable), 2 => Just(Outcome::Partly), 3 => Just(Outcome::Adverse)]
}

fn medium() -> impl Strategy<Value = Medium> {
    prop::sample::select(Medium::ALL.to_vec())
}

fn case_step() -> impl Strategy<Value = CaseStep> {
    prop_oneof![
        2 => Just(CaseStep::Attend),
        1 => prop::sample::select(vec![CaseStep::Reply, CaseStep::Interim, CaseStep::Transfer, CaseStep::PartyAdds]),
        2 => (outcome(), grounds()).prop_map(|(outcome, grounds)| CaseStep::Decide(outcome, grounds)),
        6 => Just(CaseStep::Close),
        3 => Just(CaseStep::Reopen),
        1 => Just(CaseStep::Appeal),
    ]
}

fn hearing_step() -> impl Strategy<Value = HearingStep> {
    use HearingStep::{Attempt, End, ExParte, Order, PartyIsLetIn, PartyKnocks, Pause, Record, Resume, Serve, Start};
    prop::sample::select(vec![
        Serve,
        Attempt,
        Attempt,
        Attempt,
        PartyKnocks,
        PartyIsLetIn,
        Start,
        Pause,
        Resume,
        End,
        ExParte,
        Record,
        Order,
    ])
}

/// Mostly whole ways, sometimes with a step or more left out.
fn bits() -> impl Strategy<Value = u16> {
    prop_oneof![3 => Just(u16::MAX), 2 => (0_u32..7).prop_map(|bit| !(1 << bit)), 1 => any::<u16>()]
}

fn act() -> impl Strategy<Value = Act> {
    let of = || 0..CASES;
    prop_oneof![
        8 => (of(), case_step()).prop_map(|(of, step)| Act::Case(of, step)),
        1 => (of(), medium(), 0_i64..30).prop_map(|(of, medium, hours)| Act::Fix(of, medium, hours)),
        5 => (any::<usize>(), hearing_step()).prop_map(|(which, step)| Act::Hearing(which, step)),
        2 => (of(), medium(), bits()).prop_map(|(of, medium, bits)| Act::Held(of, medium, bits)),
        1 => (of(), bits()).prop_map(|(of, bits)| Act::ExParte(of, bits)),
        3 => (of(), outcome(), grounds()).prop_map(|(of, outcome, grounds)| Act::Decide(of, outcome, grounds)),
    ]
}

/// Mostly moments, sometimes days, to the millisecond about the end of a day too.
fn passing() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => Just(0_i64),
        3 => 0..2 * HOUR,
        1 => Just(30 * 60_000 + 7 * DAY - 1),
        1 => Just(30 * 60_000 + 7 * DAY),
        1 => 0..3 * DAY,
        1 => 6 * DAY..9 * DAY,
    ]
}

#[test]
fn no_path_closes_against_a_unit_that_was_not_heard() {
    let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let tally = RefCell::new(Tally::default());
    let histories = prop::collection::vec((passing(), act()), 1..60);
    let outcome = runner.run(&histories, |history| {
        let mut world = World::new();
        for (passing, act) in history {
            world.now += passing;
            world.perform(act, &mut tally.borrow_mut())?;
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    let tally = tally.into_inner();
    eprintln!("{HISTORIES} histories: {tally:?}");
    let Tally {
        closed_freely,
        closed_after_hearing,
        closed_ex_parte,
        refused,
        refused_for_delay_alone,
        refused_despite_hearing_before_reopening,
        refused_despite_hearing_of_another_case,
    } = tally;
    for seen in [
        closed_freely,
        closed_after_hearing,
        closed_ex_parte,
        refused,
        refused_for_delay_alone,
        refused_despite_hearing_before_reopening,
        refused_despite_hearing_of_another_case,
    ] {
        assert!(seen >= 100, "some road was hardly gone: {tally:?}");
    }
}
