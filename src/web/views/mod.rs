//! What is seen: one struct a page, data in and HTML out.
//!
//! A view knows nothing of services, storage or HTTP. A handler fills the struct of the page, with a [`Page`] for what
//! all pages share, and calls `render()`. Texts come from fluent by way of [`Page::say`]; times are epoch milliseconds
//! and are shown in IST. Each page's file also holds its `samples()`, which the tests below render in every language.
//!
//! | File | Pages |
//! |---|---|
//! | `page` | [`Page`]: the frame of every page |
//! | `form` | [`Form`], [`Choice`]: what was typed, what is wrong with it, what to choose from |
//! | `home` | `/`, `/signin`, every error page |
//! | `filing` | `/file/{step}` |
//! | `track` | `/track`, `/track/{number}` |
//! | `desk` | `/desk`, `/desk/cases/{number}`, with `case` and its `action`s · `rules`: `/desk/rules` |
//! | `hearing` | `/hearings/{id}` · `recording`: `/hearings/{id}/recording` |
//! | `room` | `/rooms/{code}`, a control room's console |
//! | `review` | `/review` · `cartogram`: its map · `admin`: `/admin` |
//! | `demo` | `/demo/phone`, `/demo/mails` |

pub mod action;
pub mod admin;
pub mod cartogram;
pub mod case;
pub mod demo;
pub mod desk;
pub mod filing;
pub mod form;
pub mod hearing;
pub mod home;
pub mod page;
pub mod recording;
pub mod review;
pub mod room;
pub mod rules;
pub mod track;

pub use form::{Choice, Form};
pub use page::{Flash, Page, Role, Urgency, User};

#[cfg(test)]
mod tests;
