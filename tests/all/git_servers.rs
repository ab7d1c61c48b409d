//! Following repositories behind real servers.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use skep::model::{Files, RedactedUrl};
use skep::source::error::{HostKeyProblem, Refusal};
use skep::source::git::Patience;
use skep::source::{Category, Credential, Error, Follow, Reference, Spec};
use tempfile::TempDir;

use crate::git_server::{Authority, HttpServer, Manner, Served, SshServer, free_port, library, run};

const TOKEN: &str = "t0ken-of-the-test";

/// Where clones go, and files with credentials.
struct Client {
    directory: TempDir,
}

impl Client {
    fn new() -> Self {
        library();
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    fn clones(&self) -> PathBuf {
        self.directory.path().join("clones")
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, content).expect("written");
        path
    }

    fn token(&self, prefix: &str, token: &str) -> Credential {
        let password_file = Some(self.file("token", &format!("{token}\n")));
        Credential { prefix: prefix.to_owned(), password_file, ..Credential::default() }
    }

    fn follow(&self, url: &str, reference: &str, credentials: Vec<Credential>) -> Follow {
        let reference = reference.parse().expect("infallible");
        let patience =
            Patience { list: Duration::from_secs(20), fetch: Duration::from_secs(60), ..Patience::default() };
        let spec = Spec { url: RedactedUrl::new(url), reference, credentials, patience };
        Follow::open(&self.clones(), spec).expect("a source")
    }

    /// The one clone there is.
    fn clone(&self) -> PathBuf {
        let directories = fs::read_dir(self.clones()).expect("listed").map(|entry| entry.expect("an entry").path());
        let mut directories: Vec<_> = directories.filter(|path| path.is_dir()).collect();
        assert_eq!(directories.len(), 1, "{directories:?}");
        directories.remove(0)
    }
}

fn manner(token: &str) -> Manner {
    Manner { token: Some(token.to_owned()), ..Manner::default() }
}

async fn text(follow: &Follow, path: &str) -> Result<String, Error> {
    let revision = follow.resolve().await?;
    let tree = follow.tree(&revision).await?;
    Ok(String::from_utf8(tree.read(path).expect("read")).expect("text"))
}

async fn fault(follow: &Follow) -> Error {
    follow.resolve().await.expect_err("it must fail")
}

#[tokio::test]
async fn a_repository_behind_a_token_is_cloned_once_and_then_listed() {
    let (served, client) = (Served::new(), Client::new());
    let first = served.commit("stacks/a/compose.yaml", "one");
    let server = HttpServer::start(served.path(), manner(TOKEN));
    let credentials = vec![client.token(&server.url(""), TOKEN)];
    let follow = client.follow(&server.url("fleet.git"), "HEAD", credentials);
    let revision = follow.resolve().await.expect("resolved");
    assert_eq!((revision.as_str(), follow.name().as_str()), (first.as_str(), "main"));
    assert_eq!(text(&follow, "stacks/a/compose.yaml").await.as_deref(), Ok("one"));
    assert_eq!(follow.commit(&revision).await.expect("a commit").summary, "write stacks/a/compose.yaml");
    assert!(!client.clone().join("stacks").exists(), "nothing is checked out");
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&client.clones()), mode(&client.clone())), (0o700, 0o700));

    server.take_requests();
    assert_eq!(text(&follow, "stacks/a/compose.yaml").await.as_deref(), Ok("one"));
    let requests = server.take_requests();
    let listing = "/fleet.git/info/refs?service=git-upload-pack";
    assert!(requests.iter().all(|it| it.method == "GET" && it.target == listing), "{requests:?}");
    assert_eq!(
        requests.iter().filter(|it| it.authorized).count(),
        1,
        "one listing, after the refusal that asks for the token"
    );

    let second = served.commit("stacks/a/compose.yaml", "two");
    assert_eq!(text(&follow, "stacks/a/compose.yaml").await.as_deref(), Ok("two"));
    assert_eq!(follow.resolve().await.map(|it| it.as_str().to_owned()), Ok(second));
    assert_eq!(
        follow.tree(&revision).await.expect("still here").read("stacks/a/compose.yaml").as_deref(),
        Ok(b"one".as_slice())
    );
}

