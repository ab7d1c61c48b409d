//! Noticing at once that a local repository or directory moved.
//!
//! What comes is a hint to look, not what happened: looking is cheap, and events can be lost (a full queue, a network
//! file system). Whoever relies on it also looks by interval.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Config, Event, EventKind, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher, WatcherKind};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::Error;
use super::error::Cause;
use super::git::{DOT_GIT, Repository};

/// How long it has to be quiet after a change: a commit moves several files.
const QUIET: Duration = Duration::from_millis(20);
/// How long a change waits for quiet.
const PATIENCE: Duration = Duration::from_millis(100);
/// How often is looked where the system gives no events.
const POLL: Duration = Duration::from_secs(2);

/// Tells when to look again.
pub struct Watch {
    hints: Receiver<()>,
    /// When the change came that is not reported yet; kept here so that a dropped `changed` loses nothing.
    since: Option<Instant>,
    polling: bool,
    /// Watches as long as it lives.
    _watcher: Box<dyn Watcher + Send + Sync>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("polling", &self.polling).finish_non_exhaustive()
    }
}

impl Watch {
    /// Watches the branches, tags and `HEAD` of the repository at `path`, which may be a linked work tree. What happens to
    /// its files is no change until it is committed.
    ///
    /// # Errors
    /// As [`Repository::open`], and [`Error::Watch`].
    pub fn repository(path: &Path) -> Result<Self, Error> {
        let repository = Repository::open(path)?;
        let (own, common) = (repository.git_directory().to_owned(), repository.common_directory().to_owned());
        let mut places = vec![(own.clone(), RecursiveMode::NonRecursive)];
        places.push((common.join("refs"), RecursiveMode::Recursive));
        if common != own {
            places.push((common.clone(), RecursiveMode::NonRecursive));
        }
        Self::start(path, &places, move |changed| is_reference(changed, &own) || is_reference(changed, &common))
    }

    /// Watches every file below `path`. Of a `.git` in it, only what a commit moves counts.
    ///
    /// # Errors
    /// [`Error::Directory`] where there is none, and [`Error::Watch`].
    pub fn directory(path: &Path) -> Result<Self, Error> {
        // Polling would wait for one to appear.
        std::fs::read_dir(path).map_err(|error| Error::Directory { path: path.to_owned(), source: error.into() })?;
        let root = path.to_owned();
        Self::start(path, &[(path.to_owned(), RecursiveMode::Recursive)], move |changed| is_content(changed, &root))
    }

    /// Waits for the next change and for the quiet after it. Dropping the future loses nothing.
    pub async fn changed(&mut self) {
        let since = match self.since {
            Some(since) => since,
            None => {
                if self.hints.recv().await.is_none() {
                    // The watcher's thread is gone: there is nothing more to wait for.
                    return std::future::pending().await;
                }
                *self.since.insert(Instant::now())
            }
        };
        let latest = since + PATIENCE;
        loop {
            let quiet = (Instant::now() + QUIET).min(latest);
            match timeout_at(quiet, self.hints.recv()).await {
                Ok(Some(())) if quiet < latest => {}
                Ok(None) => {
                    sleep_until(quiet).await;
                    break;
                }
                _ => break,
            }
        }
        self.since = None;
    }

    /// Whether it looks every two seconds, because the system gives no events.
    pub fn is_polling(&self) -> bool {
        self.polling
    }

    fn start(path: &Path, places: &Places, counts: impl Counts) -> Result<Self, Error> {
        match Self::by::<RecommendedWatcher>(places, Config::default(), counts.clone()) {
            Ok(watch) => Ok(watch),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "no file events, looking every two seconds instead");
                Self::polling(path, places, POLL, counts)
            }
        }
    }

    fn polling(path: &Path, places: &Places, interval: Duration, counts: impl Counts) -> Result<Self, Error> {
        let config = Config::default().with_poll_interval(interval);
        let watch = Self::by::<PollWatcher>(places, config, counts);
        watch.map_err(|error| Error::Watch { path: path.to_owned(), source: Cause::new(error.to_string()) })
    }

    fn by<W: Watcher + Send + Sync + 'static>(
        places: &Places,
        config: Config,
        counts: impl Counts,
    ) -> notify::Result<Self> {
        // One hint says as much as many.
        let (sender, hints) = channel(1);
        let mut watcher = W::new(handler(sender, counts), config.with_follow_symlinks(false))?;
        for (path, mode) in places {
            watcher.watch(path, *mode)?;
        }
        let polling = W::kind() == WatcherKind::PollWatcher;
        Ok(Self { hints, since: None, polling, _watcher: Box::new(watcher) })
    }
}

