//! All SQL. One portable text for SQLite and PostgreSQL behind a small layer: [`Store`] gives transactions, [`Tx`] runs
//! statements with [`Value`]s and hands back [`Row`]s. Each file holds one subject; each statement stands in a
//! [`statements!`] list, so that a test prepares every one of them on both databases.

mod backend;
pub mod cases;
pub mod desks;
pub mod hearings;
pub mod inbound;
pub mod lines;
pub mod outbox;
pub mod people;
pub mod recordings;
pub mod web;

pub use backend::{Row, Store, StoreError, Tx, Value};

/// Names statements and lists them for the test that prepares them all.
macro_rules! statements {
    ($($name:ident = $sql:expr;)*) => {
        $(const $name: &str = $sql;)*
        #[cfg(test)]
        pub(in crate::store) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}
use statements;

/// Makes the list of arguments of a statement.
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::Value::from($value)),*]
    };
}
use args;

#[cfg(test)]
mod tests;
