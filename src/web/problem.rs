//! What a client is told when it does not get what it asked for: problem documents (RFC 9457) for programs. What went wrong
//! inside is logged here, once, and never shown.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::service::ServiceError;
use crate::text::Text;

/// Where the types of problems are named.
const TYPES: &str = "https://champions-hub.example/problems/";

/// A field that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The field.
    pub field: String,
    /// What is wrong, in the language of the request.
    pub message: String,
}

/// A problem document.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Address that names the kind of problem; its last part is the rule's name.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is, in a few words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// More, in the language of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

/// An error of the interface for programs.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    name: &'static str,
    detail: Option<String>,
    errors: Vec<(&'static str, &'static str)>,
}

impl ApiError {
    /// A problem of this status and name.
    #[must_use]
    pub const fn new(status: StatusCode, name: &'static str) -> Self {
        Self { status, name, detail: None, errors: Vec::new() }
    }

    /// With a plain technical detail, such as where JSON is broken.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// One wrong field.
    #[must_use]
    pub fn field(field: &'static str, key: &'static str) -> Self {
        Self { errors: vec![(field, key)], ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid") }
    }

    /// Nobody is signed in.
    #[must_use]
    pub const fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not-signed-in")
    }

    /// There is no such thing.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found")
    }
}

impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        let (status, name) = status_and_name(&error);
        let errors = match &error {
            ServiceError::Invalid(problems) => problems.iter().map(|p| (p.field, p.key)).collect(),
            _ => Vec::new(),
        };
        log(&error);
        Self { errors, ..Self::new(status, name) }
    }
}

/// Status and rule of an error, for programs as for pages.
pub(super) const fn status_and_name(error: &ServiceError) -> (StatusCode, &'static str) {
    match error {
        ServiceError::NotFound => (StatusCode::NOT_FOUND, "not-found"),
        ServiceError::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
        ServiceError::Refused(refusal) => (StatusCode::CONFLICT, refusal.rule()),
        ServiceError::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
        ServiceError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too-many-attempts"),
        ServiceError::Media(_) => (StatusCode::SERVICE_UNAVAILABLE, "recording-unavailable"),
        ServiceError::Store(_) | ServiceError::File(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    }
}

/// Logs what only we may know.
pub(super) fn log(error: &ServiceError) {
    if let ServiceError::Store(_) | ServiceError::File(_) | ServiceError::Media(_) = error {
        tracing::error!(%error, "a request failed inside");
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let t = Text::default();
        let problem = Problem {
            kind: format!("{TYPES}{}", self.name),
            title: t.say(&format!("problem-{}", self.name)),
            status: self.status.as_u16(),
            detail: self.detail,
            errors: self
                .errors
                .iter()
                .map(|(field, key)| FieldProblem { field: (*field).to_owned(), message: t.say(key) })
                .collect(),
        };
        (self.status, [(header::CONTENT_TYPE, "application/problem+json")], Json(problem)).into_response()
    }
}
