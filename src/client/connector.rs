//! Connections to the engine, of whichever sort, as one type that hyper pools.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::endpoint::{Address, Endpoint, Tcp};
use super::ssh::SshStream;

/// How long a TCP connection and its TLS handshake may take.
const TCP_CONNECT: Duration = Duration::from_secs(10);

/// A connection to the engine.
pub(super) enum EngineStream {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Ssh(Box<SshStream>),
}

/// Connects to one endpoint, whatever address a request names.
#[derive(Clone)]
pub(super) struct Connector(pub Endpoint);

impl tower_service::Service<hyper::Uri> for Connector {
    type Response = TokioIo<EngineStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, io::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: hyper::Uri) -> Self::Future {
        let endpoint = self.0.clone();
        Box::pin(async move { connect(&endpoint).await.map(TokioIo::new) })
    }
}

async fn connect(endpoint: &Endpoint) -> io::Result<EngineStream> {
    match &endpoint.0 {
        Address::Unix(path) => Ok(EngineStream::Unix(UnixStream::connect(path).await?)),
        Address::Tcp(tcp) => tokio::time::timeout(TCP_CONNECT, connect_tcp(tcp))
            .await
            .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no connection within 10 s"))),
        Address::Ssh(ssh) => Ok(EngineStream::Ssh(Box::new(SshStream::spawn(ssh)?))),
    }
}

async fn connect_tcp(Tcp { dial: (host, port), tls, .. }: &Tcp) -> io::Result<EngineStream> {
    dial(host, *port, tls.clone()).await
}

/// Connects over TCP, and over TLS where there are a name and settings for it.
pub(super) async fn dial(
    host: &str,
    port: u16,
    tls: Option<(ServerName<'static>, Arc<ClientConfig>)>,
) -> io::Result<EngineStream> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let Some((name, config)) = tls else { return Ok(EngineStream::Tcp(stream)) };
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    Ok(EngineStream::Tls(Box::new(stream)))
}

impl Connection for EngineStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// Hands a call to the stream beneath, of whichever sort.
macro_rules! delegate {
    ($this:expr, $stream:ident => $call:expr) => {
        match $this.get_mut() {
            EngineStream::Unix(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            EngineStream::Tcp(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            EngineStream::Tls(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $call
            }
            EngineStream::Ssh(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for EngineStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for EngineStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self, stream => stream.poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => stream.poll_shutdown(cx))
    }
}
