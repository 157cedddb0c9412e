//! Bit by bit through a codec's header.

#[derive(Debug)]
pub(crate) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next bits (at most 32), the first of them highest.
    pub fn read(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8)?;
            value = (value << 1) | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    pub fn flag(&mut self) -> Option<bool> {
        Some(self.read(1)? == 1)
    }

    /// Bits that mean nothing to us.
    pub fn skip(&mut self, count: usize) -> Option<()> {
        let end = self.at.checked_add(count)?;
        (end <= self.bytes.len() * 8).then(|| self.at = end)
    }

    /// An Exp-Golomb number (H.264, 9.1); more than 20 bits is nothing that a picture's size needs.
    pub fn exp(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.read(1)? == 0 {
            zeros += 1;
            if zeros > 20 {
                return None;
            }
        }
        Some((1 << zeros) - 1 + self.read(zeros)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_highest_first_and_end() {
        let mut bits = Bits::of(&[0b1010_0110, 0b0100_0000]);
        assert_eq!((bits.read(3), bits.flag()), (Some(0b101), Some(false)));
        assert_eq!((bits.exp(), bits.exp()), (Some(2), Some(3)), "011 and 00100");
    }

    #[test]
    fn nothing_is_read_behind_the_end() {
        let mut bits = Bits::of(&[0xff]);
        assert_eq!((bits.skip(9), bits.skip(7), bits.read(2), bits.exp()), (None, Some(()), None, None));
    }
}
