//! Sequence numbers: up to 56 decimal digits, as 24 bytes that compare as the numbers do.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

pub const SEQUENCE_BYTES: usize = 24;

/// The most that Kinesis gives.
const DIGITS_MAX: usize = 56;

/// What 32 bits hold of them together.
const CHUNK_DIGITS: usize = 9;
const CHUNK: u64 = 10_u64.pow(9);

/// Of a product, what remains in its limb; the rest is carried on.
const LIMB: u64 = 0xffff_ffff;

/// A record's place in its shard, and how many digits it is spelled with.
#[derive(Debug, Clone, Copy)]
pub struct Sequence {
    /// The most significant first.
    limbs: [u32; SEQUENCE_BYTES / 4],
    digits: u8,
}

impl Sequence {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || text.is_empty() || text.len() > DIGITS_MAX {
            return None;
        }
        let mut sequence = Self {
            limbs: Default::default(),
            digits: u8::try_from(text.len()).ok()?,
        };
        for chunk in text.as_bytes().chunks(CHUNK_DIGITS) {
            let (mut number, mut scale) = (0, 1);
            for digit in chunk {
                number = number * 10 + u64::from(digit - b'0');
                scale *= 10;
            }
            sequence.multiply_and_add(scale, number);
        }
        Some(sequence)
    }

    fn multiply_and_add(&mut self, scale: u64, number: u64) {
        let mut carry = number;
        for limb in self.limbs.iter_mut().rev() {
            let product = u64::from(*limb) * scale + carry;
            *limb = (product & LIMB) as u32;
            carry = product >> u32::BITS;
        }
    }

    /// Divides by a chunk; gives what is left.
    fn split_chunk(&mut self) -> u64 {
        let mut rest = 0;
        for limb in &mut self.limbs {
            let dividend = (rest << u32::BITS) + u64::from(*limb);
            *limb = ((dividend / CHUNK) & LIMB) as u32;
            rest = dividend % CHUNK;
        }
        rest
    }

    /// Of what [`Sequence::bytes`] gave, in as few digits as will do.
    #[must_use]
    pub fn from_bytes(bytes: [u8; SEQUENCE_BYTES]) -> Self {
        let mut limbs = [0; SEQUENCE_BYTES / 4];
        for (limb, bytes) in limbs.iter_mut().zip(bytes.as_chunks().0) {
            *limb = u32::from_be_bytes(*bytes);
        }
        Self { limbs, digits: 1 }
    }

    /// Big-endian.
    #[must_use]
    pub fn bytes(self) -> [u8; SEQUENCE_BYTES] {
        let mut bytes = [0; SEQUENCE_BYTES];
        for (bytes, limb) in bytes.as_chunks_mut().0.iter_mut().zip(self.limbs) {
            *bytes = limb.to_be_bytes();
        }
        bytes
    }
}

/// As it was spelled.
impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = *self;
        // 24 bytes have up to 58 digits.
        let mut digits = [b'0'; 7 * CHUNK_DIGITS];
        for chunk in digits.rchunks_mut(CHUNK_DIGITS) {
            let mut number = rest.split_chunk();
            for digit in chunk.iter_mut().rev() {
                *digit += (number % 10) as u8;
                number /= 10;
            }
        }
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        let before = zeros.min(digits.len() - usize::from(self.digits));
        let spelled = digits.get(before..).unwrap_or_default();
        f.write_str(str::from_utf8(spelled).unwrap_or_default())
    }
}

impl PartialEq for Sequence {
    fn eq(&self, other: &Self) -> bool {
        self.limbs == other.limbs
    }
}

impl Eq for Sequence {}

impl Ord for Sequence {
    fn cmp(&self, other: &Self) -> Ordering {
        self.limbs.cmp(&other.limbs)
    }
}

impl PartialOrd for Sequence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Sequence {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.limbs.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Sequence {
        Sequence::parse(text).expect(text)
    }

    #[test]
    fn digits_become_bytes() {
        #[track_caller]
        fn check(text: &str, last: &[u8]) {
            let mut expected = [0; SEQUENCE_BYTES];
            expected[SEQUENCE_BYTES - last.len()..].copy_from_slice(last);
            assert_eq!(read(text).bytes(), expected, "{text}");
        }
        check("0", &[]);
        check("256", &[1, 0]);
        check("0256", &[1, 0]);
        check("18446744073709551616", &[1, 0, 0, 0, 0, 0, 0, 0, 0]);
        // 2^128, which has 39 digits.
        let mut expected = [0; 17];
        expected[0] = 1;
        check("340282366920938463463374607431768211456", &expected);
        let most = "9".repeat(DIGITS_MAX);
        assert_eq!(read(&most).to_string(), most);
    }

    #[test]
    fn what_is_no_number_of_56_digits_is_none() {
        let long = "1".repeat(DIGITS_MAX + 1);
        for text in ["", "-1", "+1", "1.0", " 1", "1e3", "x", "١", &long] {
            assert_eq!(Sequence::parse(text), None, "{text}");
        }
    }

    #[test]
    fn any_bytes_have_digits() {
        let most = Sequence::from_bytes([0xff; SEQUENCE_BYTES]).to_string();
        assert_eq!(
            most,
            "6277101735386680763835789423207666416102355444464034512895"
        );
        assert_eq!(Sequence::from_bytes([0; SEQUENCE_BYTES]).to_string(), "0");
    }

    proptest! {
        #[test]
        fn a_number_is_printed_as_it_was_spelled(text in "[0-9]{1,56}") {
            prop_assert_eq!(read(&text).to_string(), &*text);
            let shortest = Sequence::from_bytes(read(&text).bytes());
            prop_assert_eq!(shortest, read(&text));
            let expected = text.trim_start_matches('0');
            prop_assert_eq!(shortest.to_string(), if expected.is_empty() { "0" } else { expected });
        }

        #[test]
        fn bytes_compare_as_the_numbers_do(a in "[0-9]{1,56}", b in "[0-9]{1,56}") {
            let expected = format!("{a:0>56}").cmp(&format!("{b:0>56}"));
            prop_assert_eq!(read(&a).cmp(&read(&b)), expected);
            prop_assert_eq!(read(&a).bytes().cmp(&read(&b).bytes()), expected);
        }
    }
}
