//! Filing: a complaint, an idea, a reference becomes a case with a number, goes to the right desk, and is acknowledged.

use super::error::Check;
use super::notices::Post;
use super::once::{self, Once};
use super::{Hub, ServiceError, system};
use crate::domain::calendar::Timestamp;
use crate::domain::case::{Case, CaseEvent, Channel, Command, decide};
use crate::domain::number::Series;
use crate::domain::party::{Applicant, indian_mobile, is_email};
use crate::domain::routing;
use crate::id::{AttachmentId, CaseId};
use crate::insight::{language, place, state::StateCode, subject};
use crate::store::cases::{self, Author};
use crate::store::{Tx, desks, people};

/// The longest complaint taken as one, in characters.
pub const LONGEST_TEXT: usize = 20_000;
const LONGEST_FIELD: usize = 300;

/// What is filed.
#[derive(Debug, Clone)]
pub struct Filing {
    /// Series.
    pub series: Series,
    /// How it came.
    pub channel: Channel,
    /// The words; may be empty when there is an attachment that speaks.
    pub text: String,
    /// Language of the words; `None` guesses.
    pub language: Option<String>,
    /// Who files.
    pub applicant: Applicant,
    /// Subject code; `None` reads it from the words.
    pub subject: Option<String>,
    /// Sounds and pictures kept before.
    pub attachments: Vec<AttachmentId>,
    /// Who entered it.
    pub author: Author,
}

/// Files a case in a transaction of its own.
///
/// # Errors
/// [`ServiceError::Invalid`] with every field that is wrong.
pub async fn file(hub: &Hub, filing: Filing, once: Option<&Once>) -> Result<Case, ServiceError> {
    match file_once(hub, filing.clone(), once).await {
        Err(error) if once::may_be_done_elsewhere(&error, once) => file_once(hub, filing, once).await,
        outcome => outcome,
    }
}

async fn file_once(hub: &Hub, filing: Filing, key: Option<&Once>) -> Result<Case, ServiceError> {
    let now = hub.clock.now();
    let mut tx = hub.store.write().await?;
    if let Some(number) = once::seen(&mut tx, key).await? {
        let number = number.parse().map_err(|_| ServiceError::NotFound)?;
        return cases::by_number(&mut tx, number).await?.ok_or(ServiceError::NotFound);
    }
    let case = file_in(&mut tx, hub, filing, now).await?;
    once::keep(&mut tx, key, &case.number.to_string(), now).await?;
    tx.commit().await?;
    Ok(case)
}

/// Files a case inside a transaction that has more to do, such as marking a stored event as done.
///
/// # Errors
/// [`ServiceError::Invalid`] with every field that is wrong.
pub async fn file_in(tx: &mut Tx, hub: &Hub, filing: Filing, now: Timestamp) -> Result<Case, ServiceError> {
    let filing = checked(tx, filing).await?;
    let (subject, subject_words) = subject_of(&filing);
    let (state, district) = place_of(&filing);
    let language = filing
        .language
        .clone()
        .or_else(|| language::guess(&filing.text).map(str::to_owned))
        .unwrap_or_else(|| "en".to_owned());
    let applicant = Applicant { state: some(&state), district: some(&district), ..filing.applicant };

    let year = u8::try_from(now.ist_date().year() % 100).unwrap_or(0);
    let number = cases::next_number(tx, filing.series, year).await?;
    let id = CaseId::generate(now.millis());
    let case = Case::file(id, number, filing.channel, subject, state, district, language, filing.text, applicant, now);

    let rules = desks::rules(tx).await?;
    let route = routing::route(&rules, filing.series.letters(), &case.subject, &case.state);
    let (case, routed) = match route {
        Some(route) => {
            let assignee = match &route.rule.assignee {
                Some(account) => Some(account.clone()),
                None => people::officer_of_desk(tx, route.rule.desk.as_str()).await?.map(|a| a.id),
            };
            let why = if subject_words.is_empty() { route.why } else { format!("{} ({subject_words})", route.why) };
            let command = Command::Route { desk: route.rule.desk.clone(), assignee, why };
            let (case, event) = decide(case, command, &[], now)?;
            (case, Some(event))
        }
        None => (case, None),
    };
    cases::insert(tx, &case).await?;
    cases::append(tx, &case.id, 0, now, &filing.author, &CaseEvent::Filed { channel: case.channel }).await?;
    if let Some(event) = &routed {
        cases::append(tx, &case.id, case.version, now, &system(), event).await?;
    }
    for attachment in &filing.attachments {
        if !cases::adopt_attachment(tx, attachment, &case.id).await? {
            return Err(ServiceError::NotFound);
        }
    }
    let mut post = Post { tx, links: &hub.links, now };
    post.filed(&case).await?;
    post.assigned(&case).await?;
    Ok(case)
}

