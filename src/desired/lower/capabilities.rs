//! Capabilities, as Docker's own command writes them.

use std::collections::BTreeSet;

/// Every capability: stands for all others in its list.
const ALL: &str = "ALL";
/// Takes back what an earlier specification said; means nothing in a stack file and is not sent.
const RESET: &str = "RESET";

/// The capabilities that are added and those that are taken away: in upper case with `CAP_`, each once, sorted. What is
/// added is not taken away.
pub(super) fn effective(add: &[String], drop: &[String]) -> (Vec<String>, Vec<String>) {
    let add = normalised(add);
    let drop = normalised(drop).into_iter().filter(|name| !add.contains(name)).collect();
    (add.into_iter().collect(), drop)
}

fn normalised(names: &[String]) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = names.iter().map(|name| normal(name)).filter(|name| name != RESET).collect();
    if names.contains(ALL) {
        names.retain(|name| name == ALL);
    }
    names
}

fn normal(name: &str) -> String {
    let name = name.trim().to_uppercase();
    if name == ALL || name == RESET || name.starts_with("CAP_") { name } else { format!("CAP_{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_alike_and_adding_wins() {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (add, drop, added, dropped) in [
            (&["net_admin", "SYS_TIME"][..], &[][..], &["CAP_NET_ADMIN", "CAP_SYS_TIME"][..], &[][..]),
            (&["cap_chown", " CHOWN "], &["kill"], &["CAP_CHOWN"], &["CAP_KILL"]),
            (&["chown"], &["CAP_CHOWN", "kill"], &["CAP_CHOWN"], &["CAP_KILL"]),
            (&["all", "chown"], &["all"], &["ALL"], &[]),
            (&["chown"], &["kill", "ALL"], &["CAP_CHOWN"], &["ALL"]),
            (&["RESET", "chown"], &["reset"], &["CAP_CHOWN"], &[]),
        ] {
            assert_eq!(effective(&list(add), &list(drop)), (list(added), list(dropped)), "{add:?} {drop:?}");
        }
    }
}
