//! Real git servers on the loopback: git's http-backend behind a small HTTP server, with TLS if wanted, and OpenSSH's sshd.
//! Each test has its own, in a directory of its own, and it ends with the test.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use skep::source::git::{Setup, initialise};
use tempfile::TempDir;

/// How long a server may take to start.
const DEADLINE: Duration = Duration::from_secs(20);

/// libgit2 with short timeouts and a home of its own, for the whole test process.
pub fn library() {
    // The process's, so no test may clean it up: it lies where cargo does.
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("git-home-{}", std::process::id()));
    let timeout = Duration::from_secs(2);
    initialise(Setup { connect_timeout: timeout, answer_timeout: timeout, home: Some(home) });
}

/// Runs a program to its end and gives its output.
pub fn run(program: &str, directory: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// A bare repository `fleet.git` in a directory that servers serve, and a work tree to commit from.
pub struct Served {
    pub root: TempDir,
}

impl Served {
    pub fn new() -> Self {
        let served = Self { root: tempfile::tempdir().expect("a directory") };
        run("git", served.path(), &["init", "-q", "--bare", "-b", "main", "fleet.git"]);
        run("git", served.path(), &["init", "-q", "-b", "main", "work"]);
        served.git(&["remote", "add", "origin", "../fleet.git"]);
        served
    }

    pub fn path(&self) -> &Path {
        self.root.path()
    }

    pub fn bare(&self) -> PathBuf {
        self.path().join("fleet.git")
    }

    /// git in the work tree.
    pub fn git(&self, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"];
        let all: Vec<&str> = identity.iter().chain(arguments).copied().collect();
        run("git", &self.path().join("work"), &all)
    }

    /// Commits a file on the branch that is checked out, pushes it, and gives the commit's id.
    pub fn commit(&self, path: &str, text: &str) -> String {
        let file = self.path().join("work").join(path);
        fs::create_dir_all(file.parent().expect("a parent")).expect("made");
        fs::write(file, text).expect("written");
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", &format!("write {path}")]);
        self.git(&["push", "-q", "--force", "origin", "HEAD"]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// What a server saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub authorized: bool,
    pub authorization: Option<String>,
}

/// How an HTTP server behaves.
#[derive(Clone, Default)]
pub struct Manner {
    /// The password of any user; none lets everybody in.
    pub token: Option<String>,
    /// Sends everybody to this base URL.
    pub redirect: Option<String>,
    /// Answers everything with this status.
    pub status: Option<u16>,
}

/// git's http-backend over HTTP.
pub struct HttpServer {
    pub address: SocketAddr,
    pub requests: Arc<Mutex<Vec<Request>>>,
    tls: bool,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl HttpServer {
    pub fn start(root: &Path, manner: Manner) -> Self {
        Self::serve(root, manner, None)
    }

    /// With a certificate for `localhost`.
    pub fn start_tls(root: &Path, manner: Manner, authority: &Authority) -> Self {
        Self::serve(root, manner, Some(authority.server_config()))
    }

    /// The URL of a repository.
    pub fn url(&self, repository: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://localhost:{}/{repository}", self.address.port())
    }

    /// The requests since the last call.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.requests.lock().expect("not poisoned"))
    }

    fn serve(root: &Path, manner: Manner, tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (requests, stop) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::<AtomicBool>::default());
        let is_tls = tls.is_some();
        let (root, seen, stopped) = (root.to_owned(), Arc::clone(&requests), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (root, manner, seen, tls) = (root.clone(), manner.clone(), Arc::clone(&seen), tls.clone());
                std::thread::spawn(move || {
                    // A client that hangs up is no failure of the server.
                    let _ = match tls {
                        None => answer(stream, &root, &manner, &seen),
                        Some(config) => {
                            rustls::ServerConnection::new(config).map_err(std::io::Error::other).and_then(|session| {
                                answer(rustls::StreamOwned::new(session, stream), &root, &manner, &seen)
                            })
                        }
                    };
                });
            }
        });
        Self { address, requests, tls: is_tls, stop, thread: Some(thread) }
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes it, so that the port is closed when this returns.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// One request of one connection, the way CGI wants it (RFC 3875).
fn answer(stream: impl Read + Write, root: &Path, manner: &Manner, seen: &Mutex<Vec<Request>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(()) };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let body = body(&mut stream, &headers)?;
    let authorization = headers.get("authorization").cloned();
    let password = authorization.as_deref().and_then(|value| value.strip_prefix("Basic ")).map(|value| {
        let decoded = base64::engine::general_purpose::STANDARD.decode(value).expect("base64");
        String::from_utf8(decoded).expect("text").split_once(':').expect("a colon").1.to_owned()
    });
    let authorized = manner.token.is_none() || manner.token == password;
    seen.lock().expect("not poisoned").push(Request {
        method: method.clone(),
        target: target.clone(),
        authorized,
        authorization,
    });
    let close = "Connection: close\r\nContent-Length: 0\r\n\r\n";
    let stream = stream.get_mut();
    if let Some(base) = &manner.redirect {
        write!(stream, "HTTP/1.1 302 Found\r\nLocation: {base}{target}\r\n{close}")?;
    } else if let Some(status) = manner.status {
        write!(stream, "HTTP/1.1 {status} No\r\n{close}")?;
    } else if !authorized {
        write!(stream, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\n{close}")?;
    } else {
        let output = backend(root, &method, &target, &headers, &body)?;
        let status = output.strip_prefix(b"Status: ").and_then(|rest| rest.split(|byte| *byte == b'\r').next());
        let status = String::from_utf8_lossy(status.unwrap_or(b"200 OK")).into_owned();
        let head = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a header") + 4;
        write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", output.len() - head)?;
        stream.write_all(&output)?;
    }
    stream.flush()
}

fn body(stream: &mut impl BufRead, headers: &BTreeMap<String, String>) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if let Some(length) = headers.get("content-length") {
        body.resize(length.parse().expect("a length"), 0);
        stream.read_exact(&mut body)?;
    } else if headers.get("transfer-encoding").is_some_and(|encoding| encoding == "chunked") {
        loop {
            let mut size = String::new();
            stream.read_line(&mut size)?;
            let size = usize::from_str_radix(size.trim(), 16).expect("a size");
            let mut chunk = vec![0; size + 2];
            stream.read_exact(&mut chunk)?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    }
    Ok(body)
}

fn backend(
    root: &Path,
    method: &str,
    target: &str,
    headers: &BTreeMap<String, String>,
    body: &[u8],
) -> std::io::Result<Vec<u8>> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", headers.get("content-type").map_or("", String::as_str))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", headers.get("content-encoding").map_or("", String::as_str))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    child.stdin.take().expect("piped").write_all(body)?;
    Ok(child.wait_with_output()?.stdout)
}

