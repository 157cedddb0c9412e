use super::*;
use proptest::prelude::*;

const CAMERA: [u64; 3] = [90_000, 300_000, 900_000];

fn wish(size: Size, layers: &[u64]) -> Wish {
    Wish { size, layers: layers.to_vec(), current: None }
}

/// A podium and nine tiles.
fn conference() -> Vec<Wish> {
    let mut wishes = vec![wish(Size::Podium, &CAMERA)];
    wishes.extend((0..9).map(|_| wish(Size::Tile, &CAMERA)));
    wishes
}

fn apply(wishes: &mut [Wish], choices: &[Choice]) {
    for (wish, choice) in wishes.iter_mut().zip(choices) {
        wish.current = *choice;
    }
}

#[test]
fn what_is_narrow_gets_the_podium_first() {
    let wishes = conference();
    assert_eq!(allocate(80_000, &wishes), [None; 10]);
    assert!(is_audio_only(&wishes, &allocate(80_000, &wishes)));
    let one = allocate(100_000, &wishes);
    assert_eq!((one[0], one[1]), (Some(0), None));
    assert!(!is_audio_only(&wishes, &one));
    let five = allocate(460_000, &wishes);
    assert_eq!(five, [vec![Some(0); 5], vec![None; 5]].concat());
    // All on the lowest, then the podium to its best, then tiles to the second and no further.
    assert_eq!(allocate(900_000, &wishes), [Some(0); 10]);
    assert_eq!(allocate(1_110_000, &wishes)[0], Some(1));
    assert_eq!(allocate(1_800_000, &wishes), [vec![Some(2)], vec![Some(0); 9]].concat());
    assert_eq!(allocate(u64::MAX, &wishes), [vec![Some(2)], vec![Some(1); 9]].concat());
}

#[test]
fn a_screen_comes_before_the_podium_and_is_sharpened_after_it() {
    let wishes = [wish(Size::Podium, &CAMERA), wish(Size::Screen, &[200_000, 1_500_000])];
    assert_eq!(allocate(210_000, &wishes), [None, Some(0)]);
    assert_eq!(allocate(1_200_000, &wishes), [Some(2), Some(0)]);
    assert_eq!(allocate(2_400_000, &wishes), [Some(2), Some(1)]);
    let heavy = [wish(Size::Screen, &[2_000_000]), wish(Size::Podium, &CAMERA)];
    assert_eq!(allocate(500_000, &heavy), [None, Some(1)], "what does not fit is passed over");
}

#[test]
fn thumbnails_stay_small_and_missing_layers_are_stepped_over() {
    assert_eq!(allocate(u64::MAX, &[wish(Size::Thumb, &CAMERA)]), [Some(0)]);
    assert_eq!(allocate(u64::MAX, &[wish(Size::Thumb, &[0, 0, 900_000])]), [Some(2)], "the smallest there is");
    assert_eq!(allocate(u64::MAX, &[wish(Size::Podium, &[90_000, 0, 900_000])]), [Some(2)]);
    assert_eq!(allocate(500_000, &[wish(Size::Podium, &[90_000, 0, 900_000])]), [Some(0)]);
    let nothing = [wish(Size::Podium, &[0, 0, 0]), wish(Size::Tile, &[])];
    assert_eq!(allocate(u64::MAX, &nothing), [None, None]);
    assert!(!is_audio_only(&nothing, &[None, None]), "there is no picture to take away");
}

#[test]
fn up_after_two_calm_seconds_and_down_at_once() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let (mut allocator, mut wishes) = (Allocator::default(), vec![wish(Size::Podium, &CAMERA)]);
    let mut step = |ms, bits| {
        let choices = allocator.step(at(ms), bits, &wishes);
        apply(&mut wishes, &choices);
        choices[0]
    };
    assert_eq!(step(0, 400_000), Some(1), "the first picture waits for nothing");
    assert_eq!(step(1_000, 310_000), Some(1), "what flows may fill the line");
    assert_eq!(step(1_100, 299_000), Some(0));
    assert_eq!(step(1_200, 2_000_000), Some(0));
    assert_eq!(step(3_000, 2_000_000), Some(0));
    assert_eq!(step(3_400, 2_000_000), Some(2));
    assert_eq!(step(3_500, 910_000), Some(2));
    assert_eq!(step(3_600, 10_000), None);
    assert_eq!(step(5_500, 100_000), None);
    assert_eq!(step(5_800, 99_000), None, "too low two seconds ago");
    assert_eq!(step(7_900, 100_000), None, "99 kbit/s are not 90 with a tenth to spare");
    assert_eq!(step(10_000, 101_000), Some(0));
}

