//! Large rooms: three voices, a podium, tiles that stay, and a wall.

use super::*;
use crate::message::{Layout, MAX_TILES};
use crate::room::layout::Voices;
use proptest::prelude::*;

fn view(layout: Layout, tiles: u8) -> ClientMessage {
    ClientMessage::View { layout, tiles, pinned: None }
}

fn voices(world: &World, viewer: &str) -> Voices {
    world.table().viewer(&viewer.into()).unwrap().audio.clone()
}

#[test]
fn in_a_small_room_everybody_gets_everybody() {
    let (mut world, _, parties) = World::conference(7);
    for viewer in ["officer", "p7"] {
        let Voices::Everybody(heard) = voices(&world, viewer) else { panic!("a small room") };
        assert_eq!((heard.len(), world.pictures(viewer).len()), (7, 7));
        assert!(world.seen(viewer).iter().all(|(slot, from)| slot == from && from != viewer));
    }
    for layout in [Layout::Grid, Layout::Wall, Layout::Podium] {
        world.say(parties[0], view(layout, 0));
        assert_eq!(world.pictures("p1").len(), 7, "{layout:?} hides nobody");
    }
    world.say(parties[0], view(Layout::Audio, 9));
    assert!(world.pictures("p1").is_empty());
    assert_eq!(world.flows().len(), 56, "sound goes on");
    assert_eq!(world.pictures("p2").len(), 7, "for the others nothing changed");
}

#[test]
fn a_picture_of_one_or_two_is_large() {
    let (mut world, ..) = World::conference(2);
    assert!(world.pictures("p1").iter().all(|(_, _, size)| *size == Size::Podium));
    world.enter("p3", Role::Party, true);
    let sizes: BTreeMap<_, _> = world.pictures("p1").into_iter().map(|(_, from, size)| (from, size)).collect();
    assert_eq!(sizes["officer"], Size::Podium, "the chair has the podium");
    assert_eq!((sizes["p2"], sizes["p3"]), (Size::Tile, Size::Tile));
}

#[test]
fn the_ninth_makes_it_large_and_coming_and_going_does_not_toggle_it() {
    let (mut world, _, parties) = World::conference(8);
    assert_eq!(voices(&world, "p1"), Voices::Loudest(3));
    assert_eq!(world.seen("p1")["podium"], "officer");
    for gone in [7, 6] {
        world.say(parties[gone], ClientMessage::Leave);
        assert_eq!(voices(&world, "p1"), Voices::Loudest(3), "seven are left at the least");
    }
    world.say(parties[5], ClientMessage::Leave);
    assert!(matches!(voices(&world, "p1"), Voices::Everybody(heard) if heard.len() == 5));
    world.enter("p9", Role::Party, true);
    assert!(matches!(voices(&world, "p1"), Voices::Everybody(_)));
}

#[test]
fn watchers_make_no_room_large() {
    let (mut world, ..) = World::conference(7);
    for n in 0..20 {
        world.enter(&format!("o{n}"), Role::Observer, true);
    }
    assert!(matches!(voices(&world, "o19"), Voices::Everybody(heard) if heard.len() == 8));
    assert_eq!(world.pictures("o19").len(), 8);
    assert_eq!(world.table().routes.len(), 8);
}

#[test]
fn two_large_rooms_of_the_same_shape_do_not_mix() {
    let (mut first, ..) = World::conference(12);
    let (mut second, _, parties) = World::conference(12);
    let same = first.table();
    assert_eq!(same, second.table());
    assert_eq!(first.seen("p5").len(), 10, "a podium and nine tiles");
    first.order(&RoomCommand::SendBack("p1".into())).unwrap();
    assert!(first.table().viewer(&"p1".into()).is_none() && first.table().route(&"p1".into()).is_none());
    for viewer in &first.table().viewers {
        assert!(viewer.video.iter().all(|slot| slot.from.as_str() != "p1"), "{viewer:?}");
    }
    assert_eq!(second.table(), same, "the other room goes on");
    second.say(parties[0], ClientMessage::Mute { kind: Kind::Video });
    second.settle();
    assert!(!second.table().route(&"p1".into()).unwrap().video);
    assert!(second.table().viewers.iter().all(|viewer| viewer.video.iter().all(|slot| slot.from.as_str() != "p1")));
    assert!(first.table().route(&"p2".into()).unwrap().video);
}

