//! The short form of a mount: `[source:]target[:options]`.

use super::super::{BindOptions, Mount, VolumeOptions};

/// What the short form says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::compose) struct Short {
    /// The mount.
    pub mount: Mount,
    /// Options that mean nothing to Docker.
    pub ignored: Vec<String>,
    /// Whether a single letter before a colon was taken for a Windows drive.
    pub drive: bool,
}

/// Why a text is no mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(in crate::compose) enum MountError {
    /// Nothing.
    #[error("a mount may not be empty")]
    Empty,
    /// Two colons side by side, or one at an end.
    #[error("nothing stands between two colons")]
    EmptySection,
    /// More than source, target and options.
    #[error("there are too many colons")]
    TooManyColons,
}

/// The words for a bind mount's propagation.
const PROPAGATIONS: &[&str] = &["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/// Reads the short form.
pub(in crate::compose) fn short(text: &str) -> Result<Short, MountError> {
    let volume = Mount { kind: "volume".to_owned(), ..Mount::default() };
    match text.len() {
        0 => return Err(MountError::Empty),
        1 | 2 => {
            let mount = Mount { target: text.to_owned(), ..volume };
            return Ok(Short { mount, ..Short::default() });
        }
        _ => {}
    }
    let (sections, drive) = sections(text);
    if sections.iter().any(|section| section.is_empty()) {
        return Err(MountError::EmptySection);
    }
    let (source, target, options) = match sections.as_slice() {
        [target] => ("", *target, ""),
        [source, target] => (*source, *target, ""),
        [source, target, options] => (*source, *target, *options),
        _ => return Err(MountError::TooManyColons),
    };
    let mut mount = Mount { source: source.to_owned(), target: target.to_owned(), ..volume };
    if is_path(source) {
        mount.kind = "bind".to_owned();
    }
    let mut ignored = Vec::new();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option {
            "ro" => mount.read_only = true,
            "rw" => mount.read_only = false,
            "nocopy" => mount.volume = Some(VolumeOptions { nocopy: true, ..VolumeOptions::default() }),
            option if PROPAGATIONS.contains(&option) => {
                mount.bind = Some(BindOptions { propagation: option.to_owned() });
            }
            option => ignored.push(option.to_owned()),
        }
    }
    Ok(Short { mount, ignored, drive: drive && source.is_empty() })
}

/// The sections between colons. One after a single letter belongs to a Windows drive and separates nothing.
fn sections(text: &str) -> (Vec<&str>, bool) {
    let mut sections = Vec::new();
    let (mut start, mut drive) = (0, false);
    for (at, _) in text.match_indices(':') {
        let section = text.get(start..at).unwrap_or_default();
        let mut letters = section.chars();
        if letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none() {
            drive = true;
        } else {
            sections.push(section);
            start = at + 1;
        }
    }
    sections.push(text.get(start..).unwrap_or_default());
    (sections, drive)
}

/// Whether a source is a path and no name of a volume.
fn is_path(source: &str) -> bool {
    source.starts_with(['.', '/', '~']) || is_windows_path(source)
}

/// `\\host\share`, `c:/…` or `c:\…`. `c:x` is relative, to Docker as to Windows.
pub(in crate::compose) fn is_windows_absolute(source: &str) -> bool {
    is_windows_path(source)
        && (source.starts_with("\\\\") || source.chars().nth(2).is_some_and(|c| matches!(c, '/' | '\\')))
}

/// `\\host\share` or `c:…`.
fn is_windows_path(source: &str) -> bool {
    let mut characters = source.chars();
    source.starts_with("\\\\") || (characters.next().is_some_and(char::is_alphabetic) && characters.next() == Some(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        match short(text) {
            Ok(Short { mount, ignored, drive }) => {
                let mut out = format!("{} {:?} {}", mount.kind, mount.source, mount.target);
                if mount.read_only {
                    out += " ro";
                }
                if mount.volume.is_some_and(|volume| volume.nocopy) {
                    out += " nocopy";
                }
                if let Some(bind) = mount.bind {
                    out += &format!(" {}", bind.propagation);
                }
                if !ignored.is_empty() {
                    out += &format!(" ignored {ignored:?}");
                }
                if drive { out + " drive" } else { out }
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_short_form_is_dockers() {
        for (text, mount) in [
            ("/data", "volume \"\" /data"),
            ("a", "volume \"\" a"),
            ("a:", "volume \"\" a:"),
            ("data:/data", "volume \"data\" /data"),
            ("data:/data:ro", "volume \"data\" /data ro"),
            ("data:/data:ro,nocopy", "volume \"data\" /data ro nocopy"),
            ("data:/data:rw", "volume \"data\" /data"),
            ("./x:/x", "bind \"./x\" /x"),
            ("/x:/x:rshared", "bind \"/x\" /x rshared"),
            ("~/x:/x", "bind \"~/x\" /x"),
            ("../x:/x:z", "bind \"../x\" /x ignored [\"z\"]"),
            ("/x:/x:ro,cached", "bind \"/x\" /x ro ignored [\"cached\"]"),
            ("v:/data", "volume \"\" v:/data drive"),
            ("c:\\x:/x", "bind \"c:\\\\x\" /x"),
            ("c:\\x:d:\\x:ro", "bind \"c:\\\\x\" d:\\x ro"),
            ("\\\\host\\x:/x", "bind \"\\\\\\\\host\\\\x\" /x"),
            ("", "a mount may not be empty"),
            ("data::ro", "nothing stands between two colons"),
            (":/data", "nothing stands between two colons"),
            ("data:/data:", "nothing stands between two colons"),
            ("aa:/bb:ro:rw", "there are too many colons"),
        ] {
            assert_eq!(show(text), mount, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[a-b:/.~,\\\\é]{0,24}") {
            let _ = show(&text);
        }
    }
}
