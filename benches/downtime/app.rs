//! The application that is updated. It runs in containers, and the environment says how it behaves:
//!
//! - `LISTEN_AFTER` (2): seconds until it listens, as one that has to load something first
//! - `SERVE_ON` (0): seconds for which it serves on after SIGTERM; then it finishes what it is at, and ends
//! - `ABRUPT`: it ends at once on SIGTERM
//! - `DIE_AFTER`: seconds after which it ends by itself, long since healthy

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

/// Where it listens.
pub const PORT: u16 = 8080;

/// How long an answer takes.
const WORK: Duration = Duration::from_millis(5);

/// Serves, until it is told to end.
pub fn serve() {
    runtime().block_on(async {
        let mut terminated = signal(SignalKind::terminate()).expect("a signal");
        let begun = Instant::now();
        let wait = sleep(seconds("LISTEN_AFTER").unwrap_or(Duration::from_secs(2)));
        tokio::select! {
            () = wait => {}
            _ = terminated.recv() => return,
        }
        let listener = TcpListener::bind(("0.0.0.0", PORT)).await.expect("a port");
        let (draining, drain) = watch::channel(false);
        let dies = seconds("DIE_AFTER").map(|after| Instant::now() + after);
        let mut ends = None;
        println!("listens after {:?}", begun.elapsed());
        loop {
            tokio::select! {
                Ok((stream, _)) = listener.accept() => drop(tokio::spawn(connection(stream, drain.clone()))),
                _ = terminated.recv() => {
                    if std::env::var_os("ABRUPT").is_some() {
                        std::process::exit(0);
                    }
                    ends = Some(Instant::now() + seconds("SERVE_ON").unwrap_or_default());
                }
                () = at(dies) => {
                    println!("dies");
                    std::process::exit(3);
                }
                () = at(ends) => break,
            }
        }
        drop((listener, drain));
        let _ = draining.send(true);
        // Each connection holds a receiver until its last answer is out.
        draining.closed().await;
    });
}

/// Whether the application of this container answers: the healthcheck's exit code.
pub fn healthy() -> bool {
    runtime().block_on(async {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", PORT)).await else { return false };
        let mut start = [0; 12];
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let asked = stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
        asked.is_ok() && stream.read_exact(&mut start).await.is_ok() && start.ends_with(b" 200")
    })
}

/// A runtime on one thread.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

async fn connection(stream: TcpStream, mut drain: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let answer = service_fn(|_| async {
        sleep(WORK).await;
        Ok::<_, Infallible>(hyper::Response::new(Full::new(Bytes::from_static(b"hello\n"))))
    });
    let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        _ = serving.as_mut() => return,
        _ = drain.changed() => serving.as_mut().graceful_shutdown(),
    }
    let _ = serving.await;
}

/// At a moment, or never.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

fn seconds(name: &str) -> Option<Duration> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(Duration::from_secs_f64(text.parse().expect("seconds")))
}