#[test]
fn the_latest_speakers_have_the_tiles() {
    let (mut world, _, _) = World::conference(30);
    let tiles = |world: &World| world.seen("p30").into_iter().filter(|(slot, _)| slot != "podium").collect::<Vec<_>>();
    let before = tiles(&world);
    assert_eq!(before.len(), 9);
    world.speak(&["p20"]);
    world.settle();
    assert_eq!(world.seen("p30")["podium"], "p20");
    assert_eq!(tiles(&world).iter().filter(|tile| before.contains(tile)).count(), 8, "the officer took one");
    world.speak(&["p21"]);
    world.settle();
    let after: BTreeMap<_, _> = tiles(&world).into_iter().map(|(slot, from)| (from, slot)).collect();
    assert!(after.contains_key("p20") && !after.contains_key("p21") && !after.contains_key("p30"));
}

#[test]
fn so_many_tiles_as_are_wanted_and_no_more_than_there_may_be() {
    let (mut world, officer, _) = World::conference(150);
    for (layout, tiles, expected) in [
        (Layout::Podium, 0, 1),
        (Layout::Podium, 4, 5),
        (Layout::Podium, 255, 1 + usize::from(MAX_TILES)),
        (Layout::Grid, 16, 16),
        (Layout::Grid, 0, 0),
        (Layout::Wall, 9, usize::from(MAX_TILES)),
        (Layout::Audio, 9, 0),
    ] {
        world.say(officer, view(layout, tiles));
        world.settle();
        assert_eq!(world.pictures("officer").len(), expected, "{layout:?} {tiles}");
    }
    world.say(officer, view(Layout::Grid, 16));
    world.settle();
    assert!(world.pictures("officer").iter().all(|(slot, _, size)| slot.starts_with("tile-") && *size == Size::Tile));
}

#[test]
fn on_the_wall_a_camera_that_goes_off_moves_nobody() {
    let (mut world, officer, parties) = World::conference(119);
    world.say(officer, view(Layout::Wall, 9));
    world.settle();
    let before = world.pictures("officer");
    assert_eq!(before.len(), 119);
    assert!(before.iter().all(|(_, _, size)| *size == Size::Thumb));
    world.say(parties[3], ClientMessage::Mute { kind: Kind::Video });
    world.speak(&["p77"]);
    world.settle();
    assert_eq!(world.pictures("officer"), before);
    world.say(parties[3], ClientMessage::Leave);
    world.enter("late", Role::Party, true);
    world.settle();
    let place = before.iter().find(|(_, from, _)| from == "p4").unwrap().0.clone();
    assert_eq!(world.seen("officer")[&place], "late", "the free place is taken");
}

#[test]
fn a_telephone_has_a_voice_and_no_place_for_a_picture() {
    let (mut world, officer, _) = World::conference(10);
    world.enter("caller", Role::Telephone, true);
    world.say(officer, view(Layout::Wall, 0));
    world.settle();
    assert!(world.table().route(&"caller".into()).unwrap().audio);
    assert!(!world.seen("officer").values().any(|from| from == "caller"));
}

#[test]
fn the_view_of_who_waits_holds_when_let_in() {
    let (mut world, ..) = World::conference(12);
    let waiting = world.enter("late", Role::Party, false);
    world.say(waiting, view(Layout::Grid, 4));
    world.settle();
    assert!(world.table().viewer(&"late".into()).is_none());
    world.order(&RoomCommand::Admit("late".into())).unwrap();
    assert_eq!(world.pictures("late").len(), 4);
}

