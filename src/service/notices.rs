//! What people are told, and when: a step in a case or a hearing becomes text messages and mails in the language of each
//! person. A notice is written and put into the outbox in the transaction of the step; a job sends it.

use super::links::Links;
use crate::domain::calendar::Timestamp;
use crate::domain::case::{Case, CaseEvent};
use crate::domain::hearing::Hearing;
use crate::domain::policy::Role;
use crate::domain::presence::Part;
use crate::id::{JobId, MessageId};
use crate::store::outbox::{self, Message};
use crate::store::people::Account;
use crate::store::{StoreError, Tx, desks, inbound, people};
use crate::text::Text;

/// The job that sends a stored message.
pub const SEND_MESSAGE: &str = "send_message";

/// Who writes and when: what every notice needs besides its words.
#[derive(Debug)]
pub(crate) struct Post<'a> {
    pub tx: &'a mut Tx,
    pub links: &'a Links,
    pub now: Timestamp,
}

struct Letter<'a> {
    channel: &'static str,
    recipient: &'a str,
    language: Text,
    template: &'a str,
    subject: String,
    text: String,
    case: &'a Case,
    hearing: Option<&'a Hearing>,
    serves_notice: bool,
}

impl Post<'_> {
    /// The unit gets its number and where the case went.
    pub(crate) async fn filed(&mut self, case: &Case) -> Result<(), StoreError> {
        let t = Text::new(&case.language);
        let desk = self.desk_name(case, t).await?;
        let facts = [
            ("name", case.applicant.name.as_str()),
            ("number", &case.number.to_string()),
            ("desk", &desk),
            ("attend_by", &t.date(case.attend_by.millis())),
            ("conclude_by", &t.date(case.conclude_by.millis())),
            ("link", &self.links.track(case.number, &case.id)),
        ];
        self.sms(case, "sms-filed", &facts).await?;
        self.mail_party(case, "mail-filed", &facts).await
    }

    /// The person a case came to learns of it.
    pub(crate) async fn assigned(&mut self, case: &Case) -> Result<(), StoreError> {
        let Some(account) = self.responsible(case).await? else { return Ok(()) };
        self.mail_staff(case, None, &account, "mail-assigned", &[]).await
    }

    /// The unit learns of a step that a person took.
    pub(crate) async fn news(&mut self, case: &Case, event: &CaseEvent) -> Result<(), StoreError> {
        let t = Text::new(&case.language);
        let mut expected = String::new();
        let (sms, what, words) = match event {
            CaseEvent::Replied { text } => ("sms-replied", "news-replied", text),
            CaseEvent::InterimReplied { text, expected_at } => {
                expected = t.date(expected_at.millis());
                ("sms-interim", "news-interim", text)
            }
            CaseEvent::Transferred { reason, .. } => ("sms-transferred", "news-transferred", reason),
            CaseEvent::Decided { reasons, .. } => ("sms-decided", "news-decided", reasons),
            CaseEvent::Closed { text } => ("sms-closed", "news-closed", text),
            CaseEvent::Reopened { reason } | CaseEvent::Appealed { reason, .. } => {
                ("sms-reopened", "news-reopened", reason)
            }
            CaseEvent::Filed { .. }
            | CaseEvent::Routed { .. }
            | CaseEvent::Attended { .. }
            | CaseEvent::HearingFixed { .. }
            | CaseEvent::PartyAdded { .. }
            | CaseEvent::SoundLost { .. }
            | CaseEvent::AttendOverdue
            | CaseEvent::ConcludeOverdue => return Ok(()),
        };
        let desk = self.desk_name(case, t).await?;
        let number = case.number.to_string();
        let link = self.links.track(case.number, &case.id);
        let what = t.say_with(what, &[("expected", &expected), ("desk", &desk)]);
        let facts = [
            ("name", case.applicant.name.as_str()),
            ("number", &number),
            ("desk", &desk),
            ("expected", &expected),
            ("what", &what),
            ("words", words),
            ("link", &link),
        ];
        self.sms(case, sms, &facts).await?;
        self.mail_party(case, "mail-news", &facts).await
    }

    /// The unit, the officer and the control room get their links to a hearing.
    pub(crate) async fn hearing_fixed(
        &mut self,
        case: &Case,
        hearing: &Hearing,
        officer: &str,
    ) -> Result<(), StoreError> {
        let t = Text::new(&case.language);
        let facts = [
            ("name", case.applicant.name.as_str()),
            ("number", &case.number.to_string()),
            ("when", &t.date_time(hearing.starts_at.millis())),
            ("medium", &t.say(&format!("notice-medium-{}", hearing.medium.code()))),
            ("officer", officer),
            ("subject", &self.subject_name(case, t).await?),
            ("reasons", &case.reasons),
            ("link", &self.links.hearing(&hearing.id, Part::Party)),
        ];
        if let Some(mobile) = self.sms_number(case).await? {
            let text = t.say_with("sms-hearing", &facts);
            self.post(&Letter {
                channel: "sms",
                recipient: &mobile,
                language: t,
                template: "sms-hearing",
                subject: String::new(),
                text,
                case,
                hearing: Some(hearing),
                serves_notice: true,
            })
            .await?;
        }
        if let Some(email) = &case.applicant.email {
            self.post(&Letter {
                channel: "mail",
                recipient: email,
                language: t,
                template: "mail-hearing",
                subject: t.say_with("mail-hearing-subject", &facts),
                text: t.say_with("mail-hearing", &facts),
                case,
                hearing: Some(hearing),
                serves_notice: true,
            })
            .await?;
        }
        if let Some(account) = self.responsible(case).await? {
            self.mail_staff(case, Some(hearing), &account, "mail-hearing-staff", &[]).await?;
        }
        if let Some(code) = &hearing.control_room {
            for account in people::of_control_room(self.tx, code).await? {
                self.mail_staff(case, Some(hearing), &account, "mail-hearing-staff", &[]).await?;
            }
        }
        Ok(())
    }

    /// Those who answer for a case that ran past a clock: the officer, the head, and after the seventh day the Secretary.
    pub(crate) async fn overdue(&mut self, case: &Case, event: &CaseEvent) -> Result<(), StoreError> {
        let template = match event {
            CaseEvent::AttendOverdue => "mail-attend-overdue",
            _ => "mail-conclude-overdue",
        };
        let officer = self.responsible(case).await?;
        let mut told: Vec<Account> = officer.iter().cloned().collect();
        if let Some(desk) = &case.desk {
            told.extend(people::head_of_desk(self.tx, desk.as_str()).await?);
        }
        if matches!(event, CaseEvent::ConcludeOverdue) {
            told.extend(people::of_role(self.tx, Role::Secretary).await?);
        }
        told.sort_by(|a, b| a.id.cmp(&b.id));
        told.dedup_by(|a, b| a.id == b.id);
        let name = officer.map_or_else(|| "–".to_owned(), |o| o.name);
        for account in told {
            self.mail_staff(case, None, &account, template, &[("officer", &name)]).await?;
        }
        Ok(())
    }

    /// The officer learns that the recording stopped.
    pub(crate) async fn recording_failed(
        &mut self,
        case: &Case,
        hearing: &Hearing,
        reason: &str,
    ) -> Result<(), StoreError> {
        let Some(account) = self.responsible(case).await? else { return Ok(()) };
        self.mail_staff(case, Some(hearing), &account, "mail-recording-failed", &[("reason", reason)]).await
    }

    /// The officer learns that what a caller said did not reach us.
    pub(crate) async fn sound_lost(&mut self, case: &Case, why: &str) -> Result<(), StoreError> {
        let Some(account) = self.responsible(case).await? else { return Ok(()) };
        let telephone = case.applicant.mobile.as_deref().unwrap_or("–");
        self.mail_staff(case, None, &account, "mail-sound-lost", &[("reason", why), ("telephone", telephone)]).await
    }

    /// A link to follow a case, for somebody who knows its number and has its telephone.
    pub(crate) async fn tracking_link(&mut self, case: &Case) -> Result<(), StoreError> {
        let facts = [("number", case.number.to_string()), ("link", self.links.track(case.number, &case.id))];
        let facts: Vec<(&str, &str)> = facts.iter().map(|(k, v)| (*k, v.as_str())).collect();
        self.sms(case, "sms-track", &facts).await
    }

    /// A text message outside any case, such as the answer to one that came in.
    pub(crate) async fn plain_sms(
        &mut self,
        number: &str,
        language: Text,
        template: &str,
        text: String,
    ) -> Result<(), StoreError> {
        let message = Message {
            id: MessageId::generate(self.now.millis()),
            channel: "sms".to_owned(),
            recipient: number.to_owned(),
            language: language.tag().to_owned(),
            template: template.to_owned(),
            subject: String::new(),
            text,
            case: None,
            hearing: None,
            serves_notice: false,
            status: String::new(),
            created_at: self.now,
        };
        self.enqueue(&message).await
    }

    async fn sms(&mut self, case: &Case, template: &str, facts: &[(&str, &str)]) -> Result<(), StoreError> {
        let Some(mobile) = self.sms_number(case).await? else { return Ok(()) };
        let t = Text::new(&case.language);
        self.post(&Letter {
            channel: "sms",
            recipient: &mobile,
            language: t,
            template,
            subject: String::new(),
            text: t.say_with(template, facts),
            case,
            hearing: None,
            serves_notice: false,
        })
        .await
    }

    async fn mail_party(&mut self, case: &Case, template: &str, facts: &[(&str, &str)]) -> Result<(), StoreError> {
        let Some(email) = &case.applicant.email else { return Ok(()) };
        let t = Text::new(&case.language);
        self.post(&Letter {
            channel: "mail",
            recipient: email,
            language: t,
            template,
            subject: t.say_with(&format!("{template}-subject"), facts),
            text: t.say_with(template, facts),
            case,
            hearing: None,
            serves_notice: false,
        })
        .await
    }

    async fn mail_staff(
        &mut self,
        case: &Case,
        hearing: Option<&Hearing>,
        account: &Account,
        template: &str,
        more: &[(&str, &str)],
    ) -> Result<(), StoreError> {
        let Some(email) = &account.email else { return Ok(()) };
        let t = Text::default();
        let number = case.number.to_string();
        let subject = self.subject_name(case, t).await?;
        let (attend_by, conclude_by) = (t.date_time(case.attend_by.millis()), t.date_time(case.conclude_by.millis()));
        let when = hearing.map_or_else(String::new, |h| t.date_time(h.starts_at.millis()));
        let medium = hearing.map_or_else(String::new, |h| t.say(&format!("notice-medium-{}", h.medium.code())));
        let link = self
            .links
            .page(&hearing.map_or_else(|| format!("/desk/cases/{number}"), |h| format!("/hearings/{}", h.id)));
        let mut facts = vec![
            ("name", account.name.as_str()),
            ("number", &number),
            ("subject", &subject),
            ("attend_by", &attend_by),
            ("conclude_by", &conclude_by),
            ("when", &when),
            ("medium", &medium),
            ("link", &link),
        ];
        facts.extend_from_slice(more);
        self.post(&Letter {
            channel: "mail",
            recipient: email,
            language: t,
            template,
            subject: t.say_with(&format!("{template}-subject"), &facts),
            text: t.say_with(template, &facts),
            case,
            hearing,
            serves_notice: false,
        })
        .await
    }

    async fn post(&mut self, letter: &Letter<'_>) -> Result<(), StoreError> {
        let message = Message {
            id: MessageId::generate(self.now.millis()),
            channel: letter.channel.to_owned(),
            recipient: letter.recipient.to_owned(),
            language: letter.language.tag().to_owned(),
            template: letter.template.to_owned(),
            subject: letter.subject.clone(),
            text: letter.text.clone(),
            case: Some(letter.case.id.as_str().to_owned()),
            hearing: letter.hearing.map(|h| h.id.as_str().to_owned()),
            serves_notice: letter.serves_notice,
            status: String::new(),
            created_at: self.now,
        };
        self.enqueue(&message).await
    }

    async fn enqueue(&mut self, message: &Message) -> Result<(), StoreError> {
        outbox::insert_message(self.tx, message).await?;
        let job = JobId::generate(self.now.millis());
        outbox::enqueue(self.tx, &job, SEND_MESSAGE, message.id.as_str(), self.now).await
    }

    /// The number to write to: a mobile that has not asked for silence.
    async fn sms_number(&mut self, case: &Case) -> Result<Option<String>, StoreError> {
        let Some(mobile) = case.applicant.mobile.as_deref().and_then(crate::domain::party::indian_mobile) else {
            return Ok(None);
        };
        let silent = inbound::correspondent(self.tx, &mobile).await?.is_some_and(|c| c.opted_out);
        Ok((!silent).then_some(mobile))
    }

    async fn responsible(&mut self, case: &Case) -> Result<Option<Account>, StoreError> {
        match (&case.assignee, &case.desk) {
            (Some(account), _) => people::by_id(self.tx, account.as_str()).await,
            (None, Some(desk)) => people::head_of_desk(self.tx, desk.as_str()).await,
            (None, None) => Ok(None),
        }
    }

    async fn desk_name(&mut self, case: &Case, t: Text) -> Result<String, StoreError> {
        let desks = desks::desks(self.tx).await?;
        let desk = desks.into_iter().find(|d| Some(&d.id) == case.desk.as_ref());
        Ok(desk.map_or_else(|| "Champions Hub".to_owned(), |d| if t.tag() == "hi" { d.name_hi } else { d.name_en }))
    }

    async fn subject_name(&mut self, case: &Case, t: Text) -> Result<String, StoreError> {
        let subjects = desks::subjects(self.tx).await?;
        let subject = subjects.into_iter().find(|s| s.code == case.subject);
        Ok(subject.map_or_else(|| case.subject.clone(), |s| if t.tag() == "hi" { s.name_hi } else { s.name_en }))
    }
}
