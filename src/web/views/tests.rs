//! Every page in every language: rendered, then read as a browser and a screen reader would.
//!
//! With `HUB_PAGES_DIR` set, the pages and their assets are also written there, to be looked at.

use std::collections::BTreeSet;
use std::path::Path;

use askama::Template;

use super::*;
use crate::text::{LANGUAGES, Text};
use crate::web::assets;

/// The pages of one template: a name for the file, and the page.
pub type Samples<T> = Vec<(&'static str, T)>;

/// 2026-11-21 14:05 IST.
pub const NOW: i64 = 1_795_250_100_000;
pub const HOUR: i64 = 3_600_000;
pub const DAY: i64 = 24 * HOUR;

pub fn visitor(text: Text, path: &str) -> Page {
    Page::new(text, path, NOW)
}

fn signed_in(text: Text, path: &str, name: &str, role: Role, room: Option<&str>) -> Page {
    let user = User { name: name.into(), role, room: room.map(Into::into) };
    Page { user: Some(user), ..visitor(text, path) }
}

pub fn officer(text: Text, path: &str) -> Page {
    signed_in(text, path, "R. Banerjee", Role::Officer, None)
}

pub fn control_room(text: Text, path: &str) -> Page {
    signed_in(text, path, "S. Iyer", Role::Room, Some("PUN"))
}

pub fn secretary(text: Text, path: &str) -> Page {
    signed_in(text, path, "A. Rawat", Role::Secretary, None)
}

pub fn administrator(text: Text, path: &str) -> Page {
    signed_in(text, path, "N. Das", Role::Admin, None)
}

/// Name and HTML of every sample in one language.
fn all(text: Text) -> Vec<(&'static str, String)> {
    fn rendered<T: Template>(samples: Samples<T>) -> impl Iterator<Item = (&'static str, String)> {
        samples.into_iter().map(|(name, page)| (name, page.render().unwrap()))
    }
    rendered(home::samples::home(text))
        .chain(rendered(home::samples::sign_in(text)))
        .chain(rendered(home::samples::problem(text)))
        .chain(rendered(filing::samples::filing(text)))
        .chain(rendered(filing::samples::filed(text)))
        .chain(rendered(track::samples::ask(text)))
        .chain(rendered(track::samples::track(text)))
        .chain(rendered(desk::samples::desk(text)))
        .chain(rendered(rules::samples::rules(text)))
        .chain(rendered(hearing::samples::hearing(text)))
        .chain(rendered(recording::samples::recording(text)))
        .chain(rendered(room::samples::console(text)))
        .chain(rendered(demo::samples::phone(text)))
        .chain(rendered(demo::samples::mails(text)))
        .chain(rendered(review::samples::review(text)))
        .chain(rendered(admin::samples::admin(text)))
        .collect()
}

fn each(mut look: impl FnMut(&str, Text, &str)) {
    for language in &LANGUAGES {
        let text = Text::new(language.tag);
        for (name, html) in all(text) {
            look(&format!("{name}.{}", language.tag), text, &html);
        }
    }
}

/// Values of an attribute, in order.
fn values<'a>(html: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    html.split(&start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

/// Opening tags of an element, without the angle brackets.
fn tags<'a>(html: &'a str, element: &str) -> Vec<&'a str> {
    let start = format!("<{element}");
    html.split(&start)
        .skip(1)
        .filter(|rest| rest.starts_with([' ', '>', '\n']))
        .filter_map(|rest| rest.split('>').next())
        .collect()
}

#[test]
fn every_text_is_there() {
    each(|name, _, html| {
        let missing: BTreeSet<_> = html.split('⟦').skip(1).filter_map(|rest| rest.split('⟧').next()).collect();
        assert!(missing.is_empty(), "{name} lacks {missing:?}");
        assert!(!html.contains("{ $") && !html.contains("{$"), "{name} has an unfilled place");
    });
}

#[test]
fn every_page_says_its_language_and_has_one_heading() {
    each(|name, text, html| {
        assert!(html.contains(&format!("<html lang=\"{}\" dir=\"ltr\">", text.tag())), "{name}");
        assert_eq!(tags(html, "h1").len(), 1, "{name} needs one h1");
        assert_eq!(tags(html, "main").len(), 1, "{name} needs one main");
        let title = html.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap();
        assert!(title.contains(" · "), "{name}: {title}");
        assert!(html.contains("class=\"skip\""), "{name}");
    });
}

