//! What a scalar means: Docker's rule, which is that of Go's yaml.v3 (YAML 1.2 booleans, 1.1 octals and underscores), and
//! how Docker prints a scalar where it wants text. Held against `docker stack config` 28.2.

use super::timestamp;
use super::tree::{Scalar, Style};

/// A scalar's type by Docker's rule.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number, octal (`0444`, `0o444`), hexadecimal and binary forms included.
    Int(i128),
    /// A number with a fraction or exponent.
    Float(f64),
    /// A date or a point in time, as Go prints it.
    Timestamp(String),
    /// Text.
    Text,
}

impl Resolved {
    /// What it is, for messages: "a number".
    pub fn describe(&self) -> &'static str {
        match self {
            Resolved::Null => "nothing",
            Resolved::Bool(_) => "a boolean",
            Resolved::Int(_) | Resolved::Float(_) => "a number",
            Resolved::Timestamp(_) => "a date",
            Resolved::Text => "text",
        }
    }
}

impl Scalar {
    /// A scalar without quotes.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Plain, interpolated: false, secret: false }
    }

    /// A scalar in quotes.
    pub fn quoted(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Quoted, interpolated: false, secret: false }
    }

    /// What it means. What came out of interpolation is text, however it is written.
    pub fn resolve(&self) -> Resolved {
        match self.style {
            Style::Plain if !self.interpolated => resolve(&self.text),
            _ => Resolved::Text,
        }
    }

    /// Whether it is `null`, `~` or nothing.
    pub fn is_null(&self) -> bool {
        self.style == Style::Plain && !self.interpolated && is_null(&self.text)
    }

    /// The text Docker makes of it where a map of texts is wanted: `1.10` is `1.1`, `0x10` is `16`, `1e6` is `1e+06`,
    /// `2001-12-14` is `2001-12-14 00:00:00 +0000 UTC`. `None` for null.
    pub fn go_text(&self) -> Option<String> {
        Some(match self.resolve() {
            Resolved::Null => return None,
            Resolved::Bool(value) => value.to_string(),
            Resolved::Int(value) => value.to_string(),
            Resolved::Float(value) => go_float(value),
            Resolved::Timestamp(text) => text,
            Resolved::Text => self.text.clone(),
        })
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn resolve(text: &str) -> Resolved {
    match text {
        _ if is_null(text) => return Resolved::Null,
        "true" | "True" | "TRUE" => return Resolved::Bool(true),
        "false" | "False" | "FALSE" => return Resolved::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match text.bytes().next() {
        Some(b'0'..=b'9' | b'+' | b'-') => {
            if let Some(time) = timestamp::go_text(text) {
                return Resolved::Timestamp(time);
            }
            let digits = if text.contains('_') { &text.replace('_', "") } else { text };
            if let Some(whole) = integer(digits) {
                return Resolved::Int(whole);
            }
            float(digits).map_or(Resolved::Text, Resolved::Float)
        }
        Some(b'.') => float(text).map_or(Resolved::Text, Resolved::Float),
        _ => Resolved::Text,
    }
}

/// Go's `ParseInt` and `ParseUint` with base 0: `0x`, `0o`, `0b` and a plain leading zero are prefixes.
fn integer(text: &str) -> Option<i128> {
    let (negative, signed, digits) = match text.as_bytes() {
        [b'-', ..] => (true, true, text.get(1..)?),
        [b'+', ..] => (false, true, text.get(1..)?),
        _ => (false, false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, digits.get(2..)?),
        [b'0', b'o' | b'O', _, ..] => (8, digits.get(2..)?),
        [b'0', b'b' | b'B', _, ..] => (2, digits.get(2..)?),
        [b'0', _, ..] => (8, digits.get(1..)?),
        _ => (10, digits),
    };
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    let value = if negative { -magnitude } else { magnitude };
    let most = if signed { i128::from(i64::MAX) } else { i128::from(u64::MAX) };
    (i128::from(i64::MIN)..=most).contains(&value).then_some(value)
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, finite.
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let shaped = digits(whole)
        && digits(fraction)
        && (!whole.is_empty() || !fraction.is_empty())
        && exponent.is_none_or(|e| !e.is_empty() && digits(e));
    if !shaped {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Go's `%v` of a float: the shortest digits that read back, with an exponent below 1e-4 and from 1e6 on.
fn go_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..GO_EXPONENT).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// From this power of ten on Go's shortest form has an exponent.
const GO_EXPONENT: i32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_scalar_becomes_the_text_docker_makes_of_it() {
        for (given, text) in [
            ("1e6", "1e+06"),
            ("100000.0", "100000"),
            ("08", "8"),
            ("1e20", "1e+20"),
            ("1e30", "1e+30"),
            ("1e3", "1000"),
            ("1.10", "1.1"),
            ("1.0", "1"),
            ("1.", "1"),
            (".5", "0.5"),
            ("+5", "5"),
            ("0x10", "16"),
            ("0X1f", "31"),
            ("010", "8"),
            ("0444", "292"),
            ("0o444", "292"),
            ("-0b11", "-3"),
            ("1_000", "1000"),
            ("1_0.5", "10.5"),
            ("1e-5", "1e-05"),
            ("0.0001", "0.0001"),
            ("123456789.5", "1.234567895e+08"),
            ("12345678901234567890", "12345678901234567890"),
            ("18446744073709551616", "1.8446744073709552e+19"),
            ("2001-12-14", "2001-12-14 00:00:00 +0000 UTC"),
            ("2001-1-2 3:4:5", "2001-01-02 03:04:05 +0000 UTC"),
            ("2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.1 -0500 -0500"),
            ("2001-12-14T21:59:43Z", "2001-12-14 21:59:43 +0000 UTC"),
            ("2001-13-14", "2001-13-14"),
            ("2001-12-14T21:59:43", "2001-12-14T21:59:43"),
            ("22:22", "22:22"),
            ("yes", "yes"),
            ("True", "true"),
            ("1e999", "1e999"),
            ("0x", "0x"),
            ("-", "-"),
            (".", "."),
            ("1.2.3", "1.2.3"),
            ("_1", "_1"),
        ] {
            assert_eq!(Scalar::plain(given).go_text().as_deref(), Some(text), "{given}");
        }
        for null in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(Scalar::plain(null).go_text(), None, "{null:?}");
        }
    }

    #[test]
    fn what_is_quoted_or_interpolated_is_text() {
        assert_eq!(Scalar::quoted("0444").resolve(), Resolved::Text);
        assert_eq!(Scalar { interpolated: true, ..Scalar::plain("true") }.resolve(), Resolved::Text);
        assert_eq!(Scalar::quoted("").go_text().as_deref(), Some(""));
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Scalar::plain(text).go_text();
        }

        #[test]
        fn every_number_reads_back(value in proptest::num::i64::ANY) {
            proptest::prop_assert_eq!(Scalar::plain(value.to_string()).resolve(), Resolved::Int(value.into()));
        }
    }
}