#[tokio::test]
async fn a_wrong_or_missing_token_is_named_as_the_cause_and_never_printed() {
    let (served, client) = (Served::new(), Client::new());
    served.commit("a", "one");
    let server = HttpServer::start(served.path(), manner(TOKEN));
    let url = server.url("fleet.git");
    let unauthorized = |refusal| Error::Unauthorized { url: RedactedUrl::new(&url), refusal };
    let without = fault(&client.follow(&url, "HEAD", vec![])).await;
    assert_eq!(without, unauthorized(Refusal::NoCredential));
    let elsewhere = fault(&client.follow(&url, "HEAD", vec![client.token("https://localhost", TOKEN)])).await;
    assert_eq!(elsewhere, unauthorized(Refusal::NoCredential));
    server.take_requests();
    let wrong = fault(&client.follow(&url, "HEAD", vec![client.token(&server.url(""), "wr0ng")])).await;
    assert_eq!(wrong, unauthorized(Refusal::Credential));
    assert!(!format!("{wrong} {wrong:?} {:?}", wrong.hint()).contains("wr0ng"));
    assert!(server.take_requests().len() <= 3, "a refused credential is not tried again and again");
    let in_url = url.replace("http://", "http://ci:wr0ng@");
    let error = fault(&client.follow(&in_url, "HEAD", vec![])).await;
    assert!(matches!(error, Error::Unauthorized { refusal: Refusal::Credential, .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("wr0ng"));
    let right_in_url = url.replace("http://", &format!("http://ci:{TOKEN}@"));
    assert!(client.follow(&right_in_url, "HEAD", vec![]).resolve().await.is_ok());
    let rotated = client.token(&server.url(""), "wr0ng");
    let follow = client.follow(&url, "HEAD", vec![rotated]);
    assert_eq!(fault(&follow).await.category(), Category::Unauthorized);
    client.file("token", TOKEN);
    assert!(follow.resolve().await.is_ok(), "the file is read at each use");
}

#[tokio::test]
async fn a_redirection_does_not_take_the_token_along() {
    let (served, client) = (Served::new(), Client::new());
    served.commit("a", "one");
    let other = HttpServer::start(served.path(), manner("another"));
    let redirect = Some(other.url("").trim_end_matches('/').to_owned());
    let server = HttpServer::start(served.path(), Manner { redirect, ..Manner::default() });
    let follow = client.follow(&server.url("fleet.git"), "HEAD", vec![client.token(&server.url(""), TOKEN)]);
    assert_eq!(fault(&follow).await.category(), Category::Unauthorized);
    let shown: Vec<_> = other.take_requests().into_iter().filter_map(|it| it.authorization).collect();
    assert_eq!(shown, Vec::<String>::new());
}

#[tokio::test]
async fn what_a_server_answers_is_told_apart() {
    let (served, client) = (Served::new(), Client::new());
    served.commit("a", "one");
    let server = HttpServer::start(served.path(), Manner::default());
    let none = client.follow(&server.url("none.git"), "HEAD", vec![]);
    assert_eq!(fault(&none).await, Error::NotFound { url: none.url().clone() });
    for (status, category) in
        [(403, Category::Unauthorized), (500, Category::Unreachable), (503, Category::Unreachable)]
    {
        let server = HttpServer::start(served.path(), Manner { status: Some(status), ..Manner::default() });
        let follow = client.follow(&server.url("fleet.git"), "HEAD", vec![]);
        assert_eq!(fault(&follow).await.category(), category, "{status}");
    }
    let patience = Patience { max_bytes: 10, ..Patience::default() };
    let small =
        Follow::open(&client.clones(), Spec { patience, ..Spec::new(server.url("fleet.git")) }).expect("a source");
    let revision = small.resolve().await.expect("a listing is no fetch");
    assert_eq!(small.fetch(&revision).await.map_err(|it| it.category()), Err(Category::Transport));
    let refusing = client.follow(&format!("http://127.0.0.1:{}/fleet.git", free_port()), "HEAD", vec![]);
    assert_eq!(fault(&refusing).await.category(), Category::Unreachable);
    let refusing = client.follow(&format!("ssh://git@127.0.0.1:{}/fleet.git", free_port()), "HEAD", vec![]);
    assert_eq!(fault(&refusing).await.category(), Category::Unreachable);
    let nowhere = client.follow("http://no-such-host.invalid/fleet.git", "HEAD", vec![]);
    assert_eq!(fault(&nowhere).await.category(), Category::Unreachable);
}

#[tokio::test]
async fn a_server_that_never_answers_is_waited_for_a_while() {
    let client = Client::new();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = silent.local_addr().expect("an address").port();
    for url in [
        format!("http://127.0.0.1:{port}/a.git"),
        format!("https://127.0.0.1:{port}/a.git"),
        format!("ssh://git@127.0.0.1:{port}/a.git"),
    ] {
        let begun = Instant::now();
        let error = fault(&client.follow(&url, "HEAD", vec![])).await;
        assert_eq!(error.category(), Category::Timeout, "{error:?} after {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(19), "by libgit2's own timeout: {:?}", begun.elapsed());
    }
    let spec = Spec {
        patience: Patience { list: Duration::from_millis(200), ..Patience::default() },
        ..Spec::new(format!("http://127.0.0.1:{port}/a.git"))
    };
    let follow = Follow::open(&client.clones(), spec).expect("a source");
    let begun = Instant::now();
    assert_eq!(fault(&follow).await.category(), Category::Timeout);
    assert_eq!(fault(&follow).await.category(), Category::Timeout, "its own turn is still taken");
    assert!(begun.elapsed() < Duration::from_secs(2), "the caller's patience is shorter");
}

#[tokio::test]
async fn a_certificate_must_be_signed_by_somebody_who_is_trusted() {
    let (served, client, authority) = (Served::new(), Client::new(), Authority::new());
    served.commit("a", "one");
    let server = HttpServer::start_tls(served.path(), manner(TOKEN), &authority);
    let url = server.url("fleet.git");
    let error = fault(&client.follow(&url, "HEAD", vec![client.token("https://localhost", TOKEN)])).await;
    assert_eq!(error.category(), Category::Certificate, "{error:?}");
    assert!(server.take_requests().is_empty(), "nothing was said to it");
    let ca_file = Some(authority.ca());
    let credential = Credential { ca_file, ..client.token(&server.url(""), TOKEN) };
    assert_eq!(text(&client.follow(&url, "HEAD", vec![credential]), "a").await.as_deref(), Ok("one"));
    let missing = Credential { ca_file: Some("/none/ca.pem".into()), ..client.token(&server.url(""), TOKEN) };
    let error = fault(&client.follow(&url, "HEAD", vec![missing])).await;
    assert!(matches!(error, Error::Credential { what: "CA", .. }), "{error:?}");
}

#[tokio::test]
async fn ssh_wants_a_key_and_a_known_host() {
    let (served, client, server) = (Served::new(), Client::new(), SshServer::start());
    served.commit("a", "one");
    let url = server.url(&served.bare());
    let credential = |key: &str, known_hosts: Option<PathBuf>| Credential {
        prefix: "ssh://127.0.0.1".to_owned() + &format!(":{}", server.port),
        ssh_key_file: Some(server.file(key)),
        known_hosts_file: known_hosts,
        ..Credential::default()
    };
    // Whichever of the server's keys is the known one.
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let known = server.known_hosts("known_hosts", &format!("host_{kind}"));
        let follow = client.follow(&url, "HEAD", vec![credential("client", Some(known))]);
        assert_eq!(text(&follow, "a").await.as_deref(), Ok("one"), "{kind}");
    }
    let known = Some(server.known_hosts("known_hosts", "host_ed25519"));
    let locked = Credential { passphrase_file: Some(server.file("passphrase")), ..credential("locked", known.clone()) };
    assert!(client.follow(&url, "HEAD", vec![locked]).resolve().await.is_ok());
    let hashed = server.known_hosts("hashed", "host_ed25519");
    run("ssh-keygen", server.directory.path(), &["-q", "-H", "-f", "hashed"]);
    assert!(fs::read_to_string(&hashed).expect("read").starts_with("|1|"));
    assert!(client.follow(&url, "HEAD", vec![credential("client", Some(hashed))]).resolve().await.is_ok());

    let unauthorized = |refusal| Error::Unauthorized { url: RedactedUrl::new(&url), refusal };
    for key in ["stranger", "locked"] {
        let error = fault(&client.follow(&url, "HEAD", vec![credential(key, known.clone())])).await;
        assert_eq!(error, unauthorized(Refusal::Credential), "{key}");
    }
    let none = Credential { ssh_key_file: None, ..credential("client", known.clone()) };
    assert_eq!(fault(&client.follow(&url, "HEAD", vec![none])).await, unauthorized(Refusal::NoCredential));

    let problem = async |known_hosts: Option<PathBuf>| match fault(&client.follow(
        &url,
        "HEAD",
        vec![credential("client", known_hosts)],
    ))
    .await
    {
        Error::HostKey { problem, host, .. } => {
            assert_eq!(host, format!("[127.0.0.1]:{}", server.port));
            problem
        }
        error => panic!("{error:?}"),
    };
    assert_eq!(problem(None).await, HostKeyProblem::NoFile);
    let empty = client.file("empty", "");
    assert!(matches!(problem(Some(empty)).await, HostKeyProblem::Unknown { .. }));
    let false_key = server.known_hosts("false", "stranger");
    let offered = run("ssh-keygen", server.directory.path(), &["-l", "-f", "host_ed25519.pub"]);
    let offered = offered.split(' ').find(|word| word.starts_with("SHA256:")).expect("a fingerprint").to_owned();
    assert_eq!(problem(Some(false_key)).await, HostKeyProblem::Mismatch { offered });

    let nowhere = client.follow(&server.url(Path::new("/none.git")), "HEAD", vec![credential("client", known)]);
    assert_eq!(fault(&nowhere).await, Error::NotFound { url: nowhere.url().clone() });
}

#[tokio::test]
async fn branches_tags_and_commits_are_followed_through_every_move() {
    let (served, client) = (Served::new(), Client::new());
    let server = HttpServer::start(served.path(), Manner::default());
    let url = server.url("fleet.git");
    let head = client.follow(&url, "HEAD", vec![]);
    assert_eq!(fault(&head).await, Error::Empty { url: head.url().clone() });
    let first = served.commit("a", "one");
    served.git(&["tag", "-a", "v1", "-m", "one"]);
    served.git(&["push", "-q", "origin", "v1"]);
    served.commit("a", "two");
    let named = |name: &str| client.follow(&url, name, vec![]);
    assert_eq!(text(&head, "a").await.as_deref(), Ok("two"));
    for name in ["v1", &first, &first[..8]] {
        assert_eq!(text(&named(name), "a").await.as_deref(), Ok("one"), "{name}");
    }
    let Error::UnknownReference { candidates, .. } = fault(&named("v2")).await else { panic!("known") };
    assert_eq!(candidates, ["v1", "main"]);
    assert!(matches!(fault(&named("0123456789")).await, Error::UnknownReference { .. }));

    // A forced push, with the old commit gone from the server.
    let stale = head.resolve().await.expect("resolved");
    served.git(&["reset", "-q", "--hard", "v1"]);
    served.commit("a", "three");
    assert_eq!(text(&head, "a").await.as_deref(), Ok("three"));
    assert!(head.tree(&stale).await.is_ok(), "what was fetched stays");
    let newcomer = Client::new();
    run("git", &served.bare(), &["reflog", "expire", "--expire=now", "--all"]);
    run("git", &served.bare(), &["gc", "-q", "--prune=now"]);
    let late = newcomer.follow(&url, "HEAD", vec![]);
    assert_eq!(late.tree(&stale).await.expect_err("gone"), Error::Gone { url: late.url().clone(), revision: stale });

    // A branch gives way to others below its name.
    served.git(&["checkout", "-q", "-b", "team"]);
    served.commit("a", "team");
    assert_eq!(text(&named("team"), "a").await.as_deref(), Ok("team"));
    served.git(&["push", "-q", "origin", ":team"]);
    served.git(&["checkout", "-q", "--detach"]);
    served.git(&["branch", "-D", "-q", "team"]);
    served.git(&["checkout", "-q", "-b", "team/next"]);
    served.commit("a", "next");
    assert_eq!(text(&named("team/next"), "a").await.as_deref(), Ok("next"));
    assert!(matches!(fault(&named("team")).await, Error::UnknownReference { .. }));

    // The server's HEAD moves to another branch, then to a commit of none.
    run("git", &served.bare(), &["symbolic-ref", "HEAD", "refs/heads/team/next"]);
    assert_eq!(text(&head, "a").await.as_deref(), Ok("next"));
    assert_eq!(head.name(), "team/next");
    let alone = served.commit("a", "alone");
    run("git", &served.bare(), &["update-ref", "--no-deref", "HEAD", &alone]);
    run("git", &served.bare(), &["update-ref", "refs/heads/team/next", &first]);
    assert_eq!(text(&head, "a").await.as_deref(), Ok("alone"));
    run("git", &served.bare(), &["update-ref", "refs/pull/7/head", &first]);
    assert_eq!(text(&named("refs/pull/7/head"), "a").await.as_deref(), Ok("one"));
}

#[tokio::test]
async fn a_server_that_went_away_leaves_what_was_fetched() {
    let (served, client) = (Served::new(), Client::new());
    served.commit("a", "one");
    let server = HttpServer::start(served.path(), Manner::default());
    let follow = client.follow(&server.url("fleet.git"), "HEAD", vec![]);
    let revision = follow.resolve().await.expect("resolved");
    follow.fetch(&revision).await.expect("fetched");
    drop(server);
    assert_eq!(fault(&follow).await.category(), Category::Unreachable);
    let tree = follow.tree(&revision).await.expect("from the clone");
    assert_eq!(tree.read("a").as_deref(), Ok(b"one".as_slice()));
    assert_eq!(follow.commit(&revision).await.map(|it| it.author), Ok("Ann".to_owned()));
    let by_id = client.follow(follow.url().reveal(), revision.as_str(), vec![]);
    let pinned = Spec { reference: Reference::Commit(revision.as_str().to_owned()), ..Spec::new(by_id.url().reveal()) };
    let pinned = Follow::open(&client.clones(), pinned).expect("a source");
    assert_eq!(pinned.resolve().await, Ok(revision), "a commit that is here needs no server");
}

#[tokio::test]
async fn a_broken_clone_is_made_anew() {
    let (served, client) = (Served::new(), Client::new());
    served.commit("a", "one");
    let server = HttpServer::start(served.path(), Manner::default());
    let url = server.url("fleet.git");
    let content = async || text(&client.follow(&url, "HEAD", vec![]), "a").await;
    assert_eq!(content().await.as_deref(), Ok("one"));
    let clone = client.clone();
    let packs =
        || fs::read_dir(clone.join("objects/pack")).expect("listed").map(|entry| entry.expect("an entry").path());
    let damages: [(&str, &dyn Fn()); 6] = [
        ("no HEAD", &|| fs::remove_file(clone.join("HEAD")).expect("removed")),
        ("no packs", &|| packs().for_each(|path| fs::remove_file(path).expect("removed"))),
        ("cut packs", &|| {
            for path in packs().filter(|path| path.extension().is_some_and(|it| it == "pack")) {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("allowed");
                fs::File::options().write(true).open(path).and_then(|file| file.set_len(20)).expect("cut");
            }
        }),
        ("no objects", &|| fs::remove_dir_all(clone.join("objects")).expect("removed")),
        ("an empty directory", &|| {
            fs::remove_dir_all(&clone).expect("removed");
            fs::create_dir(&clone).expect("made");
        }),
        ("a file", &|| {
            fs::remove_dir_all(&clone).expect("removed");
            fs::write(&clone, "").expect("written");
        }),
    ];
    for (damage, make) in damages {
        make();
        assert_eq!(content().await.as_deref(), Ok("one"), "{damage}");
    }
    // What a killed clone and a killed fetch leave.
    fs::create_dir(clone.with_extension("new")).expect("made");
    let unfinished = clone.join("objects/pack/pack_git2_abcdef");
    fs::write(&unfinished, "half").expect("written");
    served.commit("a", "two");
    assert_eq!(content().await.as_deref(), Ok("two"));
    assert!(!unfinished.exists());
}

#[tokio::test]
async fn many_sources_of_one_repository_share_a_clone() {
    let (served, client) = (Served::new(), Client::new());
    served.commit("a", "one");
    let server = HttpServer::start(served.path(), Manner::default());
    let url = server.url("fleet.git");
    let follows: Vec<_> = (0..6).map(|_| client.follow(&url, "HEAD", vec![])).collect();
    let texts = futures_util::future::join_all(follows.iter().map(|follow| text(follow, "a"))).await;
    assert!(texts.iter().all(|it| it.as_deref() == Ok("one")), "{texts:?}");
    client.clone();
    let fetches = server.take_requests().iter().filter(|it| it.method == "POST").count();
    assert_eq!(fetches, 1, "the others found it done");
}

#[tokio::test]
async fn a_local_repository_is_read_in_place() {
    let (served, client) = (Served::new(), Client::new());
    let first = served.commit("a", "one");
    let work = served.path().join("work");
    let urls = [work.display().to_string(), format!("file://{}", work.display()), served.bare().display().to_string()];
    for url in &urls {
        assert_eq!(text(&client.follow(url, "HEAD", vec![]), "a").await.as_deref(), Ok("one"), "{url}");
    }
    let follow = client.follow(&urls[0], "HEAD", vec![]);
    assert_eq!(follow.local(), Some(work.as_path()));
    fs::write(work.join("a"), "edited and not committed").expect("written");
    assert_eq!(text(&follow, "a").await.as_deref(), Ok("one"));
    served.git(&["checkout", "-q", "-f", "-b", "next"]);
    served.commit("a", "two");
    assert_eq!(text(&follow, "a").await.as_deref(), Ok("two"), "the branch that is checked out");
    assert_eq!(follow.name(), "next");
    assert_eq!(text(&client.follow(&urls[0], "main", vec![]), "a").await.as_deref(), Ok("one"));
    assert_eq!(text(&client.follow(&urls[0], &first[..7], vec![]), "a").await.as_deref(), Ok("one"));
    assert!(!client.clones().exists(), "nothing was cloned");
    let none = client.follow(client.directory.path().to_str().expect("text"), "HEAD", vec![]);
    assert_eq!(fault(&none).await.category(), Category::NotFound);
}