#[test]
fn ids_are_unique_and_references_lead_somewhere() {
    each(|name, _, html| {
        let ids = values(html, "id");
        let unique: BTreeSet<_> = ids.iter().copied().collect();
        assert_eq!(unique.len(), ids.len(), "{name} repeats an id: {:?}", repeated(&ids));
        for id in &ids {
            let plain = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            assert!(plain && id.starts_with(|c: char| c.is_ascii_alphabetic()), "{name}: id {id:?}");
        }
        for attribute in ["for", "aria-labelledby", "aria-describedby", "aria-controls"] {
            for reference in values(html, attribute).iter().flat_map(|list| list.split_whitespace()) {
                assert!(unique.contains(reference), "{name}: {attribute} {reference:?} leads nowhere");
            }
        }
        for anchor in values(html, "href").iter().filter_map(|href| href.strip_prefix('#')) {
            assert!(unique.contains(anchor), "{name}: #{anchor} leads nowhere");
        }
    });
}

fn repeated<'a>(ids: &[&'a str]) -> Vec<&'a str> {
    let mut seen = BTreeSet::new();
    ids.iter().copied().filter(|id| !seen.insert(*id)).collect()
}

#[test]
fn every_input_has_a_label() {
    each(|name, _, html| {
        let labelled: BTreeSet<_> = values(html, "for").into_iter().collect();
        for element in ["input", "select", "textarea", "meter"] {
            for tag in tags(html, element) {
                if tag.contains("type=\"hidden\"") || tag.contains("aria-label") {
                    continue;
                }
                let id = values(tag, "id");
                assert!(id.first().is_some_and(|id| labelled.contains(id)), "{name}: <{element}{tag}> has no label");
            }
        }
    });
}

#[test]
fn pages_obey_the_content_security_policy() {
    each(|name, _, html| {
        assert!(values(html, "style").is_empty() && tags(html, "style").is_empty(), "{name} has inline style");
        for tag in tags(html, "script") {
            assert!(
                tag.contains(" src=\"/assets/") || tag.contains("type=\"application/json\""),
                "{name}: <script{tag}>"
            );
        }
        for tag in html.split('<').filter_map(|rest| rest.split('>').next()) {
            let handler = tag.split_whitespace().skip(1).any(|part| part.starts_with("on") && part.contains("=\""));
            assert!(!handler, "{name}: <{tag}>");
        }
        for source in values(html, "src").iter().chain(&values(html, "action")) {
            assert!(source.starts_with('/'), "{name}: {source}");
        }
    });
}

#[test]
fn what_users_wrote_is_shown_and_never_obeyed() {
    let html = |wanted: &str| all(Text::default()).into_iter().find(|(name, _)| *name == wanted).unwrap().1;
    let case = html("desk-case");
    assert!(case.contains("The branch &#60;manager&#62; gave no reason."));
    assert!(!case.contains("<manager>"));
    let room = html("hearing-party");
    assert!(room.contains("token=sample\\u003c/script>"));
}

#[test]
fn assets_that_pages_name_exist() {
    each(|name, _, html| {
        for address in values(html, "href").iter().chain(&values(html, "src")) {
            if let Some(path) = address.strip_prefix(assets::PREFIX) {
                assert!(assets::lookup(path).is_some(), "{name}: {address}");
            }
        }
    });
}

#[test]
fn languages_have_the_same_texts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/locales");
    let keys = |tag: &str| -> BTreeSet<String> {
        let files = std::fs::read_dir(folder.join(tag)).unwrap();
        let sources = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let mut keys = BTreeSet::new();
        for source in sources {
            for line in source.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic())) {
                let key = line.split('=').next().unwrap().trim().to_owned();
                assert!(keys.insert(key.clone()), "{tag} says {key} twice");
            }
        }
        keys
    };
    let english = keys("en");
    for language in &LANGUAGES {
        let other = keys(language.tag);
        let difference: Vec<_> = english.symmetric_difference(&other).collect();
        assert!(difference.is_empty(), "en and {} differ in {difference:?}", language.tag);
    }
}

#[test]
fn the_pages_can_be_written_out() {
    let Ok(folder) = std::env::var("HUB_PAGES_DIR") else { return };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    each(|name, _, html| std::fs::write(folder.join(format!("{name}.html")), html).unwrap());
    for path in assets::paths() {
        let address = assets::url(&path);
        let file = folder.join(address.trim_start_matches('/'));
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let asset = assets::lookup(address.strip_prefix(assets::PREFIX).unwrap()).unwrap();
        std::fs::write(file, asset.bytes).unwrap();
    }
}
