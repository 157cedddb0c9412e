//! Champions Hub.
