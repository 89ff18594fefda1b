//! Where an element of an array ends, whatever is in it.

use wide::u8x16;

/// Where in the nesting of JSON a byte stands.
#[derive(Debug, Default)]
pub(super) struct Scan {
    depth: u32,
    string: StringPart,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum StringPart {
    #[default]
    Outside,
    Inside,
    /// Behind a backslash.
    Escape,
}

impl Scan {
    pub(super) fn is_at_top(&self) -> bool {
        self.depth == 0 && self.string == StringPart::Outside
    }

    /// Passes an element of an array: its length, and the comma or bracket that ends it.
    pub(super) fn element(&mut self, bytes: &[u8]) -> Option<(usize, u8)> {
        let mut index = if self.is_at_top() {
            flat_length(bytes)
        } else {
            0
        };
        loop {
            if self.string == StringPart::Inside {
                index += memchr::memchr2(b'"', b'\\', bytes.get(index..)?)?;
            }
            let byte = *bytes.get(index)?;
            if matches!(byte, b',' | b']') && self.is_at_top() {
                return Some((index, byte));
            }
            self.pass(byte);
            index += 1;
        }
    }

    #[inline]
    pub(super) fn pass(&mut self, byte: u8) {
        match (self.string, byte) {
            (StringPart::Inside, b'\\') => self.string = StringPart::Escape,
            (StringPart::Inside, b'"') => self.string = StringPart::Outside,
            (StringPart::Escape, _) | (StringPart::Outside, b'"') => {
                self.string = StringPart::Inside;
            }
            (StringPart::Outside, b'{' | b'[') => self.depth += 1,
            (StringPart::Outside, b'}' | b']') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

/// How many bytes the object or array that comes first has, white space before it counted; 0 where
/// none does, or where something nests in it or is escaped. Which bytes it has then tells, without
/// their order, that each string in it has ended.
fn flat_length(bytes: &[u8]) -> usize {
    let [b'{' | b'[', inside @ ..] = bytes.trim_ascii_start() else {
        return 0;
    };
    let end = memchr::memchr2(b'}', b']', inside);
    match end.and_then(|end| inside.split_at_checked(end)) {
        Some((inside, rest)) if is_flat(inside) => bytes.len() - rest.len() + 1,
        _ => 0,
    }
}

/// Sixteen bytes are looked at together.
fn is_flat(inside: &[u8]) -> bool {
    let (blocks, rest) = inside.as_chunks();
    let mut last = [0; 16];
    let padded = last.iter_mut().zip(rest);
    padded.for_each(|(padded, byte)| *padded = *byte);
    let (mut quotes, mut others) = (u8x16::ZERO, u8x16::ZERO);
    for block in blocks.iter().chain([&last]) {
        let bytes = u8x16::new(*block);
        let is = |byte| bytes.simd_eq(u8x16::splat(byte));
        quotes ^= is(b'"');
        others |= is(b'{') | is(b'[') | is(b'\\');
    }
    quotes.to_bitmask().count_ones().is_multiple_of(2) && others.to_bitmask() == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Looks at each byte by itself.
    fn end(bytes: &[u8]) -> Option<usize> {
        let mut scan = Scan::default();
        let mut pieces = bytes.chunks(1);
        pieces.position(|byte| scan.element(byte).is_some())
    }

    proptest! {
        #[test]
        fn an_element_ends_where_it_does_byte_by_byte(
            text in r#"[ \n]?[{\["]?([a1:,]|"[a,{}\[\]]?"|["\\{}\[\]]){0,20}[}\]]?[ \n]?[,\]]?"#
        ) {
            let found = Scan::default().element(text.as_bytes());
            prop_assert_eq!(found.map(|(length, _)| length), end(text.as_bytes()));
        }
    }
}
