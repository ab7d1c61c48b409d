//! The keys under which a file has its objects.

use std::collections::BTreeSet;

/// Keys that are given out, each once.
#[derive(Debug, Default)]
pub(super) struct Keys {
    given: BTreeSet<String>,
}

impl Keys {
    /// Keys beside one that means something of its own.
    pub fn beside(reserved: &str) -> Self {
        Self { given: [reserved.to_owned()].into() }
    }

    /// A key as near to `wish` as there is one left: in the form that stack files allow, with a number behind it where it
    /// is taken.
    pub fn give(&mut self, wish: &str) -> String {
        let allowed = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
        let wish: String = wish.chars().map(allowed).collect();
        let wish = if wish.trim_matches(['.', '-']).is_empty() { "unnamed".to_owned() } else { wish };
        let key = if self.given.contains(&wish) { self.numbered(&wish) } else { wish };
        self.given.insert(key.clone());
        key
    }

    fn numbered(&self, wish: &str) -> String {
        let mut number = 2_usize;
        loop {
            let key = format!("{wish}-{number}");
            if !self.given.contains(&key) {
                return key;
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_given_once_and_has_the_form_that_files_allow() {
        let mut keys = Keys::beside("default");
        let given = ["a", "a", "a-2", "default", "{{.Node.ID}}", "..", "a.b_c"].map(|wish| keys.give(wish));
        assert_eq!(given, ["a", "a-2", "a-2-2", "default-2", "--.Node.ID--", "unnamed", "a.b_c"]);
    }
}
