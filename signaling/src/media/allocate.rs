//! Which layer of each picture a viewer gets, so that all of them pass its line: a function from an estimate and wishes to
//! layers. Sound is not here: the caller takes it off the estimate first, and it is never given up.
//!
//! # Order
//! Every wish gets its lowest layer first: a shared screen, then the podium, then tiles and thumbnails. What is left
//! raises the podium to its best, then the screen, then the tiles, each in the order of the list. Thumbnails stay on the lowest
//! layer and tiles on the second. What does not fit is passed over, so that a smaller one behind it may.
//!
//! # Calm
//! An estimate swings, and each change of layer costs a key frame. So a layer that already flows may fill the estimate to
//! its end, and a new one must fit into nine tenths of the least estimate of the last two seconds. Giving up waits for nothing,
//! and counts as a low estimate itself.

use crate::room::Size;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// What is new must fit into so many hundredths of the estimate.
const NEW_PERCENT: u64 = 90;
/// And must have done so for this long.
const CALM: Duration = Duration::from_secs(2);
/// Estimates are remembered in steps of this, so there are at most a dozen.
const GRAIN: Duration = Duration::from_millis(200);

/// A picture that the viewer should get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub size: Size,
    /// Bits a second of each layer, from the smallest picture up; 0 is a layer that cannot flow. One that the sender has paused only because
    /// nobody watched it is not such: give what it would cost, or it will never flow again.
    pub layers: Vec<u64>,
    /// The layer that flows now.
    pub current: Option<usize>,
}

/// The layer to send; none pauses the picture.
pub(crate) type Choice = Option<usize>;

impl Wish {
    /// What a layer costs, if it can flow and the size calls for so much.
    fn cost(&self, layer: usize) -> Option<u64> {
        let highest = match self.size {
            Size::Thumb => 0,
            Size::Tile => 1,
            Size::Podium | Size::Screen => usize::MAX,
        };
        self.layers.get(layer).copied().filter(|bits| *bits > 0 && layer <= self.highest_from(highest))
    }

    /// What the smallest layer costs.
    pub fn least(&self) -> u64 {
        (0..self.layers.len()).find_map(|layer| self.cost(layer)).unwrap_or(0)
    }

    /// What the largest layer costs that the size calls for.
    pub fn most(&self) -> u64 {
        (0..self.layers.len()).filter_map(|layer| self.cost(layer)).max().unwrap_or(0)
    }

    /// When the layers below the highest allowed do not flow, the lowest that does is the smallest there is.
    fn highest_from(&self, highest: usize) -> usize {
        let lowest = self.layers.iter().position(|bits| *bits > 0).unwrap_or(0);
        highest.max(lowest)
    }
}

/// The layers for an estimate of this moment, without a memory.
#[cfg(test)]
pub(crate) fn allocate(estimate_bits: u64, wishes: &[Wish]) -> Vec<Choice> {
    fill(estimate_bits, estimate_bits, wishes)
}

/// Pictures are wanted, there are some, and the line takes none of them.
pub(crate) fn is_audio_only(wishes: &[Wish], choices: &[Choice]) -> bool {
    let is_there = |wish: &Wish| wish.layers.iter().any(|bits| *bits > 0);
    wishes.iter().any(is_there) && choices.iter().all(Option::is_none)
}

/// What a choice costs.
pub(crate) fn sum(wishes: &[Wish], choices: &[Choice]) -> u64 {
    let costs = wishes.iter().zip(choices).map(|(wish, choice)| choice.and_then(|l| wish.layers.get(l)).copied());
    costs.flatten().fold(0, u64::saturating_add)
}

/// A viewer's allocation over time.
#[derive(Debug, Default)]
pub(crate) struct Allocator {
    /// The least of each grain of time, the latest last.
    least: VecDeque<(Instant, u64)>,
}

impl Allocator {
    /// The layers from now on; their sum is never above the estimate. Call it when the estimate or the wishes change, and a few
    /// times a second, with bits that are measured over a second or so. The first call waits for nothing.
    pub fn step(&mut self, now: Instant, estimate_bits: u64, wishes: &[Wish]) -> Vec<Choice> {
        self.remember(now, estimate_bits);
        let least = self.least.iter().map(|(_, bits)| *bits).min().unwrap_or(estimate_bits);
        let for_new = least.min(estimate_bits) / 100 * NEW_PERCENT;
        let choices = fill(estimate_bits, for_new, wishes);
        let gave_up = wishes.iter().zip(&choices).any(|(wish, choice)| {
            let before = wish.current.filter(|layer| wish.cost(*layer).is_some());
            *choice < before
        });
        if gave_up {
            self.remember(now, sum(wishes, &choices) / NEW_PERCENT * 100);
        }
        choices
    }

    fn remember(&mut self, now: Instant, bits: u64) {
        // The one before the last two seconds held until the next, so it goes only when that one is old too.
        while self.least.get(1).is_some_and(|(next, _)| now.saturating_duration_since(*next) >= CALM) {
            self.least.pop_front();
        }
        match self.least.back_mut() {
            Some((at, least)) if now.saturating_duration_since(*at) < GRAIN => *least = bits.min(*least),
            _ => self.least.push_back((now, bits)),
        }
    }
}

/// Raises wishes in their order; what flows already fits below `limit`, what is new below `for_new`.
fn fill(limit: u64, for_new: u64, wishes: &[Wish]) -> Vec<Choice> {
    let mut filled = Filled { limit, for_new, sum: 0, choices: vec![None; wishes.len()] };
    for class in [&[Size::Screen][..], &[Size::Podium], &[Size::Tile, Size::Thumb]] {
        for (at, wish) in wishes.iter().enumerate().filter(|(_, wish)| class.contains(&wish.size)) {
            filled.raise(at, wish, true);
        }
    }
    for size in [Size::Podium, Size::Screen, Size::Tile] {
        for (at, wish) in wishes.iter().enumerate().filter(|(_, wish)| wish.size == size) {
            filled.raise(at, wish, false);
        }
    }
    filled.choices
}

struct Filled {
    limit: u64,
    for_new: u64,
    sum: u64,
    choices: Vec<Choice>,
}

impl Filled {
    /// To the first layer that flows and fits, or to the best one.
    fn raise(&mut self, at: usize, wish: &Wish, only_first: bool) {
        let Some(choice) = self.choices.get_mut(at) else { return };
        let before = choice.and_then(|layer| wish.cost(layer)).unwrap_or(0);
        let others = self.sum.saturating_sub(before);
        let above = choice.map_or(0, |layer| layer + 1)..wish.layers.len();
        let mut costs = above.filter_map(|layer| Some((layer, wish.cost(layer)?)));
        let fits = |(layer, bits): &(usize, u64)| {
            let flows = wish.current.is_some_and(|current| *layer <= current);
            others.saturating_add(*bits) <= if flows { self.limit } else { self.for_new }
        };
        let best = if only_first { costs.next().filter(fits) } else { costs.rfind(fits) };
        if let Some((layer, bits)) = best {
            *choice = Some(layer);
            self.sum = others.saturating_add(bits);
        }
    }
}

#[cfg(test)]
mod tests;
