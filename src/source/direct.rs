//! The deployer's own machine, for `-c FILE`.

use std::path::{Component, Path, PathBuf};

use super::disk;
use crate::model::files::{MAX_FILE, ancestors};
use crate::model::{Entry, EntryKind, FileError, Files};

/// The path of the standard input, as `-c -` names it.
pub const STDIN: &str = "-";

/// The files of this machine, as the user who runs skep may read them. Located paths are absolute; links lead anywhere.
#[derive(Debug, Clone)]
pub struct Machine {
    working_directory: PathBuf,
    home: Option<PathBuf>,
    stdin: Option<Vec<u8>>,
}

impl Machine {
    /// Relative paths begin at `working_directory`, which is absolute, and `~` at `home`.
    pub fn new(working_directory: impl Into<PathBuf>, home: Option<PathBuf>) -> Self {
        Self { working_directory: working_directory.into(), home, stdin: None }
    }

    /// The same machine, where [`STDIN`] at the root is a file with this content. Its directory is `""`, so what it refers
    /// to begins at the working directory.
    pub fn with_stdin(mut self, content: Vec<u8>) -> Self {
        self.stdin = Some(content);
        self
    }

    fn absolute(&self, path: &str) -> PathBuf {
        if path.is_empty() { self.working_directory.clone() } else { PathBuf::from(path) }
    }
}

impl Files for Machine {
    fn locate(&self, dir: &str, path: &str) -> Result<String, FileError> {
        if path == STDIN && dir.is_empty() && self.stdin.is_some() {
            return Ok(STDIN.to_owned());
        }
        if path.contains('\0') {
            return Err(FileError::NotFound);
        }
        let joined = match path.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => match &self.home {
                Some(home) => home.join(rest.trim_start_matches('/')),
                None => return Err(FileError::NotFound),
            },
            _ => self.absolute(dir).join(path),
        };
        let normal = normalised(&self.working_directory.join(joined));
        normal.into_os_string().into_string().map_err(|_| FileError::Io("the path is not valid UTF-8".to_owned()))
    }

    /// The `.git` of a submodule is a file that names a directory of the repository around it; that of a work tree names
    /// one elsewhere, and is none.
    fn submodule(&self, path: &str) -> Option<String> {
        let is_submodule = |path: &&str| {
            let link = disk::read(&Path::new(path).join(".git"));
            link.is_ok_and(|link| link.starts_with(b"gitdir:") && String::from_utf8_lossy(&link).contains("/modules/"))
        };
        ancestors(path).find(is_submodule).map(str::to_owned)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, FileError> {
        match &self.stdin {
            Some(content) if path == STDIN && content.len() as u64 > MAX_FILE => {
                Err(FileError::TooLarge { limit: MAX_FILE })
            }
            Some(content) if path == STDIN => Ok(content.clone()),
            _ => disk::read(&self.absolute(path)),
        }
    }

    fn entries(&self, dir: &str) -> Result<Vec<Entry>, FileError> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.absolute(dir)).map_err(disk::fault)? {
            let entry = entry.map_err(disk::fault)?;
            // A dangling link is listed, as `Other`, like a name that could not be asked for.
            let kind = match std::fs::metadata(entry.path()) {
                Ok(metadata) if metadata.is_dir() => EntryKind::Directory,
                Ok(metadata) if metadata.is_file() => EntryKind::File,
                _ => EntryKind::Other,
            };
            let (name, kind) = match entry.file_name().into_string() {
                Ok(name) => (name, kind),
                Err(name) => (name.to_string_lossy().into_owned(), EntryKind::Other),
            };
            entries.push(Entry { name, kind });
        }
        entries.sort();
        Ok(entries)
    }
}

/// Without `.` and `..`, by the text alone, as Go's `filepath.Clean` does for `docker stack deploy`.
fn normalised(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            component => normal.push(component),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use rustix::fs::Mode;

    use super::*;
    use crate::model::files::directory;

    fn machine(dir: &Path) -> Machine {
        Machine::new(dir, Some("/home/ann".into()))
    }

    #[test]
    fn paths_become_absolute_and_begin_where_the_file_stands() {
        let machine = machine(Path::new("/srv"));
        for (dir, path, located) in [
            ("", "a.yaml", "/srv/a.yaml"),
            ("/srv/shop", "../env/./a", "/srv/env/a"),
            ("/srv", "/etc/hosts", "/etc/hosts"),
            ("/srv", "~/x", "/home/ann/x"),
            ("/srv", "~", "/home/ann"),
            ("/srv", "~x", "/srv/~x"),
            ("/", "../../a", "/a"),
        ] {
            assert_eq!(machine.locate(dir, path).as_deref(), Ok(located), "{dir} {path}");
        }
        assert_eq!(Machine::new("/srv", None).locate("", "~/x"), Err(FileError::NotFound));
    }

    #[test]
    fn stdin_is_a_file_whose_neighbours_are_in_the_working_directory() {
        let dir = tempfile::tempdir().expect("directory");
        std::fs::write(dir.path().join("x.env"), "A=1").expect("written");
        let machine = machine(dir.path()).with_stdin(b"services: {}".to_vec());
        let path = machine.locate("", "-").expect("located");
        assert_eq!(machine.read(&path).as_deref(), Ok(b"services: {}".as_slice()));
        let beside = machine.locate(directory(&path), "x.env").expect("located");
        assert_eq!(machine.read(&beside).as_deref(), Ok(b"A=1".as_slice()));
        let names: Vec<_> = machine.entries("").expect("listed").into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["x.env"]);
    }

    #[test]
    fn what_is_no_regular_file_is_refused_and_never_waited_for() {
        let dir = tempfile::tempdir().expect("directory");
        let at = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        let fifo =
            rustix::fs::mknodat(rustix::fs::CWD, at("fifo"), rustix::fs::FileType::Fifo, Mode::from_raw_mode(0o600), 0);
        fifo.expect("a FIFO");
        let _socket = UnixListener::bind(at("socket")).expect("a socket");
        let machine = machine(dir.path());
        assert_eq!(machine.read(&at("fifo")), Err(FileError::NotRegular));
        assert_eq!(machine.read(&at("socket")), Err(FileError::NotRegular));
        assert_eq!(machine.read("/dev/zero"), Err(FileError::NotRegular));
        assert_eq!(machine.read(&at("")), Err(FileError::Directory));
        assert_eq!(machine.read(&at("none")), Err(FileError::NotFound));
        let large = std::fs::File::create(at("large")).expect("created");
        large.set_len(MAX_FILE + 1).expect("grown");
        assert_eq!(machine.read(&at("large")), Err(FileError::TooLarge { limit: MAX_FILE }));
    }
}
