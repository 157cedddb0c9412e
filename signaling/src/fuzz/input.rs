//! Any bytes, read as numbers and pieces. Past the end everything is zero and empty, so that every input is a story.

use std::sync::LazyLock;
use std::time::Instant;

/// All stories begin now; they advance in virtual time.
pub(crate) static START: LazyLock<Instant> = LazyLock::new(Instant::now);

pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    pub fn short(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    pub fn word(&mut self) -> u32 {
        u32::from_be_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// One of these.
    pub fn one_of<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let choice = usize::from(self.byte()) % choices.len().max(1);
        choices.get(choice).copied().unwrap_or_default()
    }

    /// A piece with its length, one byte, before it.
    pub fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.take(length)
    }

    /// A piece with its length, two bytes, before it.
    pub fn long_piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.short());
        self.take(length)
    }

    pub fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (piece, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        piece
    }
}
