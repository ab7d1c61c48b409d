//! The lines of a file, of whatever format, with what looks like a secret hidden.
//!
//! A config is shown line by line where it differs. Nobody knows its format, so what follows a name that gives itself away is
//! hidden in any of the forms in which files write a value. Where that hides too much, a line is only shown as changed.

use super::Mask;
use crate::model::confidential::HIDDEN;

/// Names that sound like a secret and hold none: nginx's, in whose files upstreams are what changes most.
const HARMLESS: [&str; 11] = [
    "proxy_pass",
    "fastcgi_pass",
    "grpc_pass",
    "uwsgi_pass",
    "scgi_pass",
    "memcached_pass",
    "proxy_cache_key",
    "fastcgi_cache_key",
    "keys_zone",
    "ssl_certificate_key",
    "proxy_ssl_certificate_key",
];
/// What digests of passwords begin with, as `htpasswd` and `/etc/shadow` hold them.
const DIGESTS: [&str; 11] =
    ["$2a$", "$2b$", "$2y$", "$apr1$", "$5$", "$6$", "$y$", "$argon2", "{SHA}", "{SSHA}", "{SSHA256}"];

/// What hides lines until it ends.
enum Inside {
    /// A private key in PEM.
    Key,
    /// The value of a name whose line has this indentation: lines that are indented further, and a list that is not.
    Value(usize, bool),
    /// A section, `[secrets]`: the values of all names in it.
    Section,
}

impl Mask {
    /// The lines of a text, without their ends, as they may be shown.
    pub(in crate::plan) fn lines(&self, text: &str) -> Vec<String> {
        let mut inside = None;
        text.split_inclusive('\n').map(|line| self.line(line.strip_suffix('\n').unwrap_or(line), &mut inside)).collect()
    }

    fn line(&self, line: &str, inside: &mut Option<Inside>) -> String {
        if self.revealing {
            return line.to_owned();
        }
        let margin = line.len() - line.trim_start().len();
        match inside {
            Some(Inside::Key) => {
                if line.contains("-----END ") {
                    *inside = None;
                }
                return hidden(line, margin);
            }
            Some(Inside::Value(outer, with_list))
                if line.trim().is_empty()
                    || margin > *outer
                    || (*with_list && margin == *outer && line.trim_start().starts_with("- ")) =>
            {
                return if line.trim().is_empty() { line.to_owned() } else { hidden(line, margin) };
            }
            Some(Inside::Section) if line.trim().is_empty() => return line.to_owned(),
            Some(Inside::Section) if !line.trim_start().starts_with('[') => {
                let value = line.find(['=', ':']).map_or(margin, |at| at + 1);
                return hidden(line, value);
            }
            _ => *inside = None,
        }
        if let Some(at) = line.find("-----BEGIN ").filter(|at| line.get(*at..).is_some_and(|it| it.contains("PRIVATE")))
        {
            if !line.contains("-----END ") {
                *inside = Some(Inside::Key);
            }
            return hidden(line, at);
        }
        if let Some(name) = line.trim().strip_prefix('[').and_then(|it| it.strip_suffix(']'))
            && !name.contains(['"', ',', '='])
            && self.hides(name)
        {
            *inside = Some(Inside::Section);
            return self.sentence(line);
        }
        let Some((at, is_open)) = self.secret_at(line) else { return self.sentence(&without_password(line)) };
        if is_open {
            *inside = Some(Inside::Value(margin, !line.trim_start().starts_with('-')));
        }
        let shown = self.sentence(&without_password(line.get(..at).unwrap_or_default()));
        if line.get(at..).is_none_or(|rest| is_opening(rest.trim())) {
            line.to_owned()
        } else {
            format!("{shown}{HIDDEN}")
        }
    }

    /// Where the value of a name that gives itself away begins, and whether it goes on in the lines below.
    fn secret_at(&self, line: &str) -> Option<(usize, bool)> {
        let digest = DIGESTS.iter().filter_map(|prefix| line.find(prefix)).min();
        let named = words(line).find_map(|(start, word)| self.value_of(line, start, word));
        let at = match (digest, named) {
            (Some(digest), Some(named)) => digest.min(named),
            (digest, named) => digest.or(named)?,
        };
        let rest = line.get(at..).unwrap_or_default().trim_end();
        Some((at, is_opening(rest) || rest.ends_with(['\\', '|', '>', '[', '{'])))
    }

    /// Where the value of a word begins, if it is a name that gives itself away and has one.
    fn value_of(&self, line: &str, start: usize, word: &str) -> Option<usize> {
        let bare = word.trim_matches(['-', '.']);
        if !self.hides(bare) || HARMLESS.contains(&bare) {
            return None;
        }
        let end = start + word.len();
        let rest = line.get(end..)?;
        let unquoted = rest.trim_start_matches(['"', '\'', '`', ']', ')']);
        let after = unquoted.trim_start();
        let is_comparison = ["==", "!=", "=~"].iter().any(|sign| after.starts_with(sign));
        if is_comparison {
            return None;
        }
        if after.starts_with(['=', ':', '>']) {
            let value = after.trim_start_matches(['=', ':', '>', '?', '+']);
            return Some(line.len() - value.trim_start().len());
        }
        // `requirepass x`, `--token x`, `machine h login u password x`
        let before = line.get(..start).unwrap_or_default();
        let leads = before.chars().all(|c| c.is_whitespace() || "#;/'\"-".contains(c));
        let names_a_value = leads || word.starts_with('-') || self.is_plain_word(bare);
        let has_value = unquoted.starts_with([' ', '\t']) && !after.is_empty();
        (has_value && names_a_value).then(|| line.len() - after.len())
    }