async fn checked(tx: &mut Tx, mut filing: Filing) -> Result<Filing, ServiceError> {
    let text = filing.text.trim().to_owned();
    let subjects = desks::subjects(tx).await?;
    let a = &mut filing.applicant;
    for field in [&mut a.mobile, &mut a.email, &mut a.unit, &mut a.udyam, &mut a.state, &mut a.district] {
        *field = field.as_deref().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
    }
    a.name = a.name.trim().to_owned();
    let mobile = a.mobile.as_deref().map(indian_mobile);
    let by_phone = matches!(filing.channel, Channel::Telephone | Channel::Sms);
    let state = a.state.as_deref().map(StateCode::parse);
    let short = |t: &Option<String>| t.as_ref().is_none_or(|t| t.chars().count() <= LONGEST_FIELD);
    Check::default()
        // The sound of a call may still be on its way from the provider.
        .that(
            !text.is_empty() || !filing.attachments.is_empty() || filing.channel == Channel::Telephone,
            "text",
            "error-text-missing",
        )
        .that(text.chars().count() <= LONGEST_TEXT || by_phone, "text", "error-text-long")
        .that(by_phone || !matches!(mobile, Some(None)), "mobile", "error-mobile")
        .that(a.email.as_deref().is_none_or(is_email), "email", "error-email")
        .that(!matches!(state, Some(None)), "state", "error-state")
        .that(filing.subject.as_ref().is_none_or(|s| subjects.iter().any(|k| k.code == *s)), "subject", "error-subject")
        .that(a.name.chars().count() <= LONGEST_FIELD, "name", "error-long")
        .that(short(&a.unit) && short(&a.udyam), "unit", "error-long")
        .that(short(&a.district), "district", "error-long")
        .done()?;
    if let Some(Some(e164)) = mobile {
        a.mobile = Some(e164);
    }
    a.udyam = a.udyam.as_ref().map(|u| u.to_uppercase());
    filing.text = text;
    Ok(filing)
}

/// The subject as said, else as the words say, else by series; and the words that decided.
fn subject_of(filing: &Filing) -> (String, String) {
    if let Some(said) = &filing.subject {
        return (said.clone(), String::new());
    }
    if filing.series == Series::Idea {
        return ("idea".to_owned(), String::new());
    }
    match subject::classify(&filing.text) {
        Some((code, why)) => (code.as_str().to_owned(), why.to_string()),
        None => ("other".to_owned(), String::new()),
    }
}

/// State and district as said, else as the words say. Empty when neither says it.
fn place_of(filing: &Filing) -> (String, String) {
    let found = place::find(&filing.text);
    let said = filing.applicant.state.as_deref().and_then(StateCode::parse);
    let state = said.or(found.state);
    let district = filing.applicant.district.clone().or_else(|| {
        // A district that the text names counts only inside the state that was said.
        (said.is_none() || said == found.state).then(|| found.district.or(found.place).map(str::to_owned)).flatten()
    });
    (state.map(|s| s.as_str().to_owned()).unwrap_or_default(), district.unwrap_or_default())
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}
