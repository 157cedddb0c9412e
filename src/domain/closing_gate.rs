//! The closing gate (operating procedure, clause on closing): in an extreme humanitarian case, or one of injustice,
//! harassment or undue delay, a decision against the unit cannot stand until the unit was heard. It is asked at closing,
//! whoever closes and through whichever door, and looks at facts: the clock, the ledger and the signed order.

use super::calendar::Timestamp;
use super::case::Case;
use super::hearing::Conclusion;
use super::refusal::Refusal;
use crate::id::CaseId;

/// What the gate wants to know of a hearing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The case it belongs to.
    pub case: CaseId,
    /// When it began or, ex parte, was declared.
    pub began_at: Option<Timestamp>,
    /// How it ended; `None` while it has not, or while record or order is missing.
    pub conclusion: Option<Conclusion>,
}

/// Whether the unit must be heard before the case as it is decided now may be closed.
#[must_use]
pub fn requires_hearing(case: &Case, now: Timestamp) -> bool {
    case.outcome.is_some_and(|o| o.is_against_the_unit()) && case.grounds_at(now).any()
}

/// Lets a closing pass or names the rule against it.
///
/// # Errors
/// [`Refusal::NotDecided`] without a decision, [`Refusal::HearingRequired`] where the unit was not heard.
pub fn check(case: &Case, hearings: &[Heard], now: Timestamp) -> Result<(), Refusal> {
    if case.outcome.is_none() {
        return Err(Refusal::NotDecided);
    }
    if !requires_hearing(case, now) || hearings.iter().any(|h| counts(h, case)) {
        return Ok(());
    }
    Err(Refusal::HearingRequired)
}

/// A hearing counts for this case alone, and only for its present life: one before a reopening was about another decision.
fn counts(hearing: &Heard, case: &Case) -> bool {
    hearing.case == case.id
        && hearing.conclusion.is_some()
        && hearing.began_at.is_some_and(|began| began >= case.clock_from)
}
