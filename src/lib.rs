//! Champions Hub.
pub mod domain;
pub mod id;
pub mod store;