#[test]
fn a_new_face_on_the_podium_takes_the_place_of_the_old() {
    let start = Instant::now();
    let mut allocator = Allocator::default();
    let mut wishes = conference();
    let choices = allocator.step(start, 520_000, &wishes);
    apply(&mut wishes, &choices);
    assert_eq!(choices.iter().flatten().count(), 5);
    wishes[0].current = None;
    let choices = allocator.step(start + Duration::from_millis(10), 520_000, &wishes);
    assert_eq!(choices[0], Some(0));
}

fn sizes() -> impl Strategy<Value = Size> {
    prop_oneof![Just(Size::Thumb), Just(Size::Tile), Just(Size::Podium), Just(Size::Screen)]
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let bits = prop_oneof![Just(0), 1_000..3_000_000u64];
    let one = (sizes(), prop::collection::vec(bits, 0..4), prop::option::of(0..5usize));
    prop::collection::vec(one.prop_map(|(size, layers, current)| Wish { size, layers, current }), 0..20)
}

proptest! {
    /// Never more than the estimate, never a layer that cannot flow or that the size does not call for.
    #[test]
    fn choices_can_be_sent(estimate in 0..10_000_000u64, wishes in wishes()) {
        let choices = allocate(estimate, &wishes);
        prop_assert_eq!(choices.len(), wishes.len());
        prop_assert!(sum(&wishes, &choices) <= estimate);
        for (wish, choice) in wishes.iter().zip(&choices) {
            let Some(layer) = choice else { continue };
            prop_assert!(wish.layers[*layer] > 0);
            let lower = wish.layers[..*layer].iter().filter(|bits| **bits > 0).count();
            match wish.size {
                Size::Thumb => prop_assert_eq!(lower, 0),
                Size::Tile => prop_assert!(*layer <= 1 || lower == 0),
                Size::Podium | Size::Screen => {}
            }
        }
        // Nobody is raised while one before it in the order goes without, though it would fit into what the raise takes.
        let raised = wishes.iter().zip(&choices).any(|(wish, choice)| {
            choice.is_some_and(|layer| wish.layers[..layer].iter().any(|bits| *bits > 0))
        });
        if raised {
            let lowest: Vec<_> = wishes.iter().map(|w| w.layers.iter().copied().find(|bits| *bits > 0)).collect();
            let all: u64 = lowest.iter().flatten().sum();
            let missing = lowest.iter().zip(&choices).any(|(lowest, choice)| lowest.is_some() && choice.is_none());
            prop_assert!(!missing || all > estimate);
        }
    }

    /// Whatever the line and the senders do, the sum does not stay above the estimate: each step brings it below.
    #[test]
    fn the_sum_follows_the_estimate(
        mut wishes in wishes(),
        steps in prop::collection::vec((1..900u64, 0..5_000_000u64, 0..20usize, 0..4usize, 0..2_000_000u64), 1..200),
    ) {
        let mut now = Instant::now();
        let mut allocator = Allocator::default();
        for (ms, estimate, at, layer, bits) in steps {
            now += Duration::from_millis(ms);
            if let Some(changed) = wishes.get_mut(at).and_then(|wish| wish.layers.get_mut(layer)) {
                *changed = bits;
            }
            let choices = allocator.step(now, estimate, &wishes);
            prop_assert!(sum(&wishes, &choices) <= estimate);
            prop_assert!(allocator.least.len() <= 12, "{}", allocator.least.len());
            apply(&mut wishes, &choices);
        }
    }

    /// A layer begins only when it fitted, with a tenth to spare, through the last two seconds.
    #[test]
    fn nothing_begins_on_a_line_that_swings(
        steps in prop::collection::vec((1..900u64, 0..1_500_000u64), 1..300),
    ) {
        let mut now = Instant::now();
        let (mut allocator, mut wishes) = (Allocator::default(), vec![wish(Size::Podium, &CAMERA)]);
        let mut past: Vec<(Instant, u64)> = Vec::new();
        for (ms, estimate) in steps {
            now += Duration::from_millis(ms);
            let before = wishes[0].current;
            let choices = allocator.step(now, estimate, &wishes);
            apply(&mut wishes, &choices);
            past.push((now, estimate));
            if choices[0] > before {
                let cost = CAMERA[choices[0].unwrap()];
                for (at, bits) in &past {
                    prop_assert!(now.duration_since(*at) > CALM || cost <= bits / 100 * NEW_PERCENT);
                }
            }
        }
    }
}
