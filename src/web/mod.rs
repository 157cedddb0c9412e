//! Pages and interface.
pub mod assets;
pub mod views;
