//! A text message: what the dialogue makes of it is done in the event's transaction, and what is written back goes into
//! the outbox.

use ivr::number::Given;
use ivr::sms::{self, Reply, SmsAction, SmsState};
use ivr::{Caller, Language, SmsEvent};

use super::finding::{self, Found};
use crate::domain::calendar::Timestamp;
use crate::domain::case::{Case, Channel, Command, Status};
use crate::domain::number::Series;
use crate::domain::party::Applicant;
use crate::insight;
use crate::service::filing::{self, Filing};
use crate::service::notices::Post;
use crate::service::{Hub, ServiceError, casework, party};
use crate::store::inbound::{self, Correspondent};
use crate::store::{StoreError, Tx, cases};
use crate::text::Text;

/// A number shorter than this is a service's short code: what answers there is a machine.
const SHORTEST_NUMBER: usize = 8;

/// A dialogue as it stands, for who acts on it.
struct Talk<'a> {
    tx: &'a mut Tx,
    hub: &'a Hub,
    now: Timestamp,
    sender: Caller,
    state: SmsState,
}

/// Reads a text and does what it asks for.
pub(super) async fn read(tx: &mut Tx, hub: &Hub, event: &SmsEvent, now: Timestamp) -> Result<(), ServiceError> {
    let known = match event.from.number() {
        Some(number) => Some(inbound::take_correspondent(tx, number).await?),
        None => None,
    };
    let (state, actions) = sms::dialogue(state_of(known.as_ref())?, &event.text, now.millis());
    let mut talk = Talk { tx, hub, now, sender: event.from.clone(), state };
    for action in actions {
        talk.act(action).await?;
    }
    if let Some(known) = known {
        let dialogue = serde_json::to_string(&talk.state).map_err(|_| StoreError::Corrupt { what: "dialogue" })?;
        let language = talk.state.language.map_or(known.language, |language| language.tag().to_owned());
        let known = Correspondent { language, dialogue, opted_out: talk.state.opted_out, ..known };
        inbound::put_correspondent(talk.tx, &known).await?;
    }
    Ok(())
}

/// The dialogue as it was left, in the language that was chosen last, be it on a call.
fn state_of(known: Option<&Correspondent>) -> Result<SmsState, StoreError> {
    let Some(known) = known else { return Ok(SmsState::default()) };
    let language = Language::from_tag(&known.language);
    if known.dialogue.is_empty() {
        return Ok(SmsState::new(language));
    }
    let mut state: SmsState =
        serde_json::from_str(&known.dialogue).map_err(|_| StoreError::Corrupt { what: "dialogue" })?;
    state.language = language.or(state.language);
    Ok(state)
}

