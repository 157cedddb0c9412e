//! How cases, hearings and their histories look to a program.

use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;

use super::super::problem::ApiError;
use crate::domain::case::{Case, Grounds};
use crate::domain::closing_gate;
use crate::domain::hearing::Hearing;
use crate::service::hearings::HearingFile;
use crate::service::{Hub, ServiceError};
use crate::store::cases::Author;
use crate::store::{StoreError, Tx, hearings, people};
use crate::time::Timestamp;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins, as `after`; `null` on the last.
    pub next: Option<String>,
}

/// The four grounds.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "the operating procedure names four grounds, each yes or no")]
pub struct GroundsDocument {
    humanitarian: bool,
    injustice: bool,
    harassment: bool,
    undue_delay: bool,
}

impl From<Grounds> for GroundsDocument {
    fn from(g: Grounds) -> Self {
        Self {
            humanitarian: g.humanitarian,
            injustice: g.injustice,
            harassment: g.harassment,
            undue_delay: g.undue_delay,
        }
    }
}

/// Who filed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApplicantDocument {
    kind: &'static str,
    name: String,
    mobile: Option<String>,
    email: Option<String>,
    unit: Option<String>,
    udyam: Option<String>,
    state: Option<String>,
    district: Option<String>,
}

/// A hearing in the list of its case.
#[derive(Debug, Serialize, ToSchema)]
pub struct HearingSummary {
    id: String,
    medium: &'static str,
    status: &'static str,
    starts_at: String,
    room: String,
}

/// A case.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseDocument {
    pub(super) number: String,
    series: &'static str,
    status: &'static str,
    channel: &'static str,
    subject: String,
    state: String,
    district: String,
    language: String,
    text: String,
    applicant: ApplicantDocument,
    /// Username of the person responsible.
    assignee: Option<String>,
    assignee_name: Option<String>,
    filed_at: String,
    attend_by: String,
    conclude_by: String,
    attended_at: Option<String>,
    concluded_at: Option<String>,
    outcome: Option<&'static str>,
    reasons: Option<String>,
    grounds: GroundsDocument,
    /// Whether the unit must be heard before the case as it is decided now may be closed.
    hearing_required: bool,
    hearings: Vec<HearingSummary>,
    attachments: Vec<AttachmentDocument>,
}

/// Something kept beside a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttachmentDocument {
    id: String,
    name: String,
    media_type: String,
    size: i64,
    sha256: String,
}

/// Names of accounts, loaded once for a list.
pub(super) struct Names(HashMap<String, (String, String)>);

impl Names {
    pub(super) async fn load(tx: &mut Tx) -> Result<Self, StoreError> {
        let all = people::all(tx).await?;
        Ok(Self(all.into_iter().map(|a| (a.id.into(), (a.username, a.name))).collect()))
    }
}

pub(super) async fn case(tx: &mut Tx, case: Case, names: &Names, now: Timestamp) -> Result<CaseDocument, StoreError> {
    let heard = hearings::of_case(tx, &case.id).await?;
    let attachments = crate::store::cases::attachments(tx, &case.id).await?;
    let assignee = case.assignee.as_ref().and_then(|a| names.0.get(a.as_str()));
    Ok(CaseDocument {
        number: case.number.to_string(),
        series: case.series().letters(),
        status: case.status.code(),
        channel: case.channel.code(),
        hearing_required: closing_gate::requires_hearing(&case, now),
        grounds: case.grounds_at(now).into(),
        assignee: assignee.map(|(username, _)| username.clone()),
        assignee_name: assignee.map(|(_, name)| name.clone()),
        filed_at: case.filed_at.rfc3339(),
        attend_by: case.attend_by.rfc3339(),
        conclude_by: case.conclude_by.rfc3339(),
        attended_at: case.attended_at.map(Timestamp::rfc3339),
        concluded_at: case.concluded_at.map(Timestamp::rfc3339),
        outcome: case.outcome.map(crate::domain::case::Outcome::code),
        reasons: (!case.reasons.is_empty()).then_some(case.reasons),
        subject: case.subject,
        state: case.state,
        district: case.district,
        language: case.language,
        text: case.text,
        applicant: ApplicantDocument {
            kind: case.applicant.kind.code(),
            name: case.applicant.name,
            mobile: case.applicant.mobile,
            email: case.applicant.email,
            unit: case.applicant.unit,
            udyam: case.applicant.udyam,
            state: case.applicant.state,
            district: case.applicant.district,
        },
        hearings: heard.iter().map(summary).collect(),
        attachments: attachments
            .into_iter()
            .map(|a| AttachmentDocument {
                id: a.id.into(),
                name: a.name,
                media_type: a.media_type,
                size: a.size,
                sha256: a.sha256,
            })
            .collect(),
    })
}