    /// Whether a word is one of those that give away, and no more: `password`, and not `keycloak`.
    fn is_plain_word(&self, name: &str) -> bool {
        let name = name.to_ascii_uppercase();
        let name = name.strip_suffix("WORD").or(name.strip_suffix("WD")).unwrap_or(&name);
        self.words.iter().any(|word| word == name)
    }
}

/// The words of a line as names are written, each with where it begins.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut at = 0;
    line.split(move |c| !is_part(c)).filter_map(move |word| {
        let start = at;
        // What splits is a character of its own length.
        at += word.len() + line.get(at + word.len()..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((start, word))
    })
}

/// Whether a value says only that it stands in the lines below: of a mapping, a list, or a text in YAML.
fn is_opening(value: &str) -> bool {
    let value = value.trim_end_matches(',');
    value.is_empty() || matches!(value, "{" | "[" | "(" | "|" | "|-" | "|+" | ">" | ">-" | ">+")
}

fn hidden(line: &str, from: usize) -> String {
    format!("{}{HIDDEN}", line.get(..from).unwrap_or_default())
}

/// A line without the passwords of URLs in it.
pub(super) fn without_password(line: &str) -> String {
    let mut shown = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        shown.push_str(head);
        let end = tail.find(|c: char| c.is_whitespace() || "/?#\"'<>`".contains(c)).unwrap_or(tail.len());
        let authority = tail.get(..end).unwrap_or_default();
        rest = match authority.rsplit_once('@').and_then(|(user, _)| Some((user, user.split_once(':')?))) {
            // A variable in its place is not it.
            Some((user, (name, password))) if !password.is_empty() && !password.starts_with('$') => {
                shown.push_str(&format!("{name}:{HIDDEN}"));
                tail.get(user.len()..).unwrap_or_default()
            }
            _ => tail,
        };
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Mask::default().lines(text).join("\n")
    }

    #[test]
    fn whatever_follows_a_name_that_gives_itself_away_is_hidden() {
        for (given, expected) in [
            ("password=hunter2", "password=***"),
            ("password = hunter2 # old", "password = ***"),
            ("DB_PASSWORD: \"hunter2\"", "DB_PASSWORD: ***"),
            ("  \"apiToken\": \"hunter2\", \"a\": 1", "  \"apiToken\": ***"),
            ("{\"a\": 1, 'secret' : 'hunter2'}", "{\"a\": 1, 'secret' : ***"),
            ("secret => 'hunter2'", "secret => ***"),
            ("$config['db_password'] = 'hunter2';", "$config['db_password'] = ***"),
            ("export API_KEY=hunter2", "export API_KEY=***"),
            ("<password>hunter2</password>", "<password>***"),
            ("<add key=\"x\" value=\"hunter2\"/>", "<add key=***"),
            ("requirepass hunter2", "requirepass ***"),
            ("# requirepass hunter2", "# requirepass ***"),
            ("exec app --db-password hunter2 -v", "exec app --db-password ***"),
            ("machine h login u password hunter2", "machine h login u password ***"),
            ("admin:$2y$05$abcdef", "admin:***"),
            ("admin:{SHA}abcdef", "admin:***"),
            ("url = postgres://app:hunter2@db/x", "url = postgres://app:***@db/x"),
            ("a redis://:hunter2@r b http://u:p@h/", "a redis://:***@r b http://u:***@h/"),
            ("- token: hunter2", "- token: ***"),
            ("größe: 1, Schlüssel-key: hunter2", "größe: 1, Schlüssel-key: ***"),
        ] {
            assert_eq!(shown(given), expected, "{given}");
        }
    }

    #[test]
    fn what_only_sounds_like_a_secret_is_shown() {
        for given in [
            "worker_processes 4;",
            "    proxy_pass http://web:3000;",
            "    proxy_cache_path /var/cache keys_zone=a:10m;",
            "upstream keycloak {",
            "location /tokens {",
            "if (token == 1)",
            "where token != 2",
            "url = postgres://app:$DB_PW@db/x",
            "url = https://example.org:8080/a@b",
            "password",
            "",
        ] {
            assert_eq!(shown(given), given);
        }
    }

    #[test]
    fn a_value_on_the_lines_below_is_hidden_to_its_end() {
        assert_eq!(
            shown("tls:\n  key: |\n    one\n\n    two\n  other: three"),
            "tls:\n  key: |\n    ***\n\n    ***\n  other: three"
        );
        assert_eq!(shown("secrets:\n  a: one\nrest: two"), "secrets:\n  ***\nrest: two");
        assert_eq!(shown("keys:\n- one\n- two\nrest:\n- three"), "keys:\n***\n***\nrest:\n- three");
        assert_eq!(shown("- key:\n    one\n- name: two"), "- key:\n    ***\n- name: two");
        assert_eq!(shown("[secrets]\ndb = one\n\ntwo\n[rest]\na = b"), "[secrets]\ndb =***\n\n***\n[rest]\na = b");
        assert_eq!(
            shown("{\n  \"keys\": [\n    \"one\"\n  ],\n  \"a\": 1\n}"),
            "{\n  \"keys\": [\n    ***\n  ],\n  \"a\": 1\n}"
        );
        assert_eq!(
            shown("a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb"),
            "a\n***\n***\n***\nb"
        );
        assert_eq!(shown("-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----").lines().nth(1), Some("MIIE"));
    }

    #[test]
    fn who_asks_is_shown_and_what_came_out_of_an_encrypted_file_is_not() {
        assert_eq!(Mask::none().lines("password=a\nb"), ["password=a", "b"]);
        let mut confidential = crate::model::Confidential::new();
        confidential.add("hunter2");
        assert_eq!(Mask::default().with(&confidential).lines("say hunter2 twice"), ["say *** twice"]);
    }
}
