//! Cases, their numbers, history and attachments.

use super::{Row, StoreError, Tx, args, statements};
use crate::domain::calendar::Timestamp;
use crate::domain::case::{Case, CaseEvent, Channel, Outcome, Status};
use crate::domain::number::{CaseNumber, Series};
use crate::id::{AttachmentId, CaseId};

/// A closed case is due never.
const NEVER: i64 = i64::MAX;

statements! {
    NEXT_SERIAL = "INSERT INTO case_counter (series, year, last) VALUES ($1, $2, 1)
        ON CONFLICT (series, year) DO UPDATE SET last = case_counter.last + 1 RETURNING last";
    INSERT = "INSERT INTO case_file (id, number, series, status, channel, subject, state, district, language, text,
        applicant, mobile, search, desk_id, assignee, filed_at, clock_from, attend_by, conclude_by, due_at, attended_at,
        decided_at, concluded_at, outcome, reasons, grounds, told_attend_overdue, told_conclude_overdue, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
        $24, $25, $26, 0, 0, $27)";
    UPDATE = "UPDATE case_file SET status = $1, subject = $2, desk_id = $3, assignee = $4, clock_from = $5, attend_by = $6,
        conclude_by = $7, due_at = $8, attended_at = $9, decided_at = $10, concluded_at = $11, outcome = $12, reasons = $13,
        grounds = $14, version = $15,
        told_attend_overdue = CASE WHEN attend_by = $6 THEN told_attend_overdue ELSE 0 END,
        told_conclude_overdue = CASE WHEN conclude_by = $7 THEN told_conclude_overdue ELSE 0 END
        WHERE id = $16 AND version = $17";
    BY_NUMBER = "SELECT * FROM case_file WHERE number = $1";
    BY_ID = "SELECT * FROM case_file WHERE id = $1";
    BY_MOBILE = "SELECT * FROM case_file WHERE mobile = $1 ORDER BY id DESC LIMIT 20";
    NEWEST_FIRST = "SELECT * FROM case_file WHERE (CAST($1 AS TEXT) IS NULL OR id < $1)
        AND (CAST($2 AS TEXT) IS NULL OR status = $2) AND (CAST($3 AS TEXT) IS NULL OR series = $3)
        AND (CAST($4 AS TEXT) IS NULL OR subject = $4) AND (CAST($5 AS TEXT) IS NULL OR state = $5)
        AND (CAST($6 AS TEXT) IS NULL OR desk_id = $6 OR assignee = $7)
        AND (CAST($8 AS TEXT) IS NULL OR search LIKE $8)
        AND (CAST($9 AS TEXT) IS NULL OR assignee = $9)
        ORDER BY id DESC LIMIT $10";
    DUE_FIRST = "SELECT * FROM case_file WHERE (due_at > $1 OR (due_at = $1 AND id > $2))
        AND (CAST($3 AS BIGINT) IS NULL OR due_at < $3)
        AND (CAST($4 AS TEXT) IS NULL OR assignee = $4) AND (CAST($5 AS TEXT) IS NULL OR state = $5)
        AND (CAST($6 AS TEXT) IS NULL OR desk_id = $6 OR assignee = $7)
        AND (CAST($8 AS TEXT) IS NULL OR search LIKE $8)
        ORDER BY due_at, id LIMIT $9";
    ATTEND_OVERDUE = "SELECT * FROM case_file WHERE told_attend_overdue = 0 AND attend_by < $1 AND attended_at IS NULL
        AND status <> 'closed' ORDER BY attend_by LIMIT $2";
    CONCLUDE_OVERDUE = "SELECT * FROM case_file WHERE told_conclude_overdue = 0 AND conclude_by < $1
        AND status <> 'closed' ORDER BY conclude_by LIMIT $2";
    MARK_ATTEND = "UPDATE case_file SET told_attend_overdue = 1, version = version + 1 WHERE id = $1 AND version = $2";
    MARK_CONCLUDE = "UPDATE case_file SET told_conclude_overdue = 1, version = version + 1 WHERE id = $1 AND version = $2";
    INSERT_EVENT = "INSERT INTO case_event (case_id, seq, at, actor_id, actor_name, actor_role, kind, data)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    EVENTS = "SELECT * FROM case_event WHERE case_id = $1 ORDER BY seq";
    INSERT_ATTACHMENT = "INSERT INTO attachment (id, case_id, name, media_type, size, sha256, path, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    ADOPT_ATTACHMENT = "UPDATE attachment SET case_id = $1 WHERE id = $2 AND case_id IS NULL";
    ATTACHMENTS = "SELECT * FROM attachment WHERE case_id = $1 ORDER BY id";
    ATTACHMENT = "SELECT * FROM attachment WHERE id = $1";
    COUNT_FILED = "SELECT COUNT(*) AS n FROM case_file WHERE filed_at >= $1 AND filed_at < $2";
    COUNT_CONCLUDED = "SELECT COUNT(*) AS n FROM case_file WHERE concluded_at >= $1 AND concluded_at < $2";
    COUNT_OPEN = "SELECT COUNT(*) AS n FROM case_file WHERE filed_at < $1 AND (concluded_at IS NULL OR concluded_at >= $1)";
    COUNT_ATTEND_OVERDUE = "SELECT COUNT(*) AS n FROM case_file WHERE attend_by < $1 AND (attended_at IS NULL OR attended_at >= $1)
        AND (concluded_at IS NULL OR concluded_at >= $1)";
    COUNT_CONCLUDE_OVERDUE = "SELECT COUNT(*) AS n FROM case_file WHERE conclude_by < $1 AND (concluded_at IS NULL OR concluded_at >= $1)";
    COUNT_LISTED = "SELECT COUNT(*) AS n FROM case_file WHERE (CAST($1 AS BIGINT) IS NULL OR due_at < $1)
        AND (CAST($2 AS TEXT) IS NULL OR assignee = $2) AND (CAST($3 AS TEXT) IS NULL OR state = $3)
        AND (CAST($4 AS TEXT) IS NULL OR desk_id = $4 OR assignee = $5)
        AND (CAST($6 AS TEXT) IS NULL OR search LIKE $6)";
    OVERDUE_BY_STATE = "SELECT state, COUNT(*) AS n FROM case_file WHERE due_at < $1 GROUP BY state ORDER BY state";
    FILED_BY_STATE = "SELECT state, COUNT(*) AS n FROM case_file WHERE filed_at >= $1 GROUP BY state ORDER BY state";
    OPEN_BY_STATE = "SELECT state, COUNT(*) AS n FROM case_file WHERE status <> 'closed' GROUP BY state ORDER BY state";
}

