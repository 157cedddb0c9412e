//! A program that uses the interface.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

/// A program, signed in or not.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

/// What it was answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Client {
    pub fn new(http: reqwest::Client, url: String, token: Option<String>) -> Self {
        Self { http, url, token }
    }

    /// The session's token.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap()
    }

    /// A request to be dressed further.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.try_get(path).await.unwrap()
    }

    pub async fn try_get(&self, path: &str) -> reqwest::Result<Answer> {
        Answer::read(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::read(request).await.unwrap()
    }

    /// Takes a step with a case.
    pub async fn act(&self, case: &str, action: &str, body: Value) -> Answer {
        self.post(&format!("/api/v1/cases/{case}/actions/{action}"), body).await
    }

    /// Takes a step in a hearing.
    pub async fn hear(&self, hearing: &str, action: &str, body: Value) -> Answer {
        self.post(&format!("/api/v1/hearings/{hearing}/actions/{action}"), body).await
    }

    pub async fn case(&self, number: &str) -> Value {
        self.get(&format!("/api/v1/cases/{number}")).await.ok()
    }

    pub async fn history(&self, number: &str) -> Vec<Value> {
        let page = self.get(&format!("/api/v1/cases/{number}/history")).await.ok();
        page["items"].as_array().unwrap().clone()
    }

    pub async fn hearing(&self, id: &str) -> Value {
        self.get(&format!("/api/v1/hearings/{id}")).await.ok()
    }
}

impl Answer {
    pub async fn read(request: RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, headers, text: response.text().await? })
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    /// The document of something that was done.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.text);
        self.json()
    }

    /// A problem document of this status, whose type ends in this name.
    #[track_caller]
    pub fn refused(&self, status: u16, name: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let problem = self.json();
        let kind = problem["type"].as_str().unwrap();
        assert!(kind.ends_with(&format!("/{name}")), "{name} was expected: {}", self.text);
        assert_eq!(problem["status"], status, "{}", self.text);
        let title = problem["title"].as_str().unwrap();
        assert!(!title.is_empty() && !title.starts_with("problem-"), "a problem without a sentence: {}", self.text);
        problem
    }
}
