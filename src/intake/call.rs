//! A call: what the line reported is heard by the flow, and what the flow asks is done, all in the event's transaction.

use ivr::flow::{Session, Turn};
use ivr::{Ask, CallEvent, Caller, Effect, Input, Language, Phrase, Prompt};

use super::finding::{self, Found};
use super::{Carrier, Telephony};
use crate::domain::calendar::Timestamp;
use crate::domain::case::{Case, Channel, Command};
use crate::domain::number::Series;
use crate::domain::party::Applicant;
use crate::id::CallId;
use crate::service::filing::{self, Filing};
use crate::service::{Hub, ServiceError, casework, party, sounds};
use crate::store::inbound::{self, Call};
use crate::store::{StoreError, Tx};
use crate::text::Text;

/// A call as it stands, for who acts on it.
struct Talk<'a> {
    tx: &'a mut Tx,
    hub: &'a Hub,
    now: Timestamp,
    caller: Caller,
    case: Option<Case>,
}

/// How many inputs a call has had, and who rings; `None` when there is no such call.
///
/// # Errors
/// What the database says.
pub async fn turn_of_call(hub: &Hub, carrier: Carrier, call: &str) -> Result<Option<(u32, String)>, ServiceError> {
    let mut tx = hub.store.read().await?;
    let Some(call) = inbound::call(&mut tx, carrier.code(), call).await? else { return Ok(None) };
    Ok(Some((session_of(&call)?.turn(), call.caller)))
}

/// Hears an event and answers what the line is to do.
pub(super) async fn hear(
    tx: &mut Tx,
    hub: &Hub,
    lines: &Telephony,
    carrier: Carrier,
    event: &CallEvent,
    now: Timestamp,
) -> Result<String, ServiceError> {
    let mut call = inbound::take_call(tx, &new_call(carrier, event, now)?).await?;
    let mut session = session_of(&call)?;
    let chosen_before = session.chosen_language();
    let mut effects = Vec::new();
    let mut talk = Talk { tx, hub, now, caller: event.from.clone(), case: None };
    for input in event.inputs.iter().cloned() {
        let input = talk.with_language(input).await?;
        let mut turn = Turn::begin(session, input, now.millis());
        talk.remember(turn.session(), chosen_before).await?;
        while let Some(ask) = turn.ask().cloned() {
            let answer = talk.answer(ask).await?;
            turn = turn.answer(answer, now.millis());
        }
        let (next, more) = turn.finish();
        session = next;
        effects.extend(more);
    }
    // Whom to ring back is read from the calls that ended without a case; here it is only counted.
    let offers = effects.iter().filter(|effect| matches!(effect, Effect::OfferCallBack { .. })).count();
    metrics::counter!("hub_call_back_offers").increment(u64::try_from(offers).unwrap_or(u64::MAX));
    call.session = written(&session)?;
    call.case = call.case.or_else(|| talk.case.map(|case| case.id));
    if session.is_over() {
        call.ended_at = call.ended_at.or(Some(now));
    }
    inbound::update_call(talk.tx, &call).await?;
    Ok(lines.say(carrier, event.on_line, session.turn(), &effects))
}

/// What a caller hears when the hub could not act, from the session as it was last stored (`None`: not even that could
/// be read). `is_stored` tells whether the event is safe, so that it is acted on later.
pub(super) fn apology(
    session: Option<Session>,
    event: &CallEvent,
    is_stored: bool,
    now: Timestamp,
) -> (u32, Vec<Effect>) {
    let languages = session.as_ref().map_or_else(|| Language::ALL.to_vec(), |session| vec![session.language()]);
    if let (Some(mut session), true) = (session, is_stored) {
        let mut effects = Vec::new();
        let mut owed = false;
        for input in event.inputs.iter().cloned() {
            let mut turn = Turn::begin(session, input, now.millis());
            while let Some(ask) = turn.ask() {
                let failed = match ask {
                    Ask::FileGrievance { .. } => Input::FilingFailed,
                    Ask::AddRecording { .. } => Input::AddingFailed,
                    Ask::LookUp { .. } => Input::LookUpFailed,
                };
                owed |= failed != Input::LookUpFailed;
                turn = turn.answer(failed, now.millis());
            }
            let (next, more) = turn.finish();
            session = next;
            effects.extend(more);
        }
        if owed {
            return (session.turn(), effects);
        }
    }
    // The call cannot go on without a memory.
    let say = |phrase| Effect::Say {
        prompts: languages.iter().map(|language| Prompt::new(phrase, *language)).collect(),
        barge_in: false,
    };
    (0, vec![say(Phrase::CannotRecord), say(Phrase::Goodbye), Effect::HangUp])
}

