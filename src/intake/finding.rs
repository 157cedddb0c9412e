//! Which case is meant by what a person typed or texted, and what may be told of it: where it stands, nothing else.

use ivr::Stage;
use ivr::number::{Given, Series as Letters};

use crate::domain::case::{Case, Status};
use crate::domain::number::{CaseNumber, Series};
use crate::service::party;
use crate::store::cases::Author;
use crate::store::{StoreError, Tx, cases};
use crate::text::Text;

/// What ten digits, with or without a series, lead to.
#[derive(Debug)]
pub(super) enum Found {
    One(Box<Case>),
    Several(Vec<Letters>),
    None,
}

/// Looks a case up. Digits that fit several series mean the asker's own case before anyone else's.
pub(super) async fn find(tx: &mut Tx, given: Given, asker: Option<&str>) -> Result<Found, StoreError> {
    let wanted = given.series.map_or_else(|| Letters::ALL.to_vec(), |series| vec![series]);
    let mut fitting = Vec::new();
    for series in wanted {
        // A serial of zero has a right check digit and belongs to nobody.
        let Ok(number) = CaseNumber::from_digits(ours(series), &given.ten.to_string()) else { continue };
        if let Some(case) = cases::by_number(tx, number).await? {
            fitting.push((series, case));
        }
    }
    let is_own = |case: &Case| asker.is_some() && case.applicant.mobile.as_deref() == asker;
    let own = fitting.iter().filter(|(_, case)| is_own(case)).count();
    if own == 1 && fitting.len() > 1 {
        fitting.retain(|(_, case)| is_own(case));
    }
    Ok(match fitting.len() {
        0 => Found::None,
        1 => fitting.pop().map_or(Found::None, |(_, case)| Found::One(Box::new(case))),
        _ => Found::Several(fitting.into_iter().map(|(series, _)| series).collect()),
    })
}

/// Who adds something to a case by telephone: its unit, or somebody at another telephone, who is not called the unit.
pub(super) fn author(case: &Case, asker: Option<&str>) -> Author {
    if asker.is_some() && case.applicant.mobile.as_deref() == asker {
        return party(&case.applicant.name);
    }
    party(&Text::new(&case.language).say("author-another-telephone"))
}

/// A case's number as the telephone says it.
pub(super) fn spoken(number: CaseNumber) -> Result<ivr::number::CaseNumber, StoreError> {
    number.to_string().parse().map_err(|_| StoreError::Corrupt { what: "number" })
}

/// Where a case stands, in the telephone's words.
pub(super) fn stage(case: &Case) -> Stage {
    let is_reopened = case.clock_from != case.filed_at;
    match case.status {
        Status::Filed | Status::Routed if is_reopened => Stage::Reopened,
        Status::Filed => Stage::Filed,
        Status::Routed => Stage::Routed,
        Status::Attended => Stage::Attended,
        Status::Decided => Stage::Decided,
        Status::Hearing => Stage::Hearing,
        Status::Closed => Stage::Closed,
    }
}

const fn ours(series: Letters) -> Series {
    match series {
        Letters::Gr => Series::Grievance,
        Letters::Cp => Series::Portal,
        Letters::Co => Series::Idea,
        Letters::In => Series::Intervention,
        Letters::Vi => Series::Reference,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_write_a_number_alike() {
        for series in Letters::ALL {
            let number = CaseNumber::new(ours(series), 26, 123).unwrap();
            let said = spoken(number).unwrap();
            assert_eq!((said.series, said.to_string()), (series, number.to_string()));
        }
    }
}