/// Renders one case in a transaction of its own.
pub(super) async fn one_case(hub: &Hub, of: Case) -> Result<CaseDocument, ApiError> {
    let render = async {
        let mut tx = hub.store.read().await?;
        let names = Names::load(&mut tx).await?;
        case(&mut tx, of, &names, hub.clock.now()).await
    };
    render.await.map_err(|error| ServiceError::from(error).into())
}

fn summary(h: &Hearing) -> HearingSummary {
    HearingSummary {
        id: h.id.as_str().to_owned(),
        medium: h.medium.code(),
        status: h.phase.code(),
        starts_at: h.starts_at.rfc3339(),
        room: h.room.clone(),
    }
}

/// A line of a history or a log.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryDocument {
    pub(super) seq: i64,
    pub(super) at: String,
    pub(super) kind: &'static str,
    pub(super) by: AuthorDocument,
    /// What belongs to this kind of event.
    pub(super) detail: serde_json::Value,
}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorDocument {
    name: String,
    role: String,
}

impl From<Author> for AuthorDocument {
    fn from(author: Author) -> Self {
        Self { name: author.name, role: author.role }
    }
}

/// An attempt to reach the party.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptDocument {
    channel: String,
    result: String,
    at: String,
}

/// A finding of an order.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingDocument {
    issue: String,
    finding: String,
}

/// An order.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderDocument {
    findings: Vec<FindingDocument>,
    reasons: String,
}

/// A line of the ledger of presence.
#[derive(Debug, Serialize, ToSchema)]
pub struct PresenceDocument {
    at: String,
    member: String,
    name: String,
    role: &'static str,
    what: &'static str,
    session: &'static str,
    detail: String,
}

/// A time during which somebody's line was in trouble.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineDocument {
    member: String,
    /// `fair`, `poor` or `broken`.
    trouble: &'static str,
    from: String,
    until: String,
    /// The worst that was measured: packets lost of a hundred, and milliseconds there and back.
    loss_percent: i64,
    round_trip_ms: i64,
}

/// A hearing.
#[derive(Debug, Serialize, ToSchema)]
pub struct HearingDocument {
    id: String,
    case: String,
    medium: &'static str,
    status: &'static str,
    starts_at: String,
    control_room: Option<String>,
    /// The media room; ask for a token to join it.
    room: String,
    served_at: Option<String>,
    began_at: Option<String>,
    ended_at: Option<String>,
    attempts: Vec<AttemptDocument>,
    ex_parte: Option<String>,
    /// Whether ledger and log show that the unit was heard.
    party_heard: bool,
    record: Option<String>,
    order: Option<OrderDocument>,
    signed_at: Option<String>,
    presence: Vec<PresenceDocument>,
    /// When whose line was in trouble.
    lines: Vec<LineDocument>,
}

/// How a hearing with its file looks.
pub(super) fn hearing(file: HearingFile) -> HearingDocument {
    let h = file.hearing;
    HearingDocument {
        id: h.id.into(),
        case: file.case.number.to_string(),
        medium: h.medium.code(),
        status: h.phase.code(),
        starts_at: h.starts_at.rfc3339(),
        control_room: h.control_room,
        room: h.room,
        served_at: h.served_at.map(Timestamp::rfc3339),
        began_at: h.began_at.map(Timestamp::rfc3339),
        ended_at: h.ended_at.map(Timestamp::rfc3339),
        attempts: h
            .attempts
            .into_iter()
            .map(|a| AttemptDocument { channel: a.channel, result: a.result, at: a.at.rfc3339() })
            .collect(),
        ex_parte: h.ex_parte,
        party_heard: file.party_heard,
        record: h.record,
        order: h.order.map(|order| OrderDocument {
            findings: order
                .findings
                .into_iter()
                .map(|f| FindingDocument { issue: f.issue, finding: f.finding })
                .collect(),
            reasons: order.reasons,
        }),
        signed_at: h.signed_at.map(Timestamp::rfc3339),
        presence: file
            .ledger
            .into_iter()
            .map(|l| PresenceDocument {
                at: l.at.rfc3339(),
                member: l.member,
                name: l.name,
                role: l.part.code(),
                what: l.what.code(),
                session: l.phase.code(),
                detail: l.detail,
            })
            .collect(),
        lines: file
            .lines
            .into_iter()
            .map(|spell| LineDocument {
                member: spell.member,
                trouble: spell.trouble.code(),
                from: spell.from.rfc3339(),
                until: spell.until.rfc3339(),
                loss_percent: spell.loss_percent,
                round_trip_ms: spell.round_trip_ms,
            })
            .collect(),
    }
}