/// Who did something, as history keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Account, where it was a person with one.
    pub id: Option<String>,
    /// Name as shown.
    pub name: String,
    /// Role, `party` for the unit, `system` for the hub itself.
    pub role: String,
}

/// A line of history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine<E> {
    /// Place in the history.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub author: Author,
    /// What.
    pub event: E,
}

/// Something kept beside a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Identifier.
    pub id: AttachmentId,
    /// The case, once there is one.
    pub case: Option<CaseId>,
    /// Name as given.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Octets.
    pub size: i64,
    /// SHA-256 of the content, hexadecimal.
    pub sha256: String,
    /// Place below the data folder.
    pub path: String,
    /// When it was kept.
    pub created_at: Timestamp,
}

/// Which cases to list. `None` leaves a condition out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this state of a case's life.
    pub status: Option<String>,
    /// Of this series.
    pub series: Option<String>,
    /// On this subject.
    pub subject: Option<String>,
    /// From this state of the union.
    pub state: Option<String>,
    /// At this desk, or assigned to this account: desk, account.
    pub desk_or_assignee: Option<(String, String)>,
    /// Assigned to this account.
    pub assignee: Option<String>,
    /// Containing this text in number, names or words.
    pub search: Option<String>,
    /// Due before this moment.
    pub due_before: Option<Timestamp>,
}

/// Takes the next number of a series and year (two digits).
///
/// # Errors
/// What the database says; [`StoreError::Corrupt`] when seven digits are used up.
pub async fn next_number(tx: &mut Tx, series: Series, year: u8) -> Result<CaseNumber, StoreError> {
    let row = tx.first(NEXT_SERIAL, args![series.letters(), i64::from(year)]).await?;
    let last = row.ok_or(StoreError::Stale)?.int("last")?;
    u32::try_from(last)
        .ok()
        .and_then(|serial| CaseNumber::new(series, year, serial))
        .ok_or(StoreError::Corrupt { what: "case_counter" })
}

