//! Accounts and their sessions.

use super::{Row, StoreError, Tx, args, statements};
use crate::domain::calendar::Timestamp;
use crate::domain::policy::{Actor, Role};
use crate::id::{AccountId, DeskId};

statements! {
    INSERT = "INSERT INTO account (id, username, name, role, desk_id, control_room, email, mobile, password_hash, active, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10)";
    BY_USERNAME = "SELECT * FROM account WHERE username = $1 AND active = 1";
    BY_ID = "SELECT * FROM account WHERE id = $1";
    ALL_ACCOUNTS = "SELECT * FROM account ORDER BY role, username";
    HEAD_OF_DESK = "SELECT * FROM account WHERE desk_id = $1 AND role = 'head' AND active = 1 ORDER BY username LIMIT 1";
    OFFICER_OF_DESK = "SELECT * FROM account WHERE desk_id = $1 AND role = 'officer' AND active = 1 ORDER BY username LIMIT 1";
    OF_CONTROL_ROOM = "SELECT * FROM account WHERE control_room = $1 AND active = 1 ORDER BY username";
    OF_ROLE = "SELECT * FROM account WHERE role = $1 AND active = 1 ORDER BY username";
    COUNT = "SELECT COUNT(*) AS n FROM account";
    INSERT_SESSION = "INSERT INTO session (token_hash, account_id, created_at, expires_at) VALUES ($1, $2, $3, $4)";
    BY_SESSION = "SELECT account.*, control_room.state AS room_state FROM session JOIN account ON account.id = session.account_id
        LEFT JOIN control_room ON control_room.code = account.control_room
        WHERE session.token_hash = $1 AND session.expires_at > $2 AND account.active = 1";
    DELETE_SESSION = "DELETE FROM session WHERE token_hash = $1";
    DELETE_EXPIRED = "DELETE FROM session WHERE expires_at <= $1";
}

/// Somebody with an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Identifier.
    pub id: AccountId,
    /// Name to sign in with.
    pub username: String,
    /// Name as shown.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Desk of an officer or head.
    pub desk: Option<DeskId>,
    /// Code of a coordinator's control room.
    pub control_room: Option<String>,
    /// Where mail reaches them.
    pub email: Option<String>,
    /// Where text messages reach them.
    pub mobile: Option<String>,
    /// Argon2id, in PHC form.
    pub password_hash: String,
    /// Whether they may sign in.
    pub active: bool,
}

/// Stores a new account.
///
/// # Errors
/// [`StoreError::Taken`] for a name in use.
pub async fn insert(tx: &mut Tx, account: &Account, now: Timestamp) -> Result<(), StoreError> {
    tx.run_one(
        INSERT,
        args![
            account.id.as_str(),
            &account.username,
            &account.name,
            account.role.code(),
            account.desk.as_ref().map(String::from),
            account.control_room.clone(),
            account.email.clone(),
            account.mobile.clone(),
            &account.password_hash,
            now
        ],
    )
    .await
}

macro_rules! one_account {
    ($($(#[$doc:meta])* $name:ident($arg:ident: &str) = $sql:ident;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// What the database says.
        pub async fn $name(tx: &mut Tx, $arg: &str) -> Result<Option<Account>, StoreError> {
            tx.first($sql, args![$arg]).await?.as_ref().map(read).transpose()
        }
    )*};
}
one_account! {
    /// The active account of a name.
    by_username(username: &str) = BY_USERNAME;
    /// An account.
    by_id(id: &str) = BY_ID;
    /// Who answers for a desk.
    head_of_desk(desk: &str) = HEAD_OF_DESK;
    /// The first officer of a desk.
    officer_of_desk(desk: &str) = OFFICER_OF_DESK;
}

/// Every account, by role and name.
///
/// # Errors
/// What the database says.
pub async fn all(tx: &mut Tx) -> Result<Vec<Account>, StoreError> {
    tx.all(ALL_ACCOUNTS, &[]).await?.iter().map(read).collect()
}

/// The coordinators of a control room.
///
/// # Errors
/// What the database says.
pub async fn of_control_room(tx: &mut Tx, code: &str) -> Result<Vec<Account>, StoreError> {
    tx.all(OF_CONTROL_ROOM, args![code]).await?.iter().map(read).collect()
}

/// Everybody of a role.
///
/// # Errors
/// What the database says.
pub async fn of_role(tx: &mut Tx, role: Role) -> Result<Vec<Account>, StoreError> {
    tx.all(OF_ROLE, args![role.code()]).await?.iter().map(read).collect()
}

/// Number of accounts; none means an empty database.
///
/// # Errors
/// What the database says.
pub async fn count(tx: &mut Tx) -> Result<i64, StoreError> {
    tx.first(COUNT, &[]).await?.ok_or(StoreError::Stale)?.int("n")
}

/// Opens a session for an account; only the hash of its token is kept.
///
/// # Errors
/// What the database says.
pub async fn open_session(
    tx: &mut Tx,
    token_hash: &str,
    account: &AccountId,
    now: Timestamp,
    until: Timestamp,
) -> Result<(), StoreError> {
    tx.run(DELETE_EXPIRED, args![now]).await?;
    tx.run_one(INSERT_SESSION, args![token_hash, account.as_str(), now, until]).await
}

/// Whose session this is.
///
/// # Errors
/// What the database says.
pub async fn by_session(tx: &mut Tx, token_hash: &str, now: Timestamp) -> Result<Option<Actor>, StoreError> {
    let Some(row) = tx.first(BY_SESSION, args![token_hash, now]).await? else {
        return Ok(None);
    };
    let account = read(&row)?;
    Ok(Some(Actor {
        account: account.id,
        name: account.name,
        role: account.role,
        desk: account.desk,
        control_room: account.control_room,
        state: row.opt_text("room_state")?,
    }))
}

/// Ends a session.
///
/// # Errors
/// What the database says.
pub async fn close_session(tx: &mut Tx, token_hash: &str) -> Result<(), StoreError> {
    tx.run(DELETE_SESSION, args![token_hash]).await.map(|_| ())
}

fn read(row: &Row) -> Result<Account, StoreError> {
    Ok(Account {
        id: row.parsed("id")?,
        username: row.text("username")?,
        name: row.text("name")?,
        role: Role::from_code(&row.text("role")?).ok_or(StoreError::Corrupt { what: "role" })?,
        desk: row.opt_parsed("desk_id")?,
        control_room: row.opt_text("control_room")?,
        email: row.opt_text("email")?,
        mobile: row.opt_text("mobile")?,
        password_hash: row.text("password_hash")?,
        active: row.flag("active")?,
    })
}