#[test]
fn wishes_and_speakers_are_laid_out_in_one_go() {
    let (mut world, _, parties) = World::conference(40);
    let tables = |world: &World| world.media.iter().filter(|a| matches!(a, MediaAction::Forward(_))).count();
    let before = tables(&world);
    for party in &parties {
        world.say(*party, view(Layout::Grid, 4));
    }
    assert_eq!(tables(&world), before);
    assert!(world.core.next_tick().is_some_and(|at| at <= world.now + 100));
    world.settle();
    assert_eq!(tables(&world), before + 1);
    world.now += 5_000;
    for n in 0..20 {
        world.speak(&[&format!("p{}", n + 10)]);
        world.wait(100);
    }
    assert!(tables(&world) <= before + 1 + 3, "at most once a second: {}", tables(&world) - before);
    world.settle();
    assert_eq!(world.seen("officer")["podium"], "p29");
    assert_eq!(world.core.next_tick(), None, "nothing is owed");
}

#[test]
fn the_list_of_many_is_told_once_for_many_changes() {
    let (mut world, officer, parties) = World::conference(30);
    let lists = |world: &World| {
        world.inboxes[&officer].iter().filter(|message| matches!(message, ServerMessage::Members { .. })).count()
    };
    let before = lists(&world);
    for party in &parties {
        world.say(*party, ClientMessage::Hand { up: true });
    }
    assert_eq!(lists(&world), before);
    world.wait(100);
    assert_eq!(lists(&world), before, "thirty cost more than a few");
    world.wait(100);
    assert_eq!(lists(&world), before + 1);
    assert_eq!(world.members(officer).iter().filter(|member| member.hand).count(), 30);
    world.settle();
    assert_eq!(lists(&world), before + 1);
    let late = world.enter("late", Role::Party, true);
    assert_eq!(world.members(late).len(), 32, "who comes in is told at once");
}

fn step() -> impl Strategy<Value = (u8, usize)> {
    (0..8u8, 0..14usize)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    /// Whatever people do: nobody sees itself, anybody twice, or who is not in the room; who stays chosen keeps the tile.
    #[test]
    fn tiles_stay_where_they_are(steps in prop::collection::vec(step(), 1..60)) {
        let (mut world, _, mut parties) = World::conference(14);
        let mut before: Vec<_> = world.table().viewers;
        for (what, who) in steps {
            let (party, name) = (parties[who], format!("p{}", who + 1));
            match what {
                0 | 1 => world.speak(&[&name]),
                2 => world.say(party, ClientMessage::Mute { kind: Kind::Video }),
                3 => world.say(party, ClientMessage::Unmute { kind: Kind::Video }),
                4 => world.say(party, ClientMessage::Share { on: true }),
                5 => world.say(party, ClientMessage::Leave),
                6 => parties[who] = world.enter(&name, Role::Party, true),
                _ => { let _ = world.order(&RoomCommand::SendBack(name.as_str().into())); }
            }
            world.settle();
            let table = world.table();
            let large = table.viewers.iter().all(|viewer| viewer.audio == Voices::Loudest(3));
            for viewer in &table.viewers {
                let cameras: Vec<_> = viewer.video.iter().filter(|slot| slot.kind == Kind::Video).collect();
                let names: BTreeSet<_> = viewer.video.iter().map(|slot| slot.name.as_str()).collect();
                let faces: BTreeSet<_> = cameras.iter().map(|slot| &slot.from).collect();
                prop_assert_eq!(names.len(), viewer.video.len());
                prop_assert_eq!(faces.len(), cameras.len());
                prop_assert!(!faces.contains(&viewer.member));
                prop_assert!(viewer.video.iter().all(|slot| table.route(&slot.from).is_some()));
                prop_assert!(!large || cameras.len() <= 10);
                let Some(old) = before.iter().find(|old| old.member == viewer.member) else { continue };
                let tile = |viewer: &crate::room::Viewer, from: &MemberId| {
                    viewer.video.iter().find(|s| &s.from == from && s.name.as_str().starts_with("tile-")).map(|s| s.name.clone())
                };
                for face in faces {
                    if let (Some(then), Some(now)) = (tile(old, face), tile(viewer, face)) {
                        prop_assert_eq!(then, now);
                    }
                }
            }
            before = table.viewers;
        }
    }
}
