//! Which desk a case goes to: the most telling rule that fits subject and state, else the triage desk. Rules are data.

use crate::id::{AccountId, DeskId};

/// A rule. An empty condition fits everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Smaller comes first.
    pub priority: i64,
    /// Series letters this is for.
    pub series: Option<String>,
    /// Subject code this is for.
    pub subject: Option<String>,
    /// State code this is for.
    pub state: Option<String>,
    /// Where the case goes.
    pub desk: DeskId,
    /// Who is responsible; `None` leaves it to the desk.
    pub assignee: Option<AccountId>,
}

/// Where a case goes and which rule said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route<'a> {
    /// The rule that took it.
    pub rule: &'a Rule,
    /// The conditions that decided, for "why did this case go there": `subject=finance state=MH`, or `triage`.
    pub why: String,
}

/// Finds the rule for a case: lowest priority number first, then the one with more conditions.
#[must_use]
pub fn route<'a>(rules: &'a [Rule], series: &str, subject: &str, state: &str) -> Option<Route<'a>> {
    let fits = |condition: &Option<String>, value: &str| condition.as_deref().is_none_or(|c| c == value);
    rules
        .iter()
        .filter(|r| fits(&r.series, series) && fits(&r.subject, subject) && fits(&r.state, state))
        .min_by_key(|r| (r.priority, std::cmp::Reverse(r.conditions())))
        .map(|rule| Route { rule, why: rule.why() })
}

impl Rule {
    fn conditions(&self) -> usize {
        [&self.series, &self.subject, &self.state].iter().filter(|c| c.is_some()).count()
    }

    fn why(&self) -> String {
        let said: Vec<String> = [("series", &self.series), ("subject", &self.subject), ("state", &self.state)]
            .into_iter()
            .filter_map(|(name, value)| value.as_ref().map(|v| format!("{name}={v}")))
            .collect();
        if said.is_empty() { "triage".to_owned() } else { said.join(" ") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(priority: i64, subject: Option<&str>, state: Option<&str>) -> Rule {
        Rule {
            priority,
            series: None,
            subject: subject.map(str::to_owned),
            state: state.map(str::to_owned),
            desk: DeskId::generate(priority),
            assignee: None,
        }
    }

    #[test]
    fn the_more_telling_rule_wins_and_the_rest_goes_to_triage() {
        let rules = [rule(100, Some("finance"), None), rule(100, Some("finance"), Some("MH")), rule(900, None, None)];
        assert_eq!(route(&rules, "GR", "finance", "MH").unwrap().why, "subject=finance state=MH");
        assert_eq!(route(&rules, "GR", "finance", "KL").unwrap().why, "subject=finance");
        assert_eq!(route(&rules, "GR", "other", "").unwrap().why, "triage");
        assert_eq!(route(&rules[..2], "GR", "tax", "KL"), None);
    }
}
