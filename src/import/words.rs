//! Durations and amounts as people write them, of which exactly the same is read.

/// Units of time in nanoseconds, the longest first.
const UNITS: &[(&str, i64)] = &[
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Nanoseconds as `1m30s`.
pub(super) fn duration(nanoseconds: i64) -> String {
    let mut rest = nanoseconds;
    let mut text = String::new();
    for (unit, length) in UNITS {
        let count = rest / length;
        if count != 0 {
            text.push_str(&format!("{count}{unit}"));
            rest %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A duration where it is not zero, which says as much as silence.
pub(super) fn said(nanoseconds: i64) -> Option<String> {
    (nanoseconds != 0).then(|| duration(nanoseconds))
}

/// Bytes as `512M`, in the largest unit that says exactly so many.
pub(super) fn bytes(bytes: i64) -> String {
    let unit = ["T", "G", "M", "K"].iter().zip([40, 30, 20, 10]);
    let exact = unit.into_iter().find(|(_, shift)| bytes >= 1 << shift && bytes % (1_i64 << shift) == 0);
    match exact {
        Some((unit, shift)) => format!("{}{unit}", bytes >> shift),
        None => bytes.to_string(),
    }
}

/// Billionths of a processor as `0.5`.
pub(super) fn cpus(nano: i64) -> String {
    let (whole, rest) = (nano / 1_000_000_000, nano % 1_000_000_000);
    if rest == 0 {
        return whole.to_string();
    }
    format!("{whole}.{}", format!("{rest:09}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::grammar;
    use crate::yaml::parse_duration;

    #[test]
    fn amounts_are_written_as_people_would() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (90_000_000_000, "1m30s"),
            (10_000_000_000, "10s"),
            (1_500_000_000, "1s500ms"),
            (86_400_000_000_000, "24h"),
            (1, "1ns"),
        ] {
            assert_eq!(duration(nanoseconds), text);
        }
        for (amount, text) in
            [(536_870_912, "512M"), (1 << 30, "1G"), (1_610_612_736, "1536M"), (1000, "1000"), (0, "0")]
        {
            assert_eq!(bytes(amount), text);
        }
        for (nano, text) in [(500_000_000, "0.5"), (2_000_000_000, "2"), (1, "0.000000001"), (1_250_000_000, "1.25")] {
            assert_eq!(cpus(nano), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_reads_back(number in 0..=i64::MAX) {
            proptest::prop_assert_eq!(parse_duration(&duration(number)), Some(number));
            proptest::prop_assert_eq!(grammar::nano_cpus(&cpus(number)), Some(number));
            // Docker reads bytes as a floating-point number.
            let exact = number >> 11;
            proptest::prop_assert_eq!(grammar::bytes(&bytes(exact)), Some(exact));
        }
    }
}
