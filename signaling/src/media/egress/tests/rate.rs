//! How the estimate behaves on simulated lines.

use super::link::{Line, World};

/// The longest run of estimates above `limit`, in seconds.
fn longest_above(estimates: &[u64], limit: u64) -> f64 {
    let (mut longest, mut run) = (0, 0);
    for estimate in estimates {
        run = if *estimate > limit { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    f64::from(longest) / 10.0
}

#[test]
fn a_narrow_line_is_found_and_kept() {
    for seed in 1..=4 {
        let mut world = World::new(Line::of(500_000), seed);
        world.run(5.0);
        world.run(40.0);
        assert!(longest_above(world.last(40.0), 550_000) < 2.0, "seed {seed}: {:?}", world.estimates);
        assert!(world.mean(40.0) > 300_000, "seed {seed}: {:?}", world.estimates);
    }
}

#[test]
fn a_wide_line_is_found() {
    for seed in 1..=4 {
        let mut world = World::new(Line::of(20_000_000), seed);
        world.run(10.0);
        assert!(world.mean(2.0) > 2_500_000, "seed {seed}: {:?}", world.estimates);
        assert!(world.egress.stats().dropped == 0 && world.lost == 0);
        assert!(world.waited(50, 5) == 0 && world.waited(99, 5) <= 2_000, "nothing needs to be spread");
    }
}

#[test]
fn after_a_limit_went_away_the_viewer_comes_up_again() {
    for seed in 1..=4 {
        let mut world = World::new(Line::of(300_000), seed);
        world.run(40.0);
        assert!(world.mean(5.0) < 330_000, "seed {seed}: {:?}", world.estimates);
        world.line.capacity = 10_000_000;
        world.run(12.0);
        assert!(world.mean(1.0) > 2_000_000, "seed {seed}: {:?}", world.last(12.0));
    }
}

#[test]
fn a_line_that_becomes_narrow_is_noticed() {
    for seed in 1..=4 {
        let mut world = World::new(Line::of(4_000_000), seed);
        world.run(15.0);
        assert!(world.mean(1.0) > 1_500_000, "seed {seed}: {:?}", world.estimates);
        world.line.capacity = 500_000;
        world.run(25.0);
        assert!(longest_above(world.last(20.0), 550_000) < 2.0, "seed {seed}: {:?}", world.last(25.0));
    }
}

#[test]
fn random_loss_without_congestion_does_not_starve_the_viewer() {
    for (loss, least) in [(0.05, 2_000_000), (0.2, 400_000)] {
        for seed in 1..=4 {
            let mut world = World::new(Line { loss, delay: 100_000, ..Line::of(10_000_000) }, seed);
            world.run(60.0);
            assert!(world.mean(20.0) > least, "{loss} {seed}: {:?}", world.estimates);
            assert!(world.audio_share() > 0.97 * (1.0 - loss), "sound never waits: {}", world.audio_share());
        }
    }
}

#[test]
fn retransmission_repairs_loss_without_a_storm() {
    for seed in 1..=4 {
        let mut world = World::new(Line { loss: 0.05, ..Line::of(10_000_000) }, seed);
        world.run(30.0);
        let stats = world.egress.stats();
        assert!(world.lost > 300, "{}", world.lost);
        assert!(stats.resent <= 2 * world.lost, "{} for {}", stats.resent, world.lost);
        assert!(world.video_share() > 0.99, "{}", world.video_share());
    }
}

#[test]
fn transport_wide_numbers_have_no_holes() {
    let mut world = World::new(Line { loss: 0.05, ..Line::of(1_000_000) }, 1);
    world.run(20.0);
    assert!(world.numbers.len() > 1_500);
    assert!(world.numbers.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
    assert!(world.egress.stats().probes > 0 && world.egress.stats().resent > 0);
}

#[test]
fn jitter_alone_is_no_congestion() {
    for seed in 1..=4 {
        let mut world = World::new(Line { jitter: 15_000, ..Line::of(20_000_000) }, seed);
        world.run(30.0);
        assert!(world.mean(10.0) > 1_500_000, "seed {seed}: {:?}", world.estimates);
    }
}

#[test]
fn after_an_outage_the_viewer_is_back_soon() {
    for seed in 1..=4 {
        let mut world = World::new(Line::of(10_000_000), seed);
        world.run(15.0);
        world.line.loss = 1.0;
        world.run(10.0);
        let during = world.egress.estimate();
        assert!(during < 1_000_000, "{during}");
        assert!(during > 200_000, "{during}");
        world.line.loss = 0.0;
        world.run(5.0);
        assert!(world.mean(0.5) > 2_000_000, "seed {seed}: {:?}", world.last(6.0));
    }
}

#[test]
fn a_second_without_a_network_is_no_congestion() {
    for loss in [0.0, 0.05] {
        for seed in 1..=4 {
            let mut world = World::new(Line { loss, delay: 50_000, ..Line::of(10_000_000) }, seed);
            world.run(20.0);
            let before = world.egress.estimate();
            world.line.loss = 1.0;
            world.run(1.0);
            world.line.loss = loss;
            world.run(1.5);
            let after = world.egress.estimate();
            assert!(10 * after > 7 * before, "{loss} {seed}: {before} to {after}");
        }
    }
}

#[test]
fn without_transport_feedback_reports_and_remb_decide() {
    let mut world = World::new(Line::of(10_000_000), 1);
    world.sends_feedback = false;
    world.run(30.0);
    let grown = world.egress.estimate();
    assert!(grown > 2_000_000, "{grown}");
    world.line.capacity = 500_000;
    world.run(40.0);
    let highest = world.last(20.0).iter().max();
    assert!(highest < Some(&1_200_000), "only layers that fit are sent: {highest:?}");
    assert!(world.mean(10.0) > 200_000, "{:?}", world.last(40.0));
    world.hear_remb(200_000);
    assert!(world.egress.estimate() <= 200_000);
}

#[test]
fn lines_of_all_kinds_are_used_and_not_overused() {
    let line = Line::of;
    let far = |line: Line| Line { delay: 200_000, ..line };
    // (line, least mean in kbit/s, longest time above 120 % of the capacity in seconds), after ten seconds.
    let lines = [
        ("300k", line(300_000), 240, 1.0),
        ("500k", line(500_000), 400, 1.0),
        ("500k, round trip 400 ms", far(line(500_000)), 400, 1.0),
        ("500k, short queue", Line { queue: 40_000, ..line(500_000) }, 400, 4.0),
        ("500k, long queue", Line { queue: 2_000_000, ..line(500_000) }, 400, 1.0),
        ("500k, jitter", Line { jitter: 20_000, ..line(500_000) }, 330, 4.0),
        ("500k, loss", Line { loss: 0.03, ..line(500_000) }, 350, 1.0),
        ("1M", line(1_000_000), 800, 1.0),
        ("1M, round trip 400 ms, loss", far(Line { loss: 0.05, ..line(1_000_000) }), 800, 1.0),
        ("2M", line(2_000_000), 1_600, 1.0),
        ("2M, jitter", Line { jitter: 30_000, ..line(2_000_000) }, 1_300, 2.0),
    ];
    for (name, line, least, longest) in lines {
        for seed in 1..=3 {
            let mut world = World::new(line.clone(), seed);
            world.run(60.0);
            let mean = world.mean(50.0) / 1_000;
            let above = longest_above(world.last(50.0), line.capacity * 6 / 5);
            assert!(mean >= least, "{name}, seed {seed}: {mean} {:?}", world.estimates);
            assert!(above <= longest, "{name}, seed {seed}: {above} {:?}", world.estimates);
        }
    }
}
