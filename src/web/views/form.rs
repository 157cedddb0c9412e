//! What forms are made of: choices, what was typed, what is wrong with it.

use std::collections::BTreeMap;

use crate::text::Text;

/// One entry of a list to choose from.
#[derive(Debug, Clone)]
pub struct Choice {
    pub value: String,
    pub label: String,
}

impl Choice {
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into() }
    }

    /// Choices whose labels are the fluent texts `{prefix}-{code}`, in the given order.
    #[must_use]
    pub fn named(text: Text, prefix: &str, codes: &[&str]) -> Vec<Self> {
        codes.iter().map(|code| Self::new(*code, text.say(&format!("{prefix}-{code}")))).collect()
    }

    /// The 36 states and union territories, in the order of the reader's language.
    #[must_use]
    pub fn states(text: Text) -> Vec<Self> {
        let mut states = Self::named(text, "state", &STATES);
        states.sort_by(|one, other| one.label.cmp(&other.label));
        states
    }

    /// The subjects of complaints.
    #[must_use]
    pub fn subjects(text: Text) -> Vec<Self> {
        Self::named(text, "subject", &SUBJECTS)
    }
}

/// Codes of the 28 states and 8 union territories.
pub const STATES: [&str; 36] = [
    "AN", "AP", "AR", "AS", "BR", "CG", "CH", "DH", "DL", "GA", "GJ", "HP", "HR", "JH", "JK", "KA", "KL", "LA", "LD",
    "MH", "ML", "MN", "MP", "MZ", "NL", "OD", "PB", "PY", "RJ", "SK", "TN", "TR", "TS", "UK", "UP", "WB",
];

/// Codes of the subjects.
pub const SUBJECTS: [&str; 14] = [
    "finance",
    "delayed-payment",
    "tax",
    "raw-material",
    "labour",
    "permission",
    "registration",
    "procurement",
    "export",
    "technology",
    "scheme",
    "infrastructure",
    "idea",
    "other",
];

/// What was typed into a form, and what is wrong with it. Errors are data: the form is shown again with them.
#[derive(Debug, Clone, Default)]
pub struct Form {
    values: BTreeMap<String, String>,
    errors: Vec<FieldError>,
}

/// One thing that is wrong, with the field that it is about.
#[derive(Debug, Clone)]
pub struct FieldError {
    pub field: String,
    /// A whole sentence in the reader's language.
    pub message: String,
}

impl Form {
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// From decoded name-value pairs; of a repeated name the last one counts.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let values = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { values, errors: Vec::new() }
    }

    /// Notes what is wrong with a field, as a sentence in the reader's language (texts `error-…`).
    pub fn refuse(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    pub fn set(&mut self, field: &str, value: impl Into<String>) {
        self.values.insert(field.to_owned(), value.into());
    }

    /// What was typed; nothing typed is empty.
    #[must_use]
    pub fn value(&self, field: &str) -> &str {
        self.values.get(field).map_or("", String::as_str)
    }

    /// Whether this choice was made.
    #[must_use]
    pub fn chose(&self, field: &str, value: &str) -> bool {
        self.value(field) == value
    }

    /// What is wrong with this field.
    #[must_use]
    pub fn error(&self, field: &str) -> Option<&str> {
        self.errors.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }

    /// Everything that is wrong, in the order it was noted.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    #[must_use]
    pub fn is_refused(&self) -> bool {
        !self.errors.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_remembers_what_was_typed_and_what_was_wrong() {
        let mut form = Form::from_pairs([("mobile", "12"), ("mobile", "123")]);
        form.refuse("mobile", "Enter ten digits");
        assert_eq!(form.value("mobile"), "123");
        assert_eq!(form.error("mobile"), Some("Enter ten digits"));
        assert!(form.error("email").is_none() && form.is_refused());
    }
}