/// What to watch, and how deep.
type Places = [(PathBuf, RecursiveMode)];

/// Decides whether a change of a path counts.
trait Counts: Fn(&Path) -> bool + Clone + Send + 'static {}

impl<F: Fn(&Path) -> bool + Clone + Send + 'static> Counts for F {}

/// Passes on that something changed, on the watcher's own thread.
fn handler(sender: Sender<()>, counts: impl Counts) -> impl Fn(notify::Result<Event>) + Send + 'static {
    move |event| {
        let hint = match event {
            Ok(event) if event.need_rescan() => true,
            Ok(event) => is_change(event.kind) && event.paths.iter().any(|path| counts(path)),
            // An error may have swallowed a change.
            Err(_) => true,
        };
        if hint {
            // Full means that a hint is waiting already, closed that nobody waits.
            let _ = sender.try_send(());
        }
    }
}

/// Reading is an event too, our own above all.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}

/// Whether a path is a file of a directory, or says where the repository in it is.
fn is_content(path: &Path, root: &Path) -> bool {
    let below = path.strip_prefix(root).unwrap_or(path);
    let in_git = below.components().any(|component| component == Component::Normal(OsStr::new(DOT_GIT)));
    !in_git || is_reference(path, &root.join(DOT_GIT))
}

/// Whether a path in a git directory says where a branch, a tag or `HEAD` is. Each is written beside and renamed, so its
/// `.lock` says nothing yet.
fn is_reference(path: &Path, git_directory: &Path) -> bool {
    let Ok(below) = path.strip_prefix(git_directory) else { return false };
    let is_lock = path.extension() == Some(OsStr::new("lock"));
    !is_lock && (below == Path::new("HEAD") || below == Path::new("packed-refs") || below.starts_with("refs"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use futures_util::FutureExt as _;
    use notify::event::{CreateKind, ModifyKind};

    use super::*;
    use crate::source::fixture::{Fixture, Item};

    /// A change must be noticed within this time even on a busy machine; the aim is the sum of the waits above.
    const DEADLINE: Duration = Duration::from_secs(10);

    async fn noticed(watch: &mut Watch) -> bool {
        tokio::time::timeout(DEADLINE, watch.changed()).await.is_ok()
    }

    /// One that nothing happens to but what is fed to the handler.
    fn fed(counts: impl Counts) -> (Watch, impl Fn(EventKind, &str)) {
        let (sender, hints) = channel(1);
        let handler = handler(sender, counts);
        let watch = Watch { hints, since: None, polling: false, _watcher: Box::new(notify::NullWatcher) };
        (watch, move |kind, path| handler(Ok(Event::new(kind).add_path(path.into()))))
    }

    fn git(dir: &Path, arguments: &[&str]) {
        let identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"];
        let status = Command::new("git").arg("-C").arg(dir).args(identity).args(arguments).output().expect("git runs");
        assert!(status.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&status.stderr));
    }

    #[tokio::test]
    async fn commits_branches_tags_and_switches_are_noticed() {
        let fixture = Fixture::new();
        let first = fixture.commit(&[("a", Item::Text("1"))]);
        let mut watch = Watch::repository(fixture.path()).expect("watched");
        assert!(!watch.is_polling());
        fixture.commit(&[("a", Item::Text("2"))]);
        assert!(noticed(&mut watch).await, "a commit");
        fixture.branch("team/next", &first);
        assert!(noticed(&mut watch).await, "a branch in a directory of its own");
        fixture.branch("team/last", &first);
        assert!(noticed(&mut watch).await, "another beside it");
        fixture.git.set_head("refs/heads/team/next").expect("switched");
        assert!(noticed(&mut watch).await, "a switch");
        git(fixture.path(), &["pack-refs", "--all"]);
        assert!(noticed(&mut watch).await, "packed references");
        fixture.tag("v1", &first);
        assert!(noticed(&mut watch).await, "a tag");
    }

    #[tokio::test]
    async fn a_commit_in_a_linked_work_tree_is_noticed() {
        let fixture = Fixture::new();
        fixture.commit(&[("a", Item::Text("1"))]);
        let outer = tempfile::tempdir().expect("directory");
        let linked = outer.path().join("linked");
        git(fixture.path(), &["worktree", "add", "-q", "-b", "side", linked.to_str().expect("text")]);
        let mut watch = Watch::repository(&linked).expect("watched");
        git(&linked, &["commit", "-q", "--allow-empty", "-m", "two"]);
        assert!(noticed(&mut watch).await, "a commit to its branch, which lies in the main repository");
        git(&linked, &["checkout", "-q", "--detach"]);
        assert!(noticed(&mut watch).await, "its own HEAD");
    }

    #[tokio::test]
    async fn files_of_a_directory_are_noticed() {
        let fixture = Fixture::new();
        fixture.write("stacks/a/compose.yaml", "1");
        let mut watch = Watch::directory(fixture.path()).expect("watched");
        fixture.write("stacks/a/compose.yaml", "2");
        assert!(noticed(&mut watch).await, "a change");
        fixture.write("stacks/new/compose.yaml", "1");
        assert!(noticed(&mut watch).await, "a new directory");
        std::fs::remove_file(fixture.path().join("stacks/a/compose.yaml")).expect("removed");
        assert!(noticed(&mut watch).await, "a removal");
    }

    #[test]
    fn only_what_moves_a_reference_counts_in_a_git_directory() {
        let (mut watch, event) = fed(|path| is_reference(path, Path::new("/r/.git")));
        let modified = EventKind::Modify(ModifyKind::Any);
        for silent in
            ["index", "HEAD.lock", "refs/heads/main.lock", "objects/ab/cd", "FETCH_HEAD", "logs/HEAD", "../HEAD"]
        {
            event(modified, &format!("/r/.git/{silent}"));
            assert!(watch.hints.try_recv().is_err(), "{silent}");
        }
        event(EventKind::Access(AccessKind::Open(AccessMode::Any)), "/r/.git/HEAD");
        assert!(watch.hints.try_recv().is_err(), "reading is no change");
        for telling in ["HEAD", "packed-refs", "refs/heads/main", "refs/tags/v1"] {
            event(modified, &format!("/r/.git/{telling}"));
            assert!(watch.hints.try_recv().is_ok(), "{telling}");
        }
    }

    #[test]
    fn of_a_directory_everything_counts_but_the_inside_of_git() {
        let (mut watch, event) = fed(|path| is_content(path, Path::new("/r")));
        for (path, counts) in
            [("a", true), ("a/b", true), (".git/objects/x", false), ("a/.git/index", false), (".git/HEAD", true)]
        {
            event(EventKind::Create(CreateKind::Any), &format!("/r/{path}"));
            assert_eq!(watch.hints.try_recv().is_ok(), counts, "{path}");
        }
    }

    #[tokio::test]
    async fn many_changes_at_once_are_one_and_a_dropped_wait_loses_none() {
        let (mut watch, event) = fed(|_| true);
        for _ in 0..50 {
            event(EventKind::Any, "/a");
        }
        assert!(watch.changed().now_or_never().is_none(), "it waits for quiet");
        assert!(watch.hints.try_recv().is_err(), "the fifty were one");
        assert!(noticed(&mut watch).await, "the wait that was dropped had taken it");
        assert!(watch.changed().now_or_never().is_none() && watch.since.is_none(), "and it is reported once");
    }

    #[tokio::test]
    async fn without_events_it_looks_by_itself() {
        let dir = tempfile::tempdir().expect("directory");
        let places = [(dir.path().to_owned(), RecursiveMode::Recursive)];
        let mut watch = Watch::polling(dir.path(), &places, Duration::from_millis(10), |_| true).expect("watched");
        assert!(watch.is_polling());
        std::fs::write(dir.path().join("a"), "x").expect("written");
        assert!(noticed(&mut watch).await);
    }

    #[test]
    fn what_is_no_repository_cannot_be_watched_as_one() {
        let dir = tempfile::tempdir().expect("directory");
        assert!(matches!(Watch::repository(dir.path()), Err(Error::NotARepository { .. })));
        assert!(matches!(Watch::directory(&dir.path().join("none")), Err(Error::Directory { .. })));
    }
}
