//! Amounts of memory and of processors, as Docker writes them.

/// Bytes in Docker's form: `50M` is 50 × 1024². Units `b k m g t p` in either case, with `b` or `ib` after them, a
/// fraction and one space before them allowed.
pub(super) fn bytes(text: &str) -> Option<i64> {
    let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')?;
    let (number, unit) = text.split_at_checked(end + 1)?;
    let number = number.strip_suffix(' ').unwrap_or(number);
    if !number.bytes().all(|b| b.is_ascii_digit() || b".eE+".contains(&b)) {
        return None;
    }
    let number: f64 = number.parse().ok()?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ => return None,
    };
    let bytes = number * 1024_f64.powi(factor);
    // 2^63 is the first number that does not fit; below it the conversion cuts the fraction off, as Docker does.
    (bytes.is_finite() && bytes < 9_223_372_036_854_775_808.0).then_some(bytes as i64)
}

/// Nanoseconds of a duration that Docker does not know and Compose does: with days and weeks before the rest, `1w2d3h`.
/// `None` for any other.
pub(super) fn days_and_weeks(text: &str) -> Option<i64> {
    const DAY: i64 = 24 * 3600 * 1_000_000_000;
    let (mut rest, mut total, mut found) = (text, 0_i64, false);
    for (unit, length) in [('w', 7 * DAY), ('d', DAY)] {
        let Some((count, after)) = rest.split_once(unit) else { continue };
        if count.is_empty() || !count.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        total = total.checked_add(count.parse::<i64>().ok()?.checked_mul(length)?)?;
        (rest, found) = (after, true);
    }
    let rest = if rest.is_empty() { 0 } else { crate::yaml::parse_duration(rest).filter(|rest| *rest >= 0)? };
    found.then_some(total)?.checked_add(rest)
}

/// Billionths of a processor: `0.5`, `2`, or a ratio such as `1/2`, exactly.
pub(super) fn nano_cpus(text: &str) -> Option<i64> {
    const NANO: i128 = 1_000_000_000;
    let digits = |text: &str| text.len() <= 20 && text.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('+').unwrap_or(text);
    if let Some((numerator, denominator)) = text.split_once('/') {
        if !digits(numerator) || !digits(denominator) {
            return None;
        }
        let scaled = numerator.parse::<i128>().ok()?.checked_mul(NANO)?;
        let denominator = denominator.parse::<i128>().ok().filter(|d| *d != 0)?;
        return (scaled % denominator == 0).then_some(scaled / denominator)?.try_into().ok();
    }
    // Go's rationals take an exponent.
    let (text, exponent) = match text.split_once(['e', 'E']) {
        Some((text, exponent)) => (text, exponent.parse::<i32>().ok().filter(|exponent| exponent.abs() <= 20)?),
        None => (text, 0),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    if text.trim_start_matches('.').is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let number = format!("0{whole}{fraction}").parse::<i128>().ok()?;
    let places = 9 + exponent - i32::try_from(fraction.len()).ok()?;
    let power = 10_i128.checked_pow(places.unsigned_abs())?;
    let nano = if places < 0 { (number % power == 0).then_some(number / power)? } else { number.checked_mul(power)? };
    nano.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_weeks_come_first() {
        let hour = 3_600_000_000_000;
        for (text, value) in [
            ("1d", Some(24 * hour)),
            ("1w", Some(168 * hour)),
            ("1w2d3h", Some(219 * hour)),
            ("2d90m", Some(49 * hour + hour / 2)),
            ("1h", None),
            ("d", None),
            ("1d1d", None),
            ("1d1w", None),
            ("-1d", None),
            ("1.5d", None),
            ("99999999999999999999w", None),
            ("9223372036854775807w", None),
        ] {
            assert_eq!(days_and_weeks(text), value, "{text}");
        }
    }

    #[test]
    fn bytes_are_dockers() {
        for (text, value) in [
            ("32", Some(32)),
            ("32b", Some(32)),
            ("50M", Some(52_428_800)),
            ("50 mb", Some(52_428_800)),
            ("50MiB", Some(52_428_800)),
            ("1.5g", Some(1_610_612_736)),
            ("1.5 GB", Some(1_610_612_736)),
            (".5k", Some(512)),
            ("2T", Some(2_199_023_255_552)),
            ("1p", Some(1_125_899_906_842_624)),
            ("1e3", Some(1000)),
            ("0", Some(0)),
            ("", None),
            ("m", None),
            ("-1", None),
            ("1x", None),
            ("1bb", None),
            ("1mi", None),
            ("1  m", None),
            ("99999p", None),
            ("nan", None),
        ] {
            assert_eq!(bytes(text), value, "{text}");
        }
    }

    #[test]
    fn processors_are_exact() {
        for (text, value) in [
            ("0.5", Some(500_000_000)),
            ("2", Some(2_000_000_000)),
            (".25", Some(250_000_000)),
            ("1.", Some(1_000_000_000)),
            ("0.000000001", Some(1)),
            ("0.1000000000", Some(100_000_000)),
            ("1/2", Some(500_000_000)),
            ("1/3", None),
            ("1/0", None),
            ("0.0000000001", None),
            ("-1", None),
            ("", None),
            (".", None),
            ("half", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(nano_cpus(text), value, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[0-9./ eEbkmgtpi+-]{0,24}|.{0,10}") {
            let _ = (bytes(&text), nano_cpus(&text));
        }
    }
}
