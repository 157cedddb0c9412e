//! Champions Hub.

pub mod demo;
pub mod insight;