/// The session that an apology goes out from.
pub(super) async fn stored_session(
    hub: &Hub,
    carrier: Carrier,
    event: &CallEvent,
) -> Result<Option<Session>, StoreError> {
    let mut tx = hub.store.read().await?;
    let call = inbound::call(&mut tx, carrier.code(), &event.call.0).await?;
    call.as_ref().map(session_of).transpose()
}

fn session_of(call: &Call) -> Result<Session, StoreError> {
    serde_json::from_str(&call.session).map_err(|_| StoreError::Corrupt { what: "session" })
}

fn written(session: &Session) -> Result<String, StoreError> {
    serde_json::to_string(session).map_err(|_| StoreError::Corrupt { what: "session" })
}

fn new_call(carrier: Carrier, event: &CallEvent, now: Timestamp) -> Result<Call, StoreError> {
    Ok(Call {
        id: CallId::generate(now.millis()),
        provider: carrier.code().to_owned(),
        external_id: event.call.0.clone(),
        caller: event.from.number().unwrap_or_default().to_owned(),
        session: written(&Session::new())?,
        case: None,
        started_at: now,
        ended_at: None,
        version: 0,
    })
}

impl Talk<'_> {
    /// No provider knows which language a number used last: we do.
    async fn with_language(&mut self, input: Input) -> Result<Input, StoreError> {
        let Input::Started { from, language_hint: None } = input else { return Ok(input) };
        let known = match from.number() {
            Some(number) => inbound::correspondent(self.tx, number).await?,
            None => None,
        };
        let language_hint = known.and_then(|known| Language::from_tag(&known.language));
        Ok(Input::Started { from, language_hint })
    }

    /// Keeps the language that was chosen on this call for the number's next call or text.
    async fn remember(&mut self, session: &Session, before: Option<Language>) -> Result<(), StoreError> {
        let (Some(language), Some(number)) = (session.chosen_language(), self.caller.number()) else { return Ok(()) };
        if Some(language) == before {
            return Ok(());
        }
        let mut known = inbound::take_correspondent(self.tx, number).await?;
        language.tag().clone_into(&mut known.language);
        inbound::put_correspondent(self.tx, &known).await
    }

    async fn answer(&mut self, ask: Ask) -> Result<Input, ServiceError> {
        match ask {
            Ask::FileGrievance { language, recording, superseded, call_back } => {
                let case = self.file(language, call_back).await?;
                self.bring(&case, recording, superseded).await?;
                let number = finding::spoken(case.number)?;
                self.case = Some(case);
                Ok(Input::Filed { number })
            }
            Ask::AddRecording { number, recording, superseded, call_back } => {
                match finding::find(self.tx, number.into(), None).await? {
                    Found::One(case) => {
                        let case = self.add(*case, call_back).await?;
                        self.bring(&case, recording, superseded).await?;
                        Ok(Input::Added)
                    }
                    // It was there when the caller was told of it. What was said still becomes a case.
                    Found::Several(_) | Found::None => {
                        let case = self.file(Language::DEFAULT, call_back).await?;
                        self.bring(&case, recording, superseded).await?;
                        self.case = Some(case);
                        Ok(Input::AddingFailed)
                    }
                }
            }
            Ask::LookUp { number } => Ok(match finding::find(self.tx, number, self.caller.number()).await? {
                Found::One(case) => {
                    Input::Found { number: finding::spoken(case.number)?, stage: finding::stage(&case) }
                }
                Found::Several(series) => Input::Several { series },
                Found::None => Input::NotFound,
            }),
        }
    }

    async fn file(&mut self, language: Language, call_back: bool) -> Result<Case, ServiceError> {
        let text = if call_back { Text::new(language.tag()).say("call-asks-to-be-rung") } else { String::new() };
        let filing = Filing {
            series: Series::Grievance,
            channel: Channel::Telephone,
            text,
            language: Some(language.tag().to_owned()),
            applicant: Applicant { mobile: self.caller.number().map(str::to_owned), ..Applicant::default() },
            subject: None,
            attachments: Vec::new(),
            author: party(""),
        };
        filing::file_in(self.tx, self.hub, filing, self.now).await
    }

    async fn add(&mut self, case: Case, call_back: bool) -> Result<Case, ServiceError> {
        let t = Text::new(&case.language);
        let mut text = t.say("call-added");
        if call_back {
            text = format!("{text} {}", t.say("call-asks-to-be-rung"));
        }
        let by = finding::author(&case, self.caller.number());
        casework::apply(self.tx, self.hub, case, Command::AddFromParty { text }, &by, self.now).await
    }

    /// Earlier takes go with the one that counts: they are then kept and forgotten by the rules of the case.
    async fn bring(
        &mut self,
        case: &Case,
        recording: ivr::RecordingRef,
        superseded: Vec<ivr::RecordingRef>,
    ) -> Result<(), StoreError> {
        let names: Vec<String> = superseded.into_iter().chain([recording]).map(|recording| recording.0).collect();
        sounds::bring(self.tx, case, &names, self.now).await
    }
}
