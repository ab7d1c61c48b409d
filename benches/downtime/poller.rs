//! A proxy that learns of tasks late: it reads the engine's list of tasks every `POLL` seconds (15), as Traefik's swarm provider
//! does by default, and knows nothing in between. A failed request is repeated `TRIES` - 1 times, at another task.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::time::{sleep, timeout};

use super::app;

/// To an address that nobody has any more, a connection gets no answer.
const CONNECT: Duration = Duration::from_millis(500);

/// Who knows which tasks there are, and has connections to them.
#[derive(Default)]
struct Known {
    addresses: Mutex<Vec<IpAddr>>,
    kept: Mutex<Vec<(IpAddr, SendRequest<Empty<Bytes>>)>>,
    next: AtomicUsize,
}

/// Serves for ever: `SERVICE` on the network `NETWORK`, at `LISTEN`.
pub fn serve() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let (port, tries) = (number("LISTEN", 80), number("TRIES", 1));
    let poll = Duration::from_secs(u64::from(number("POLL", 15)));
    let service = std::env::var("SERVICE").expect("SERVICE");
    let network = std::env::var("NETWORK").expect("NETWORK");
    app::runtime().block_on(async {
        let known = Arc::new(Known::default());
        let reader = Arc::clone(&known);
        tokio::spawn(async move {
            loop {
                if let Some(addresses) = list(&service, &network).await {
                    *reader.addresses.lock().expect("no panic") = addresses;
                }
                sleep(poll).await;
            }
        });
        let listener = TcpListener::bind(("0.0.0.0", port)).await.expect("a port");
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _ = stream.set_nodelay(true);
            let known = Arc::clone(&known);
            tokio::spawn(async move {
                let answer = service_fn(|_| {
                    let known = Arc::clone(&known);
                    async move {
                        let (status, body) = known.pass(tries).await;
                        let mut answer = hyper::Response::new(Full::new(body));
                        *answer.status_mut() = status.try_into().expect("a status");
                        Ok::<_, Infallible>(answer)
                    }
                });
                let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
}

impl Known {
    async fn pass(&self, tries: u16) -> (u16, Bytes) {
        for _ in 0..tries {
            let address = {
                let addresses = self.addresses.lock().expect("no panic");
                let next = self.next.fetch_add(1, Ordering::Relaxed);
                addresses.get(next % addresses.len().max(1)).copied()
            };
            let Some(address) = address else { return (503, Bytes::new()) };
            if let Some(answer) = self.once(address).await {
                return answer;
            }
        }
        (504, Bytes::new())
    }

    async fn once(&self, address: IpAddr) -> Option<(u16, Bytes)> {
        let mut connection = match self.take(address) {
            Some(connection) => connection,
            None => {
                let stream = timeout(CONNECT, TcpStream::connect((address, app::PORT))).await.ok()?.ok()?;
                let _ = stream.set_nodelay(true);
                let (connection, driver) = handshake(TokioIo::new(stream)).await.ok()?;
                tokio::spawn(driver);
                connection
            }
        };
        let request = hyper::Request::get("/").header("Host", "app").body(Empty::new()).expect("a request");
        let answer = timeout(Duration::from_secs(10), connection.send_request(request)).await.ok()?.ok()?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        self.kept.lock().expect("no panic").push((address, connection));
        Some((status, body))
    }

    fn take(&self, address: IpAddr) -> Option<SendRequest<Empty<Bytes>>> {
        let mut kept = self.kept.lock().expect("no panic");
        kept.retain(|(_, connection)| !connection.is_closed());
        let index = kept.iter().rposition(|(of, connection)| *of == address && connection.is_ready())?;
        Some(kept.swap_remove(index).1)
    }
}

/// The addresses of a service's running tasks; nothing where the engine does not answer.
async fn list(service: &str, network: &str) -> Option<Vec<IpAddr>> {
    let stream = UnixStream::connect("/var/run/docker.sock").await.ok()?;
    let (mut connection, driver) = handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(driver);
    let filters = serde_json::json!({ "service": [service], "desired-state": ["running"] }).to_string();
    let filters: String = url::form_urlencoded::byte_serialize(filters.as_bytes()).collect();
    let request = hyper::Request::get(format!("/v1.41/tasks?filters={filters}")).header("Host", "docker");
    let answer = connection.send_request(request.body(Empty::<Bytes>::new()).ok()?).await.ok()?;
    let body = answer.into_body().collect().await.ok()?.to_bytes();
    // Of a service that there is not the answer is an object with a message.
    let tasks: Vec<Value> = serde_json::from_slice(&body).ok()?;
    let running = tasks.iter().filter(|task| task["Status"]["State"] == "running");
    let attached = running.flat_map(|task| task["NetworksAttachments"].as_array().into_iter().flatten());
    let here = attached.filter(|it| it["Network"]["Spec"]["Name"] == network);
    Some(here.filter_map(|it| it["Addresses"][0].as_str()?.split('/').next()?.parse().ok()).collect())
}
