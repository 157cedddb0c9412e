//! The mission's rules, pure: no clock, no input or output, nothing of ours but identifiers. What happens in the world is
//! the business of `service`; what ought to follow is decided here.

// A new state or event must be thought of in every rule.
#![warn(clippy::wildcard_enum_match_arm)]

pub mod calendar;
pub mod case;
pub mod closing_gate;
pub mod deadline;
pub mod hearing;
pub mod line;
pub mod number;
pub mod party;
pub mod policy;
pub mod presence;
pub mod refusal;
pub mod routing;
