//! What is said on arriving at each question. Nothing is decided here.

use super::session::{Purpose, Session, State};
use crate::effect::{Ask, Effect, Gather, Record};
use crate::event::Stage;
use crate::language::Language;
use crate::number::{CaseNumber, Given, Series, TenDigits};
use crate::prompt::{Phrase, Prompt, offer_series, spell_number};

const KEY_TIMEOUT_S: u16 = 6;
const NUMBER_TIMEOUT_S: u16 = 10;
const LONGEST_RECORDING_S: u16 = 180;
/// People pause to think: a recording is not cut before they had ten seconds.
const RECORDING_SILENCE_S: u16 = 10;

/// A session being moved on, and the effects so far.
pub(super) struct Flow {
    pub(super) session: Session,
    effects: Vec<Effect>,
}

impl Flow {
    pub(super) fn of(session: Session) -> Self {
        Self { session, effects: Vec::new() }
    }

    pub(super) fn into_parts(self) -> (Session, Vec<Effect>) {
        (self.session, self.effects)
    }

    /// Says phrases to their end.
    pub(super) fn say(&mut self, phrases: &[Phrase]) {
        let prompts = self.prompts(phrases);
        self.push_say(prompts, false);
    }

    pub(super) fn ask_language(&mut self) {
        let offers = Language::ALL.into_iter().map(|language| Prompt::new(Phrase::ChooseLanguage, language)).collect();
        self.push_say(offers, true);
        self.gather(1, KEY_TIMEOUT_S, None, State::ChoosingLanguage);
    }

    /// The greeting: in the remembered language, else in all.
    pub(super) fn welcome(&mut self) {
        let welcome = |language| Prompt::new(Phrase::Welcome, language);
        let prompts = match self.session.hint {
            Some(language) => vec![welcome(language)],
            None => Language::ALL.into_iter().map(welcome).collect(),
        };
        self.push_say(prompts, true);
    }

    pub(super) fn menu(&mut self) {
        self.notice();
        self.say_until_key(&[Phrase::Menu]);
        self.gather(1, KEY_TIMEOUT_S, None, State::Menu);
    }

    pub(super) fn record(&mut self) {
        self.notice();
        let phrase = match self.session.purpose {
            Purpose::Grievance => Phrase::RecordGrievance,
            Purpose::Message | Purpose::Addition { call_back: true, .. } => Phrase::RecordMessage,
            Purpose::Addition { call_back: false, .. } => Phrase::RecordAddition,
        };
        self.say(&[phrase]);
        self.record_now();
    }

    /// Records without a further word (but never before the notice).
    pub(super) fn record_now(&mut self) {
        self.notice();
        self.effects.push(Effect::Record(Record {
            max_seconds: LONGEST_RECORDING_S,
            silence_s: RECORDING_SILENCE_S,
            finish_on: '#',
            beep: true,
        }));
        self.session.state = State::Recording;
    }

    pub(super) fn hear_back(&mut self) {
        if let Some(recording) = self.session.unkept.last().cloned() {
            self.say_until_key(&[Phrase::HeardBack]);
            self.effects.push(Effect::PlayBack { recording });
        }
        self.review();
    }

    pub(super) fn review(&mut self) {
        self.say_until_key(&[Phrase::KeepOrRepeat]);
        self.gather(1, KEY_TIMEOUT_S, None, State::Reviewing);
    }

    pub(super) fn ask_number(&mut self) {
        self.say_until_key(&[Phrase::EnterNumber]);
        self.gather(10, NUMBER_TIMEOUT_S, Some('#'), State::EnteringNumber);
    }

    pub(super) fn ask_series(&mut self, ten: TenDigits, series: Vec<Series>) {
        let language = self.session.language();
        let offers = (1_u8..=9).zip(&series).flat_map(|(key, series)| offer_series(*series, key, language));
        let prompts = [Prompt::new(Phrase::SeveralCases, language)].into_iter().chain(offers).collect();
        self.push_say(prompts, true);
        self.gather(1, KEY_TIMEOUT_S, None, State::ChoosingSeries { ten, series });
    }

