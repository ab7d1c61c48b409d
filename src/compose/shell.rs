//! Splitting a command line as Docker does: quotes, backslashes and comments, no operators and no variables.

/// Why a text is no command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum SplitError {
    /// It ends inside quotes.
    #[error("a quote is never closed")]
    Quote,
    /// It ends with a backslash.
    #[error("nothing follows the last backslash")]
    Escape,
    /// It has more words than any system runs.
    #[error("it has more than {MAX_WORDS} words")]
    Words,
}

/// How many words a command line may have. Linux runs none with 2 MiB in all.
const MAX_WORDS: usize = 100_000;

/// The words of a command line.
pub(super) fn split(text: &str) -> Result<Vec<String>, SplitError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if words.len() > MAX_WORDS {
            return Err(SplitError::Words);
        }
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' if word.is_none() => {
                characters.by_ref().find(|c| *c == '\n');
            }
            '\\' => word.get_or_insert_default().push(characters.next().ok_or(SplitError::Escape)?),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next().ok_or(SplitError::Quote)? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next().ok_or(SplitError::Quote)? {
                        '"' => break,
                        '\\' => word.push(characters.next().ok_or(SplitError::Quote)?),
                        c => word.push(c),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_dockers() {
        for (text, words) in [
            ("sleep 9", vec!["sleep", "9"]),
            ("  a\t b\n", vec!["a", "b"]),
            ("", vec![]),
            ("sh -c 'echo \"x y\"'", vec!["sh", "-c", "echo \"x y\""]),
            ("echo \"a \\\" \\n b\"", vec!["echo", "a \" n b"]),
            ("a\\ b", vec!["a b"]),
            ("a'b'\"c\"", vec!["abc"]),
            ("a '' b", vec!["a", "", "b"]),
            ("a # b\nc", vec!["a", "c"]),
            ("a#b", vec!["a#b"]),
            ("a '#' b", vec!["a", "#", "b"]),
            ("a | b && c", vec!["a", "|", "b", "&&", "c"]),
        ] {
            assert_eq!(
                split(text).as_deref(),
                Ok(words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>().as_slice()),
                "{text}"
            );
        }
        assert_eq!(split("a 'b"), Err(SplitError::Quote));
        assert_eq!(split("a \"b\\"), Err(SplitError::Quote));
        assert_eq!(split("a \\"), Err(SplitError::Escape));
    }

    proptest::proptest! {
        #[test]
        fn plain_words_come_back(words in proptest::collection::vec("[a-z0-9=/.-]{1,8}", 0..6)) {
            proptest::prop_assert_eq!(split(&words.join(" ")), Ok(words));
        }

        #[test]
        fn no_text_panics(text in "[ab'\"\\\\# \n]{0,30}") {
            let _ = split(&text);
        }
    }
}
