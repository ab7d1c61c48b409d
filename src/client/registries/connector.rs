//! Connections to registries: TLS with the authorities of this machine, and what the engine calls insecure without a look
//! at its certificate, or without TLS.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use super::super::connector::{EngineStream, dial};
use super::super::tls::{self, Tls, Verification};
use super::insecure::Insecure;

/// How long a connection and its TLS handshake may take: behind a firewall that drops what it does not like, the engine may
/// know another way, and is to be asked while somebody still waits.
const CONNECT: Duration = Duration::from_secs(2);

/// Connects to registries.
#[derive(Clone)]
pub(super) struct Connector {
    insecure: Arc<Insecure>,
    /// With certificates checked, and without. Made when they are first needed: they read the machine's authorities.
    tls: Arc<[OnceLock<Option<Arc<ClientConfig>>>; 2]>,
}

impl Connector {
    pub(super) fn new(insecure: Arc<Insecure>) -> Self {
        Self { insecure, tls: Arc::default() }
    }

    fn settings(&self, verification: Verification) -> io::Result<Arc<ClientConfig>> {
        let [full, skip] = &*self.tls;
        let place = if verification == Verification::Skip { skip } else { full };
        let made = || tls::client_config(&Tls { verification, ..Tls::default() }).ok();
        place.get_or_init(made).clone().ok_or_else(|| io::Error::other("no certificate authorities"))
    }

    async fn connect(&self, uri: hyper::Uri) -> io::Result<EngineStream> {
        let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let is_plain = uri.scheme_str() == Some("http");
        let port = uri.port_u16().unwrap_or(if is_plain { 80 } else { 443 });
        let tls = if is_plain {
            None
        } else {
            let is_checked = !self.insecure.covers(authority);
            let config = self.settings(if is_checked { Verification::Full } else { Verification::Skip })?;
            Some((ServerName::try_from(host.clone()).map_err(io::Error::other)?, config))
        };
        dial(&host, port, tls).await
    }
}

impl tower_service::Service<hyper::Uri> for Connector {
    type Response = TokioIo<EngineStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: hyper::Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let late = || io::Error::new(io::ErrorKind::TimedOut, "no connection in time");
            let connected = tokio::time::timeout(CONNECT, connector.connect(uri)).await;
            connected.unwrap_or_else(|_| Err(late())).map(TokioIo::new)
        })
    }
}
