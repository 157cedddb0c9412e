//! Champions Hub.

pub mod insight;
