//! Champions Hub.
pub mod domain;
pub mod id;
pub mod insight;
pub mod service;
pub mod store;
pub mod text;
pub mod time;
