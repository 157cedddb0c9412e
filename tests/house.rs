//! The architecture, as tests: one home for each package, arrows that point one way, files of a size that can be read, the same texts in
//! every language, the same migrations for both databases, a fixed top level, no banned dependency.
//!
//! Each rule is a function from the tree to a list of sentences about what breaks it. Beside each stands a small bad tree that it must
//! find fault with, so that a rule which has gone blind is noticed. To change the architecture, change the tables at the top of a rule.

#[path = "house/arrows.rs"]
mod arrows;
#[path = "house/homes.rs"]
mod homes;
#[path = "house/layout.rs"]
mod layout;
#[path = "house/locked.rs"]
mod locked;
#[path = "house/texts.rs"]
mod texts;
#[path = "house/tree.rs"]
mod tree;

use tree::Tree;

/// Fails with every sentence of a rule, so that all is mended in one go.
fn holds(rule: impl Fn(&Tree) -> Vec<String>) {
    let faults = rule(&Tree::of_the_repository());
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn each_package_has_one_home() {
    holds(homes::strangers);
}

#[test]
fn sql_is_written_in_the_store_alone() {
    holds(homes::sql_elsewhere);
}

#[test]
fn arrows_between_modules_point_one_way() {
    holds(arrows::against_the_stream);
}

#[test]
fn the_crates_below_do_not_see_each_other() {
    holds(arrows::crates_that_see_each_other);
}

#[test]
fn files_can_be_read_in_one_go() {
    holds(layout::too_long);
}

#[test]
fn the_top_level_is_fixed() {
    holds(layout::strange_at_the_top);
}

#[test]
fn both_databases_have_the_same_migrations() {
    holds(layout::migrations_of_one_database);
}

#[test]
fn every_text_stands_in_every_language() {
    holds(texts::untranslated);
}

#[test]
fn no_dependency_is_banned_or_comes_from_elsewhere() {
    holds(locked::banned);
}