    /// The number twice, and what can be done now.
    pub(super) fn tell_number(&mut self, number: CaseNumber) {
        let language = self.session.language();
        let lead = match self.session.purpose {
            Purpose::Message => Phrase::MessageKept,
            Purpose::Grievance | Purpose::Addition { .. } => Phrase::NumberIs,
        };
        let mut prompts = self.prompts(&[lead]);
        prompts.extend(spell_number(number, language));
        prompts.push(Prompt::new(Phrase::NumberAgain, language));
        prompts.extend(spell_number(number, language));
        if self.session.caller.takes_sms() {
            prompts.push(Prompt::new(Phrase::SmsFollows, language));
        }
        self.push_say(prompts, true);
        self.offer_after_filing(number);
    }

    pub(super) fn repeat_number(&mut self, number: CaseNumber) {
        let spelled = spell_number(number, self.session.language());
        self.push_say(spelled, true);
        self.offer_after_filing(number);
    }

    pub(super) fn offer_after_filing(&mut self, number: CaseNumber) {
        self.say_until_key(&[Phrase::AfterFiled]);
        self.gather(1, KEY_TIMEOUT_S, None, State::AfterFiled { number });
    }

    pub(super) fn tell_stage(&mut self, number: CaseNumber, stage: Stage) {
        self.say_until_key(&[stage_phrase(stage)]);
        self.offer_after_status(number, stage);
    }

    pub(super) fn offer_after_status(&mut self, number: CaseNumber, stage: Stage) {
        self.say_until_key(&[Phrase::AfterStatus]);
        self.gather(1, KEY_TIMEOUT_S, None, State::AfterStatus { number, stage });
    }

    pub(super) fn look_up(&mut self, number: Given) {
        self.ask(Ask::LookUp { number }, false);
    }

    pub(super) fn ask(&mut self, ask: Ask, hung_up: bool) {
        self.effects.push(Effect::Ask(ask.clone()));
        self.session.state = State::Awaiting { ask, hung_up };
    }

    /// Offers to ring back a caller who has had no answer; one without a number cannot be rung.
    pub(super) fn offer_call_back(&mut self) {
        if !self.session.served && self.session.caller.number().is_some() {
            self.effects.push(Effect::OfferCallBack { language: self.session.language() });
        }
    }

    /// Last words, and the end of the call.
    pub(super) fn part(&mut self, phrases: &[Phrase]) {
        self.say(phrases);
        self.say(&[Phrase::Goodbye]);
        self.effects.push(Effect::HangUp);
        self.session.state = State::Ended;
    }

    /// The recording notice, once a call and never cut short.
    fn notice(&mut self) {
        if !self.session.noticed {
            self.say(&[Phrase::Notice]);
            self.session.noticed = true;
        }
    }

    fn say_until_key(&mut self, phrases: &[Phrase]) {
        let prompts = self.prompts(phrases);
        self.push_say(prompts, true);
    }

    fn gather(&mut self, digits: u8, timeout_s: u16, finish_on: Option<char>, state: State) {
        self.effects.push(Effect::Gather(Gather { digits, timeout_s, finish_on }));
        self.session.state = state;
    }

    fn prompts(&self, phrases: &[Phrase]) -> Vec<Prompt> {
        let language = self.session.language();
        phrases.iter().map(|phrase| Prompt::new(*phrase, language)).collect()
    }

    fn push_say(&mut self, prompts: Vec<Prompt>, barge_in: bool) {
        if !prompts.is_empty() {
            self.effects.push(Effect::Say { prompts, barge_in });
        }
    }
}

fn stage_phrase(stage: Stage) -> Phrase {
    match stage {
        Stage::Filed => Phrase::StageFiled,
        Stage::Routed => Phrase::StageRouted,
        Stage::Attended => Phrase::StageAttended,
        Stage::Decided => Phrase::StageDecided,
        Stage::Hearing => Phrase::StageHearing,
        Stage::Closed => Phrase::StageClosed,
        Stage::Reopened => Phrase::StageReopened,
    }
}
