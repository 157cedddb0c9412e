//! # Champions Hub: the map of the house
//!
//! One program, three crates. `signaling` carries sound and picture, `ivr` knows what a call or a text means; neither knows
//! the other or this crate. This crate knows the mission: cases, hearings, people, and how they are told.
//!
//! ```text
//! cli ─► app ─┬─► web      HTTP: pages, interface for programs, sockets of the rooms, providers' webhooks
//!             ├─► jobs     sends what the outbox holds, looks at the clocks every minute
//!             └─► intake   calls, texts and provider events become cases
//!                   │
//!                   ▼
//!                service   one use case a function: load → decide → store + history + outbox, in one transaction
//!                 │    │
//!                 ▼    ▼
//!             domain  store          pure rules │ all SQL, SQLite and PostgreSQL alike
//! ```
//!
//! | I want to change … | It lives in |
//! |---|---|
//! | what is allowed when, deadlines, the closing gate | [`domain`] |
//! | who may do what | [`domain::policy`], one table |
//! | what happens on an action, who is told | [`service`]; the words of notices in `locales/*/notices.ftl` |
//! | a table, a query | [`store`] and `migrations/` (both folders) |
//! | a page | `web/views` (data → HTML), `web/templates`, `web/pages` (request → data), `web/assets` |
//! | the interface for programs | `web/api`; `/api/openapi.json` follows |
//! | any text that people read | `locales/<language>/*.ftl`, by way of [`text`] |
//! | what a caller hears, what an SMS means | the `ivr` crate; how it becomes a case: [`intake`] |
//! | rooms, media, recording, verification | the `signaling` crate; how a hearing uses them: [`service::rooms`] |
//! | encoders (WHIP) and players (WHEP) | [`service::feeds`] their seats; `web/whip.rs` the protocol |
//! | how a text gets its subject and place | [`insight`] |
//! | the demo world | [`demo`] |
//! | a setting | [`config`] and `deploy/config.toml` |
//!
//! ## The loop
//! Input is authenticated and parsed at the edge, `now` is taken from [`time::Clock`], a use case opens a transaction, loads,
//! lets `domain` decide, and stores state, history and follow-up together. Jobs carry follow-up out and may run twice. What
//! comes from outside (a webhook, an event of a room) is stored before it is acted on.
//!
//! ## Decisions that were hard
//! * A case's clocks count calendar days of India to the end of the day ([`domain::calendar`]); an answer "yes" to one of
//!   the four grounds is never taken back by a later decision ([`domain::case::Case::grounds`]).
//! * The recording begins before the step "in session" is stored, and the line of the ledger that proves a party was heard
//!   is written by the act of admitting, not by what the room tells later ([`service::hearings`]).
//! * A repeated request is recognised inside the transaction of the deed ([`service::once`]).
//! * Sessions run out by the machine's clock, deadlines by the hub's, which the demo may move ([`time::Clock`]).
//! * Own session table instead of a session library: cookie and bearer token are one mechanism, one row, one query.
//!
//! `tests/house.rs` holds the tree to this map.

pub mod app;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod id;
pub mod insight;
pub mod intake;
pub mod jobs;
pub mod notify;
pub mod service;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod time;
pub mod tls;
pub mod web;
