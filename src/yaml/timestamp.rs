//! Dates. A plain scalar that looks like one is a time to Docker's YAML library, and Go prints a time its own way
//! wherever text is wanted.

use jiff::civil::DateTime;

/// The text Go prints for a plain scalar that is a timestamp: `2001-12-14` becomes `2001-12-14 00:00:00 +0000 UTC`.
///
/// The forms are `y-m-d`, `y-m-d h:m:s` and `y-m-dTh:m:s` with `Z` or an offset; the year has four digits, every other
/// number one or two, the seconds may have a fraction.
pub(super) fn go_text(text: &str) -> Option<String> {
    let mut rest = text;
    let year = rest.get(..4).filter(|y| y.bytes().all(|b| b.is_ascii_digit()))?;
    rest = rest.get(4..)?.strip_prefix('-')?;
    let month = number(&mut rest)?;
    rest = rest.strip_prefix('-')?;
    let day = number(&mut rest)?;
    let (mut clock, mut nanos, mut offset) = ((0, 0, 0), 0, 0);
    if let Some(after) = rest.strip_prefix(['T', 't', ' ']) {
        let with_zone = !rest.starts_with(' ');
        rest = after;
        let hour = number(&mut rest)?;
        rest = rest.strip_prefix(':')?;
        let minute = number(&mut rest)?;
        rest = rest.strip_prefix(':')?;
        clock = (hour, minute, number(&mut rest)?);
        if let Some(after) = rest.strip_prefix('.') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            let (fraction, after) = after.split_at_checked(digits).filter(|_| (1..=9).contains(&digits))?;
            nanos = format!("{fraction:0<9}").parse().ok()?;
            rest = after;
        }
        if with_zone {
            offset = zone(&mut rest)?;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    let (hour, minute, second) = clock;
    DateTime::new(year.parse().ok()?, month, day, hour, minute, second, nanos).ok()?;
    let fraction = match nanos {
        0 => String::new(),
        nanos => format!(".{nanos:09}").trim_end_matches('0').to_owned(),
    };
    let zone = match offset {
        0_i32 => "+0000 UTC".to_owned(),
        offset => {
            let sign = if offset < 0 { '-' } else { '+' };
            let zone = format!("{sign}{:02}{:02}", offset.abs() / 60, offset.abs() % 60);
            format!("{zone} {zone}")
        }
    };
    Some(format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction} {zone}"))
}

/// One or two digits.
fn number(rest: &mut &str) -> Option<i8> {
    let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let (digits, after) = rest.split_at_checked(digits)?;
    *rest = after;
    digits.parse().ok()
}

/// `Z` or `+hh:mm`, in minutes.
fn zone(rest: &mut &str) -> Option<i32> {
    if let Some(after) = rest.strip_prefix('Z') {
        *rest = after;
        return Some(0);
    }
    let sign = match rest.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = rest.get(1..)?.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 || !hours.bytes().chain(minutes.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    *rest = "";
    (hours <= 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}
