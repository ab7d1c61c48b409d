//! Ctrl-C: it ends a wait, never half a write.

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use crate::apply::Permit;

/// Listens for Ctrl-C and SIGTERM. As a permit it lets the write at hand end and starts no further one.
#[derive(Debug, Clone)]
pub struct Stop(CancellationToken);

impl Stop {
    /// Begins to listen. From now on the signals do not end the process by themselves.
    pub fn listen() -> Self {
        let stop = Self(CancellationToken::new());
        let token = stop.0.clone();
        tokio::spawn(async move {
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            token.cancel();
        });
        stop
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until somebody asks.
    pub async fn asked(&self) {
        self.0.cancelled().await;
    }

    /// What `work` gives, unless somebody asks first. For work that writes nothing.
    ///
    /// # Errors
    /// [`Failure::Interrupted`], and those of the work.
    pub async fn unless<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::select! {
            done = work => done,
            () = self.asked() => Err(Failure::Interrupted),
        }
    }
}

impl Permit for Stop {
    fn may_write(&self) -> bool {
        !self.is_asked()
    }
}