/// Stores a new case.
///
/// # Errors
/// What the database says.
pub async fn insert(tx: &mut Tx, case: &Case) -> Result<(), StoreError> {
    tx.run_one(
        INSERT,
        args![
            case.id.as_str(),
            case.number.to_string(),
            case.series().letters(),
            case.status.code(),
            case.channel.code(),
            &case.subject,
            &case.state,
            &case.district,
            &case.language,
            &case.text,
            to_json(&case.applicant),
            case.applicant.mobile.clone(),
            searchable(case),
            case.desk.as_ref().map(String::from),
            case.assignee.as_ref().map(String::from),
            case.filed_at,
            case.clock_from,
            case.attend_by,
            case.conclude_by,
            due_at(case),
            case.attended_at,
            case.decided_at,
            case.concluded_at,
            case.outcome.map(Outcome::code),
            &case.reasons,
            to_json(&case.grounds),
            case.version,
        ],
    )
    .await
}

/// Stores a changed case; `case.version` is one more than the version it was loaded with.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else changed it meanwhile.
pub async fn update(tx: &mut Tx, case: &Case) -> Result<(), StoreError> {
    tx.run_one(
        UPDATE,
        args![
            case.status.code(),
            &case.subject,
            case.desk.as_ref().map(String::from),
            case.assignee.as_ref().map(String::from),
            case.clock_from,
            case.attend_by,
            case.conclude_by,
            due_at(case),
            case.attended_at,
            case.decided_at,
            case.concluded_at,
            case.outcome.map(Outcome::code),
            &case.reasons,
            to_json(&case.grounds),
            case.version,
            case.id.as_str(),
            case.version - 1,
        ],
    )
    .await
}

/// Finds a case by its number.
///
/// # Errors
/// What the database says.
pub async fn by_number(tx: &mut Tx, number: CaseNumber) -> Result<Option<Case>, StoreError> {
    tx.first(BY_NUMBER, args![number.to_string()]).await?.as_ref().map(read).transpose()
}

/// Finds a case by its identifier.
///
/// # Errors
/// What the database says.
pub async fn by_id(tx: &mut Tx, id: &CaseId) -> Result<Option<Case>, StoreError> {
    tx.first(BY_ID, args![id.as_str()]).await?.as_ref().map(read).transpose()
}

/// The newest cases of a telephone number, at most twenty.
///
/// # Errors
/// What the database says.
pub async fn by_mobile(tx: &mut Tx, mobile: &str) -> Result<Vec<Case>, StoreError> {
    tx.all(BY_MOBILE, args![mobile]).await?.iter().map(read).collect()
}

