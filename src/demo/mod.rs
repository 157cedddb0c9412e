//! The demo: a world to look around in.

pub mod world;
