//! What became of requests.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// An answer that took longer counts as slow.
const SLOW: Duration = Duration::from_secs(1);

/// What became of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Answered,
    /// No connection, or nobody to connect to.
    Refused,
    /// The connection ended before the answer did.
    Broken,
    /// Another status than 200.
    Status(u16),
    /// No answer in 5 s.
    Timeout,
}

/// One request.
pub struct Sent {
    /// When it was due, since the start.
    pub at: Duration,
    /// From then to its end.
    pub took: Duration,
    /// How late the client itself was.
    pub late: Duration,
    pub fate: Fate,
    /// Whether the client tried it twice.
    pub again: bool,
}

/// What became of all requests to one target.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    pub target: String,
    pub total: u64,
    pub refused: u64,
    pub broken: u64,
    pub status: u64,
    pub timeout: u64,
    /// Answered with 200, but after more than a second.
    pub slow: u64,
    /// Sent more than half a second late: the client had no CPU, so the machine was too busy.
    pub late: u64,
    /// Tried twice by the client.
    pub again: u64,
    /// The longest time during which every request was lost, in seconds.
    pub out: f64,
    /// When losses were, in seconds since the start, each second once; the first hundred.
    pub seconds: Vec<u64>,
}

impl Figures {
    /// Of these requests, which are sorted.
    pub fn of(target: String, sent: &mut [Sent]) -> Figures {
        sent.sort_by_key(|one| one.at);
        let mut figures = Figures { target, total: sent.len() as u64, ..Figures::default() };
        let mut since = None;
        for one in sent.iter() {
            match one.fate {
                Fate::Answered => figures.slow += u64::from(one.took > SLOW),
                Fate::Refused => figures.refused += 1,
                Fate::Broken => figures.broken += 1,
                Fate::Status(_) => figures.status += 1,
                Fate::Timeout => figures.timeout += 1,
            }
            figures.late += u64::from(one.late > Duration::from_millis(500));
            figures.again += u64::from(one.again);
            if one.fate == Fate::Answered {
                since = None;
                continue;
            }
            let first = *since.get_or_insert(one.at);
            figures.out = figures.out.max((one.at - first).as_secs_f64());
            if figures.seconds.last() != Some(&one.at.as_secs()) && figures.seconds.len() < 100 {
                figures.seconds.push(one.at.as_secs());
            }
        }
        figures
    }

    /// All that got no good answer.
    pub fn lost(&self) -> u64 {
        self.refused + self.broken + self.status + self.timeout
    }

    /// In words, for a table: lost, slow, total.
    pub fn words(&self) -> String {
        let (lost, slow, total) = (self.lost(), self.slow, grouped(self.total));
        let mut text = if lost == 0 { "**0**".to_owned() } else { grouped(lost) };
        if slow > 0 {
            text += &format!(" + {}", grouped(slow));
        }
        text += &format!(" of {total}");
        if lost > 0 {
            text += &format!(" ({})", percent(lost, self.total));
        }
        text
    }
}

/// A share with as many digits as matter.
pub fn percent(part: u64, of: u64) -> String {
    let share = part as f64 * 100.0 / of.max(1) as f64;
    match share {
        0.0 => "0 %".to_owned(),
        _ if share < 0.1 => format!("{share:.3} %"),
        _ if share < 10.0 => format!("{share:.1} %"),
        _ => format!("{share:.0} %"),
    }
}

/// A number with commas: 12,345.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
