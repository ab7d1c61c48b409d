//! Bech32, the form that age's keys are written in (BIP 173): a word, `1`, and base 32 with a checksum.

/// age's keys take 62 and 74 characters.
const MAX_LENGTH: usize = 90;

/// The checksum's length in characters.
const CHECKSUM: usize = 6;

const ALPHABET: &[u8] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/// The generator of the checksum's code.
const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];

/// The 32 bytes of a key that is written with this word (in lower case), in upper or lower case throughout.
pub(super) fn decode(word: &str, text: &str) -> Option<zeroize::Zeroizing<[u8; 32]>> {
    let is_mixed = text.bytes().any(|b| b.is_ascii_lowercase()) && text.bytes().any(|b| b.is_ascii_uppercase());
    if text.len() > MAX_LENGTH || is_mixed {
        return None;
    }
    let text = zeroize::Zeroizing::new(text.to_ascii_lowercase());
    let data = text.strip_prefix(word)?.strip_prefix('1')?;
    let mut checksum = Checksum(1);
    word.bytes().for_each(|byte| checksum.add(byte >> 5));
    checksum.add(0);
    word.bytes().for_each(|byte| checksum.add(byte & 31));
    let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
    let mut to = bytes.iter_mut();
    let (mut bits, mut buffer) = (0_u32, 0_u32);
    let end = data.len().checked_sub(CHECKSUM)?;
    for (at, character) in data.bytes().enumerate() {
        let digit = u8::try_from(ALPHABET.iter().position(|known| *known == character)?).ok()?;
        checksum.add(digit);
        if at >= end {
            continue;
        }
        buffer = (buffer << 5 | u32::from(digit)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            *to.next()? = u8::try_from((buffer >> bits) & 0xff).ok()?;
        }
    }
    let padding = buffer & ((1 << bits) - 1);
    (checksum.0 == 1 && to.next().is_none() && bits < 5 && padding == 0).then_some(bytes)
}

struct Checksum(u32);

impl Checksum {
    fn add(&mut self, digit: u8) {
        let top = self.0 >> 25;
        self.0 = (self.0 & 0x01ff_ffff) << 5 ^ u32::from(digit);
        for (bit, generator) in GENERATOR.iter().enumerate() {
            if top >> bit & 1 == 1 {
                self.0 ^= generator;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn a_key_is_read_and_a_mistyped_one_is_not() {
        let key = "age1x76f5lq4x6qynxjgtu29pxfdmwwdrx9jhv03yyu8pn86tqn4ggkq30f4w2";
        assert!(decode("age", key).is_some());
        assert!(decode("age", &key.to_uppercase()).is_some());
        for wrong in [
            key.replace("x76", "x67"),
            key.replace("age1x", "age1X"),
            key.get(..61).expect("a shorter text").to_owned(),
            format!("{key}q"),
            "age1".to_owned(),
            String::new(),
        ] {
            assert!(decode("age", &wrong).is_none(), "{wrong}");
        }
        assert!(decode("age-secret-key-", key).is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "age1[0-9a-zA-Z]{0,90}") {
            let _ = decode("age", &text);
        }
    }
}