/// A certificate authority and a server certificate of its for `localhost`.
pub struct Authority {
    pub directory: TempDir,
}

impl Authority {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let openssl = |line: &str| run("openssl", directory.path(), &line.split(' ').collect::<Vec<_>>());
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca"));
        openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"));
        fs::write(directory.path().join("extensions"), "subjectAltName=DNS:localhost\n").expect("written");
        let sign = "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2";
        openssl(&format!("{sign} -extfile extensions"));
        Self { directory }
    }

    pub fn ca(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    fn server_config(&self) -> Arc<rustls::ServerConfig> {
        let at = |name: &str| self.directory.path().join(name);
        let certificate = CertificateDer::from_pem_file(at("server.pem")).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(at("server.key")).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key);
        Arc::new(config.expect("a configuration"))
    }
}

/// OpenSSH's sshd, as whoever runs the test, on a port of its own.
pub struct SshServer {
    pub port: u16,
    pub directory: TempDir,
    child: Child,
}

impl SshServer {
    /// With host keys of three kinds. The key `client` may enter, the key `stranger` may not; `locked` may, and has the
    /// passphrase `open sesame`.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name).to_str().expect("text").to_owned();
        let keygen = |name: &str, kind: &str, passphrase: &str| {
            run("ssh-keygen", directory.path(), &["-q", "-t", kind, "-N", passphrase, "-C", name, "-f", name]);
        };
        for kind in ["ed25519", "ecdsa", "rsa"] {
            keygen(&format!("host_{kind}"), kind, "");
        }
        keygen("client", "ed25519", "");
        keygen("stranger", "ed25519", "");
        keygen("locked", "ed25519", "open sesame");
        fs::write(at("passphrase"), "open sesame\n").expect("written");
        let public = |name: &str| fs::read_to_string(at(&format!("{name}.pub"))).expect("a key");
        fs::write(at("authorized_keys"), public("client") + &public("locked")).expect("written");
        // sshd wants this directory when it runs as root, and no one makes it in a container.
        if fs::metadata("/run/sshd").is_err() {
            let _ = fs::create_dir("/run/sshd");
            let _ = fs::set_permissions("/run/sshd", fs::Permissions::from_mode(0o755));
        }
        let begun = Instant::now();
        loop {
            let port = free_port();
            let mut config = format!("Port {port}\nListenAddress 127.0.0.1\nPidFile none\nStrictModes no\nUsePAM no\n");
            config += &format!("AuthorizedKeysFile {}\nPermitRootLogin prohibit-password\n", at("authorized_keys"));
            config += "PasswordAuthentication no\nKbdInteractiveAuthentication no\nLogLevel ERROR\n";
            for kind in ["ed25519", "ecdsa", "rsa"] {
                config += &format!("HostKey {}\n", at(&format!("host_{kind}")));
            }
            fs::write(at("sshd_config"), config).expect("written");
            // sshd insists on its full path.
            let child = Command::new("/usr/sbin/sshd").args(["-D", "-e", "-f", &at("sshd_config")]).spawn();
            let mut child = child.expect("sshd (Debian's openssh-server) starts");
            loop {
                if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                    return Self { port, directory, child };
                }
                assert!(begun.elapsed() < DEADLINE, "sshd does not listen");
                // Somebody else took the port meanwhile.
                if child.try_wait().expect("waited").is_some() {
                    break;
                }
                std::thread::yield_now();
            }
        }
    }

    /// The URL of a repository at an absolute path, for the user who runs the test.
    pub fn url(&self, repository: &Path) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", run("id", Path::new("/"), &["-un"]), self.port, repository.display())
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a known_hosts file that names this server with the public key of `name`.
    pub fn known_hosts(&self, file: &str, name: &str) -> PathBuf {
        let key = fs::read_to_string(self.file(&format!("{name}.pub"))).expect("a key");
        fs::write(self.file(file), format!("[127.0.0.1]:{} {key}", self.port)).expect("written");
        self.file(file)
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody listens on, for the moment.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}