impl Talk<'_> {
    async fn act(&mut self, action: SmsAction) -> Result<(), ServiceError> {
        match action {
            SmsAction::File { text, language } => {
                let case = self.file(text, language).await?;
                self.acknowledge(&case, |number| Reply::Filed { number }).await
            }
            SmsAction::LookUp { number } => self.tell_standing(number).await,
            SmsAction::AddTo { number, text, language } => self.add(number, text, language).await,
            SmsAction::Reply(reply) => Ok(self.reply(&reply).await?),
            // All three stand in the state, which is stored when every action is done.
            SmsAction::SetLanguage(_) | SmsAction::OptOut | SmsAction::OptIn => Ok(()),
        }
    }

    async fn file(&mut self, text: String, written_in: Language) -> Result<Case, ServiceError> {
        // The case's language is the one to answer in: as chosen, else as written.
        let language = match self.state.language {
            Some(chosen) => chosen.tag(),
            None => insight::language::guess(&text).unwrap_or(written_in.tag()),
        };
        let filing = Filing {
            series: Series::Grievance,
            channel: Channel::Sms,
            language: Some(language.to_owned()),
            text,
            applicant: Applicant { mobile: self.sender.number().map(str::to_owned), ..Applicant::default() },
            subject: None,
            attachments: Vec::new(),
            author: party(""),
        };
        filing::file_in(self.tx, self.hub, filing, self.now).await
    }

    /// Filing itself sends number and link to an Indian mobile; other telephones get the number from here.
    async fn acknowledge(
        &mut self,
        case: &Case,
        reply: impl FnOnce(ivr::number::CaseNumber) -> Reply,
    ) -> Result<(), ServiceError> {
        if self.sender.takes_sms() {
            return Ok(());
        }
        let reply = reply(finding::spoken(case.number)?);
        Ok(self.write(&reply).await?)
    }

    async fn tell_standing(&mut self, number: Option<Given>) -> Result<(), ServiceError> {
        let reply = match number {
            None => match self.own_cases().await?.first() {
                Some(case) => standing(case)?,
                None => Reply::NoCase,
            },
            Some(given) => match finding::find(self.tx, given, self.sender.number()).await? {
                Found::One(case) => standing(&case)?,
                Found::None => Reply::NotFound { number: given },
                Found::Several(series) => {
                    let state = std::mem::take(&mut self.state);
                    let (state, actions) = sms::ask_series(state, given.ten, series, self.now.millis());
                    self.state = state;
                    for action in actions {
                        if let SmsAction::Reply(reply) = action {
                            self.write(&reply).await?;
                        }
                    }
                    return Ok(());
                }
            },
        };
        Ok(self.write(&reply).await?)
    }

    /// Adds to the case that is meant. Where none is, or it is not clear which, the words become a case of their own.
    async fn add(&mut self, number: Option<Given>, text: String, language: Language) -> Result<(), ServiceError> {
        let found = match number {
            Some(given) => finding::find(self.tx, given, self.sender.number()).await?,
            None => only_open(self.own_cases().await?),
        };
        if let Found::One(case) = found {
            let by = finding::author(&case, self.sender.number());
            let case = casework::apply(self.tx, self.hub, *case, Command::AddFromParty { text }, &by, self.now).await?;
            let number = finding::spoken(case.number)?;
            return Ok(self.write(&Reply::Added { number }).await?);
        }
        let case = self.file(text, language).await?;
        if let (Some(given), true) = (number, self.sender.takes_sms()) {
            self.write(&Reply::NotFound { number: given }).await?;
        }
        self.acknowledge(&case, |number| Reply::FiledInstead { number }).await
    }

    async fn own_cases(&mut self) -> Result<Vec<Case>, StoreError> {
        match self.sender.number() {
            Some(number) => cases::by_mobile(self.tx, number).await,
            None => Ok(Vec::new()),
        }
    }

    /// Writes what the hub has to say, unless the sender asked for silence.
    async fn write(&mut self, reply: &Reply) -> Result<(), StoreError> {
        if self.state.opted_out { Ok(()) } else { self.reply(reply).await }
    }

    /// Writes what the dialogue has to say; it keeps silent by itself.
    async fn reply(&mut self, reply: &Reply) -> Result<(), StoreError> {
        let Some(number) = self.sender.number().filter(|number| is_dialled(number)) else { return Ok(()) };
        let language = self.state.reply_language();
        let mut post = Post { tx: self.tx, links: &self.hub.links, now: self.now };
        post.plain_sms(number, Text::new(language.tag()), reply.key(), reply.text(language)).await
    }
}

fn standing(case: &Case) -> Result<Reply, StoreError> {
    Ok(Reply::Standing { number: finding::spoken(case.number)?, stage: finding::stage(case) })
}

fn only_open(own: Vec<Case>) -> Found {
    let mut open: Vec<Case> = own.into_iter().filter(|case| case.status != Status::Closed).collect();
    match (open.pop(), open.is_empty()) {
        (Some(case), true) => Found::One(Box::new(case)),
        _ => Found::None,
    }
}

/// Whether somebody can be written to at a number: the names and short codes of services answer nobody.
fn is_dialled(number: &str) -> bool {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    digits >= SHORTEST_NUMBER && number.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')'))
}

#[cfg(test)]
mod tests {
    use super::is_dialled;

    #[test]
    fn machines_are_not_answered() {
        assert!(is_dialled("+14155550123") && is_dialled("011-23063800"));
        assert!(!is_dialled("56161") && !is_dialled("VK-BANKSM") && !is_dialled(""));
    }
}
