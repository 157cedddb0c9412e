//! The administrator's page: who has an account, and whether the hub is well.

use askama::Template;

use super::{Flash, Page};

/// `GET /admin`.
#[derive(Debug, Template)]
#[template(path = "admin.html")]
pub struct Admin {
    pub page: Page,
    pub version: String,
    pub checks: Vec<Check>,
    pub accounts: Vec<AccountRow>,
}

/// One thing that must be well.
#[derive(Debug)]
pub struct Check {
    /// `database`, `disk`, `clock`, `media`, `mail`, `telephone`, `jobs`.
    pub code: String,
    pub well: bool,
    /// A figure or a sentence: "41 GB free".
    pub detail: String,
}

#[derive(Debug)]
pub struct AccountRow {
    pub username: String,
    pub name: String,
    /// As in the API.
    pub role: String,
    pub place: Option<String>,
    pub last_seen_ms: Option<i64>,
    pub enabled: bool,
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::text::Text;
    use crate::web::views::tests::{HOUR, NOW, Samples, administrator};

    pub fn admin(text: Text) -> Samples<Admin> {
        let check = |code: &str, well, detail: &str| Check { code: code.into(), well, detail: detail.into() };
        let account = |username: &str, role: &str, last_seen_ms, enabled| AccountRow {
            username: username.into(),
            name: "R. Banerjee".into(),
            role: role.into(),
            place: Some("Credit branch".into()),
            last_seen_ms,
            enabled,
        };
        vec![(
            "admin",
            Admin {
                page: administrator(text, "/admin"),
                version: "0.1.0".into(),
                checks: vec![
                    check("database", true, "SQLite, 4 ms"),
                    check("disk", true, "41 GB"),
                    check("clock", true, "±12 ms"),
                    check("media", true, "UDP 8444"),
                    check("mail", false, "connection refused"),
                    check("telephone", true, "sim"),
                    check("jobs", true, "0"),
                ],
                accounts: vec![
                    account("officer.finance", "officer", Some(NOW - HOUR), true),
                    account("head.credit", "head", None, true),
                    account("officer.old", "officer", None, false),
                ],
            },
        )]
    }
}