/// A page of cases, newest first, after the case named by `after`.
///
/// # Errors
/// What the database says.
pub async fn newest_first(
    tx: &mut Tx,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Case>, StoreError> {
    let (desk, account) = split(filter);
    tx.all(
        NEWEST_FIRST,
        args![
            after,
            filter.status.clone(),
            filter.series.clone(),
            filter.subject.clone(),
            filter.state.clone(),
            desk,
            account,
            like(filter),
            filter.assignee.clone(),
            limit,
        ],
    )
    .await?
    .iter()
    .map(read)
    .collect()
}

/// A page of cases, the one due first first, after the place `(due, id)`.
///
/// # Errors
/// What the database says.
pub async fn due_first(tx: &mut Tx, filter: &Filter, after: (i64, &str), limit: i64) -> Result<Vec<Case>, StoreError> {
    let (desk, account) = split(filter);
    tx.all(
        DUE_FIRST,
        args![
            after.0,
            after.1,
            filter.due_before,
            filter.assignee.clone(),
            filter.state.clone(),
            desk,
            account,
            like(filter),
            limit,
        ],
    )
    .await?
    .iter()
    .map(read)
    .collect()
}

/// When a case is due next, as the work list sorts it.
#[must_use]
pub fn due_at(case: &Case) -> i64 {
    match (case.status, case.attended_at) {
        (Status::Closed, _) => NEVER,
        (_, None) => case.attend_by.millis(),
        (_, Some(_)) => case.conclude_by.millis(),
    }
}

/// Cases whose third day passed and of which nobody has been told.
///
/// # Errors
/// What the database says.
pub async fn attend_overdue(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<Case>, StoreError> {
    tx.all(ATTEND_OVERDUE, args![now.plus_millis(-999), limit]).await?.iter().map(read).collect()
}

/// Cases whose seventh day passed and of which nobody has been told.
///
/// # Errors
/// What the database says.
pub async fn conclude_overdue(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<Case>, StoreError> {
    tx.all(CONCLUDE_OVERDUE, args![now.plus_millis(-999), limit]).await?.iter().map(read).collect()
}

/// Marks a case told of, and takes one step of its version for the line of history.
///
/// # Errors
/// [`StoreError::Stale`] when somebody else changed it meanwhile.
pub async fn mark_told(tx: &mut Tx, case: &Case, event: &CaseEvent) -> Result<(), StoreError> {
    let statement = if matches!(event, CaseEvent::AttendOverdue) { MARK_ATTEND } else { MARK_CONCLUDE };
    tx.run_one(statement, args![case.id.as_str(), case.version]).await
}

/// Adds a line to a case's history at the place `seq`: the version of the case that the event led to.
///
/// # Errors
/// [`StoreError::Taken`] when somebody else wrote that line meanwhile.
pub async fn append(
    tx: &mut Tx,
    case: &CaseId,
    seq: i64,
    at: Timestamp,
    author: &Author,
    event: &CaseEvent,
) -> Result<(), StoreError> {
    tx.run_one(
        INSERT_EVENT,
        args![case.as_str(), seq, at, author.id.clone(), &author.name, &author.role, event.kind(), to_json(event)],
    )
    .await
}

/// The whole history of a case.
///
/// # Errors
/// What the database says.
pub async fn history(tx: &mut Tx, case: &CaseId) -> Result<Vec<HistoryLine<CaseEvent>>, StoreError> {
    tx.all(EVENTS, args![case.as_str()]).await?.iter().map(history_line).collect()
}

/// Reads a line of a history, of cases as of hearings.
pub(super) fn history_line<E: serde::de::DeserializeOwned>(row: &Row) -> Result<HistoryLine<E>, StoreError> {
    Ok(HistoryLine {
        seq: row.int("seq")?,
        at: row.time("at")?,
        author: Author { id: row.opt_text("actor_id")?, name: row.text("actor_name")?, role: row.text("actor_role")? },
        event: row.json("data")?,
    })
}

/// Keeps the facts of an attachment.
///
/// # Errors
/// What the database says.
pub async fn insert_attachment(tx: &mut Tx, a: &Attachment) -> Result<(), StoreError> {
    tx.run_one(
        INSERT_ATTACHMENT,
        args![
            a.id.as_str(),
            a.case.as_ref().map(String::from),
            &a.name,
            &a.media_type,
            a.size,
            &a.sha256,
            &a.path,
            a.created_at
        ],
    )
    .await
}

/// Gives an attachment that came before its case to the case. Answers whether it was free.
///
/// # Errors
/// What the database says.
pub async fn adopt_attachment(tx: &mut Tx, id: &AttachmentId, case: &CaseId) -> Result<bool, StoreError> {
    Ok(tx.run(ADOPT_ATTACHMENT, args![case.as_str(), id.as_str()]).await? == 1)
}

/// What is kept beside a case.
///
/// # Errors
/// What the database says.
pub async fn attachments(tx: &mut Tx, case: &CaseId) -> Result<Vec<Attachment>, StoreError> {
    tx.all(ATTACHMENTS, args![case.as_str()]).await?.iter().map(read_attachment).collect()
}

/// One attachment.
///
/// # Errors
/// What the database says.
pub async fn attachment(tx: &mut Tx, id: &AttachmentId) -> Result<Option<Attachment>, StoreError> {
    tx.first(ATTACHMENT, args![id.as_str()]).await?.as_ref().map(read_attachment).transpose()
}

/// Figures of a span of time for the review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Filed in the span.
    pub filed: i64,
    /// Concluded in the span.
    pub concluded: i64,
}

/// Counts what was filed and concluded from `from` until `until`.
///
/// # Errors
/// What the database says.
pub async fn figures(tx: &mut Tx, from: Timestamp, until: Timestamp) -> Result<Figures, StoreError> {
    Ok(Figures {
        filed: number(tx, COUNT_FILED, args![from, until]).await?,
        concluded: number(tx, COUNT_CONCLUDED, args![from, until]).await?,
    })
}

/// What stood open at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Open.
    pub open: i64,
    /// Open and not attended beyond the third day.
    pub attend_overdue: i64,
    /// Open beyond the seventh day.
    pub conclude_overdue: i64,
}

/// Counts what stood open at a moment, from the stored clocks: also for one that has passed.
///
/// # Errors
/// What the database says.
pub async fn standing(tx: &mut Tx, at: Timestamp) -> Result<Standing, StoreError> {
    let past = at.plus_millis(-999);
    Ok(Standing {
        open: number(tx, COUNT_OPEN, args![at.plus_millis(1)]).await?,
        attend_overdue: number(tx, COUNT_ATTEND_OVERDUE, args![past]).await?,
        conclude_overdue: number(tx, COUNT_CONCLUDE_OVERDUE, args![past]).await?,
    })
}

/// Number of cases that [`due_first`] would list in all.
///
/// # Errors
/// What the database says.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let (desk, account) = split(filter);
    let args = args![filter.due_before, filter.assignee.clone(), filter.state.clone(), desk, account, like(filter)];
    number(tx, COUNT_LISTED, args).await
}

