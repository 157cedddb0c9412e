//! What a text is about: its subject, its place, its language.
//!
//! Pure: rules and names are data embedded beside the code (`keywords.csv`, `places.csv`, `states.csv`), and every answer says which words
//! decided, so that an officer can see why a case went where it went. Nothing here files, routes or stores: the service asks, then decides.
//! A guess is offered where the words give one and withheld where they do not; triage by a person is better than a wrong desk.

pub mod language;
pub mod place;
pub mod state;
pub mod subject;
mod words;

#[cfg(test)]
mod properties;
