//! The load clients: many members in one thread, each with its own sockets, none of them sharing a line with the server's media plane.

mod clock;
pub mod fleet;
mod line;
mod link;
pub mod member;
pub mod peer;
pub mod picture;
pub mod sender;
pub mod socket;
pub mod tally;

pub use fleet::Fleet;
pub use picture::Show;