/// Open cases of each state.
///
/// # Errors
/// What the database says.
pub async fn open_by_state(tx: &mut Tx) -> Result<Vec<(String, i64)>, StoreError> {
    by_state(tx, OPEN_BY_STATE, &[]).await
}

/// Cases of each state that are past what is due next.
///
/// # Errors
/// What the database says.
pub async fn overdue_by_state(tx: &mut Tx, now: Timestamp) -> Result<Vec<(String, i64)>, StoreError> {
    by_state(tx, OVERDUE_BY_STATE, args![now.plus_millis(-999)]).await
}

/// Cases of each state filed since `from`.
///
/// # Errors
/// What the database says.
pub async fn filed_by_state(tx: &mut Tx, from: Timestamp) -> Result<Vec<(String, i64)>, StoreError> {
    by_state(tx, FILED_BY_STATE, args![from]).await
}

async fn by_state(tx: &mut Tx, sql: &'static str, args: &[super::Value]) -> Result<Vec<(String, i64)>, StoreError> {
    tx.all(sql, args).await?.iter().map(|row| Ok((row.text("state")?, row.int("n")?))).collect()
}

async fn number(tx: &mut Tx, sql: &'static str, args: &[super::Value]) -> Result<i64, StoreError> {
    tx.first(sql, args).await?.ok_or(StoreError::Stale)?.int("n")
}

fn split(filter: &Filter) -> (Option<String>, Option<String>) {
    filter.desk_or_assignee.clone().map_or((None, None), |(d, a)| (Some(d), Some(a)))
}

fn like(filter: &Filter) -> Option<String> {
    let words = filter.search.as_deref()?.trim().to_lowercase();
    (!words.is_empty()).then(|| format!("%{}%", words.replace(['%', '_'], " ")))
}

/// What the search looks through, in lower case.
fn searchable(case: &Case) -> String {
    let a = &case.applicant;
    [
        &case.number.to_string(),
        &case.number.digits(),
        &a.name,
        a.unit.as_deref().unwrap_or_default(),
        &case.district,
        &case.text,
    ]
    .join(" ")
    .to_lowercase()
}

pub(super) fn to_json<T: serde::Serialize>(value: &T) -> String {
    // Our own plain structs always serialise; an empty text would read back as corrupt, not as another value.
    serde_json::to_string(value).unwrap_or_default()
}

fn read(row: &Row) -> Result<Case, StoreError> {
    let code = |what| StoreError::Corrupt { what };
    Ok(Case {
        id: row.parsed("id")?,
        number: row.parsed("number")?,
        status: Status::from_code(&row.text("status")?).ok_or_else(|| code("status"))?,
        channel: Channel::from_code(&row.text("channel")?).ok_or_else(|| code("channel"))?,
        subject: row.text("subject")?,
        state: row.text("state")?,
        district: row.text("district")?,
        language: row.text("language")?,
        text: row.text("text")?,
        applicant: row.json("applicant")?,
        desk: row.opt_parsed("desk_id")?,
        assignee: row.opt_parsed("assignee")?,
        filed_at: row.time("filed_at")?,
        clock_from: row.time("clock_from")?,
        attend_by: row.time("attend_by")?,
        conclude_by: row.time("conclude_by")?,
        attended_at: row.opt_time("attended_at")?,
        decided_at: row.opt_time("decided_at")?,
        concluded_at: row.opt_time("concluded_at")?,
        outcome: row.opt_text("outcome")?.map(|o| Outcome::from_code(&o).ok_or_else(|| code("outcome"))).transpose()?,
        reasons: row.text("reasons")?,
        grounds: row.json("grounds")?,
        version: row.int("version")?,
    })
}

fn read_attachment(row: &Row) -> Result<Attachment, StoreError> {
    Ok(Attachment {
        id: row.parsed("id")?,
        case: row.opt_parsed("case_id")?,
        name: row.text("name")?,
        media_type: row.text("media_type")?,
        size: row.int("size")?,
        sha256: row.text("sha256")?,
        path: row.text("path")?,
        created_at: row.time("created_at")?,
    })
}
