//! Signing in: a name and a password for a session. A wrong name takes as long as a wrong password, and guessing is slowed.

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::links::{random_token, token_hash};
use super::{Hub, ServiceError};
use crate::domain::policy::Actor;
use crate::store::people;
use crate::time::Timestamp;

/// How long a session lasts: a working day and a little.
const SESSION_MILLIS: i64 = 12 * 3_600_000;
/// Wrong passwords for one name in [`WINDOW_MILLIS`] before it must wait.
const ATTEMPTS: u32 = 10;
const WINDOW_MILLIS: i64 = 15 * 60_000;
/// Names that are remembered at once; beyond that the oldest windows are forgotten.
const THROTTLED_NAMES: usize = 10_000;
const LONGEST_PASSWORD: usize = 1_024;

/// A hash that no password fits, so that an unknown name costs the same work.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_password("\u{0}nobody").unwrap_or_default());

/// Counts wrong passwords by name.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<String, (Timestamp, u32)>>);

impl Throttle {
    fn allows(&self, name: &str, now: Timestamp) -> bool {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(name).is_none_or(|(since, count)| now.millis() - since.millis() > WINDOW_MILLIS || *count < ATTEMPTS)
    }

    fn count(&self, name: &str, now: Timestamp) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= THROTTLED_NAMES {
            names.retain(|_, (since, _)| now.millis() - since.millis() <= WINDOW_MILLIS);
        }
        let (since, count) = names.entry(name.to_owned()).or_insert((now, 0));
        if now.millis() - since.millis() > WINDOW_MILLIS {
            (*since, *count) = (now, 0);
        }
        *count += 1;
    }
}

/// Signs in; answers the session's token, which is told once and stored as a hash.
///
/// # Errors
/// [`ServiceError::Forbidden`] for a wrong name or password, [`ServiceError::TooMany`] after too many of them.
pub async fn sign_in(hub: &Hub, username: &str, password: &str) -> Result<(String, Timestamp), ServiceError> {
    let now = hub.clock.machine_now();
    let username = username.trim().to_lowercase();
    if !hub.throttle.allows(&username, now) {
        return Err(ServiceError::TooMany);
    }
    let account = {
        let mut tx = hub.store.read().await?;
        people::by_username(&mut tx, &username).await?
    };
    let hash = account.as_ref().map_or_else(|| NOBODY.clone(), |a| a.password_hash.clone());
    let password = password.to_owned();
    let fits = tokio::task::spawn_blocking(move || password_fits(&hash, &password)).await.unwrap_or(false);
    let Some(account) = account.filter(|_| fits) else {
        hub.throttle.count(&username, now);
        return Err(ServiceError::Forbidden);
    };
    let token = random_token()?;
    let until = now.plus_millis(SESSION_MILLIS);
    let mut tx = hub.store.write().await?;
    people::open_session(&mut tx, &token_hash(&token), &account.id, now, until).await?;
    tx.commit().await?;
    Ok((token, until))
}

/// Who holds a session's token.
///
/// # Errors
/// When the database does not answer.
pub async fn who(hub: &Hub, token: &str) -> Result<Option<Actor>, ServiceError> {
    let mut tx = hub.store.read().await?;
    Ok(people::by_session(&mut tx, &token_hash(token), hub.clock.machine_now()).await?)
}

/// Ends a session.
///
/// # Errors
/// When the database does not answer.
pub async fn sign_out(hub: &Hub, token: &str) -> Result<(), ServiceError> {
    let mut tx = hub.store.write().await?;
    people::close_session(&mut tx, &token_hash(token)).await?;
    Ok(tx.commit().await?)
}

/// Hashes a password with Argon2id (RFC 9106), parameters as the crate recommends. Takes tens of milliseconds.
///
/// # Errors
/// For a password beyond 1,024 octets, or when the operating system has no randomness.
pub fn hash_password(password: &str) -> std::io::Result<String> {
    if password.len() > LONGEST_PASSWORD {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "the password is too long"));
    }
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| std::io::Error::other(error.to_string()))
}

fn password_fits(hash: &str, password: &str) -> bool {
    password.len() <= LONGEST_PASSWORD && Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_alone() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(password_fits(&hash, "correct horse"));
        assert!(!password_fits(&hash, "correct horses"));
        assert!(!password_fits("", ""));
        assert!(!password_fits(&NOBODY, ""));
    }

    #[test]
    fn guessing_is_slowed_and_forgiven_after_a_while() {
        let throttle = Throttle::default();
        let at = Timestamp::from_millis;
        for _ in 0..ATTEMPTS {
            assert!(throttle.allows("officer", at(0)));
            throttle.count("officer", at(0));
        }
        assert!(!throttle.allows("officer", at(1)));
        assert!(throttle.allows("other", at(1)));
        assert!(throttle.allows("officer", at(WINDOW_MILLIS + 1)));
    }
}
