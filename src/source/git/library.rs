//! The settings of libgit2, which are the process's.

use std::collections::BTreeMap;
use std::ffi::{CString, c_int};
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::model::Digest;
use crate::source::error::Cause;

/// What libgit2 is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// How long to wait for a connection: 10 s unless set.
    pub connect_timeout: Duration,
    /// How long to wait for each answer on a connection: 30 s unless set.
    pub answer_timeout: Duration,
    /// A private directory for what libgit2 must find in a home directory: the host keys we know, from which it learns
    /// which kind of key to ask a server for. Without it a server that has several may offer one we do not know.
    pub home: Option<PathBuf>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { connect_timeout: Duration::from_secs(10), answer_timeout: Duration::from_secs(30), home: None }
    }
}

static SETUP: OnceLock<Setup> = OnceLock::new();

/// Sets libgit2 up, once for the process: the first call wins, and whatever uses git2 first makes it with the defaults.
/// Call it at the start.
pub fn initialise(setup: Setup) {
    SETUP.get_or_init(|| {
        let milliseconds = |time: Duration| c_int::try_from(time.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: these are plain process-wide settings that libgit2 reads without a lock, so they must be made before any
        // other thread uses it. Every way to git2 in this room goes through `setup()`, and this runs once, before those
        // calls return.
        let made = unsafe {
            git2::opts::set_server_connect_timeout_in_milliseconds(milliseconds(setup.connect_timeout))
                .and_then(|()| git2::opts::set_server_timeout_in_milliseconds(milliseconds(setup.answer_timeout)))
                // libgit2 runs nothing that a repository's configuration names, which is what the check of its owner is
                // for; and a repository that is mounted into a container belongs to somebody else.
                .and_then(|()| git2::opts::set_verify_owner_validation(false))
                .and_then(|()| forget_configuration())
                .and_then(|()| setup.home.as_deref().map_or(Ok(()), |home| set_home(home)))
        };
        if let Err(error) = made {
            tracing::warn!(error = %error.message(), "a setting of the git library was refused");
        }
        setup
    });
}

/// The settings in force.
pub(super) fn setup() -> &'static Setup {
    initialise(Setup::default());
    SETUP.get_or_init(Setup::default)
}

/// Keeps the configuration of the user and of the system out, so that a source means the same on every machine.
unsafe fn forget_configuration() -> Result<(), git2::Error> {
    use git2::ConfigLevel::{Global, ProgramData, System, XDG};
    for level in [System, XDG, Global, ProgramData] {
        // SAFETY: as the caller.
        unsafe { git2::opts::set_search_path(level, "")? };
    }
    Ok(())
}

/// git2 does not wrap this option.
unsafe fn set_home(home: &Path) -> Result<(), git2::Error> {
    let path = CString::new(home.as_os_str().as_bytes())?;
    // SAFETY: the option takes one path, which libgit2 copies; and as the caller.
    let code = unsafe { libgit2_sys::git_libgit2_opts(libgit2_sys::GIT_OPT_SET_HOMEDIR as c_int, path.as_ptr()) };
    if code < 0 { Err(git2::Error::last_error(code)) } else { Ok(()) }
}

/// Writes the host keys known for `host` where libgit2 looks for them. They only decide which kind of key the server is
/// asked for: whether the key it shows is trusted is decided in `connection`.
pub(super) fn prefer_host_keys(host: &str, lines: Vec<String>) -> std::io::Result<()> {
    static KNOWN: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());
    let Some(home) = &setup().home else { return Ok(()) };
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.get(host) == Some(&lines) {
        return Ok(());
    }
    known.insert(host.to_owned(), lines);
    let directory = home.join(".ssh");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    let (new, path) = (directory.join("known_hosts.new"), directory.join("known_hosts"));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    for line in known.values().flatten() {
        writeln!(file, "{line}")?;
    }
    // Another connection may be reading it.
    fs::rename(new, path)
}

/// Makes a CA of one's own trusted. libgit2 has one list of them for the process, so it is trusted for every source; each
/// content is added once, and a changed file beside the old one.
pub(super) fn trust(path: &Path, content: &[u8]) -> Result<(), Cause> {
    static TRUSTED: Mutex<Vec<Digest>> = Mutex::new(Vec::new());
    setup();
    let digest = Digest::of(content);
    let mut trusted = TRUSTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !trusted.contains(&digest) {
        // SAFETY: OpenSSL locks its certificate store itself, and the lock above keeps callers from one another.
        unsafe { git2::opts::set_ssl_cert_file(path) }.map_err(|error| Cause::new(error.message()))?;
        trusted.push(digest);
    }
    Ok(())
}
