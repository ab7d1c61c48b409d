//! An engine behind ssh: the `ssh` command runs `docker system dial-stdio` there, and its standard input and output are
//! the connection, as in the docker command.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio_util::task::AbortOnDropHandle;

use super::endpoint::Ssh;

/// As much of what ssh says as a message quotes.
const MAX_WORDS: u64 = 2048;

/// The running command.
pub(super) struct SshStream {
    input: ChildStdin,
    output: ChildStdout,
    /// Ends with the command, and says why where it failed. Dropping it kills the command.
    exit: Option<AbortOnDropHandle<Option<String>>>,
}

impl SshStream {
    pub(super) fn spawn(ssh: &Ssh) -> io::Result<Self> {
        let mut child = Command::new("ssh")
            .args(arguments(ssh))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A Ctrl-C on the terminal is for skep to handle: it must not cut a write in half.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("cannot run ssh: {error}")))?;
        let missing = || io::Error::other("ssh runs without its standard streams");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        let words = child.stderr.take().ok_or_else(missing)?;
        let exit = AbortOnDropHandle::new(tokio::spawn(failure(child, words)));
        Ok(Self { input, output, exit: Some(exit) })
    }
}

/// `BatchMode`: nobody is there to be asked for a password, and a question would wait for ever.
fn arguments(ssh: &Ssh) -> Vec<String> {
    let mut arguments: Vec<String> =
        ["-o", "ConnectTimeout=30", "-o", "BatchMode=yes", "-T"].into_iter().map(str::to_owned).collect();
    if let Some(user) = &ssh.user {
        arguments.extend(["-l".to_owned(), user.clone()]);
    }
    if let Some(port) = ssh.port {
        arguments.extend(["-p".to_owned(), port.to_string()]);
    }
    arguments.extend(["--".to_owned(), ssh.host.clone(), "docker".to_owned()]);
    if let Some(socket) = &ssh.socket {
        arguments.push(format!("--host=unix://{socket}"));
    }
    arguments.extend(["system".to_owned(), "dial-stdio".to_owned()]);
    arguments
}

async fn failure(mut child: Child, mut words: ChildStderr) -> Option<String> {
    let mut said = Vec::new();
    let read = (&mut words).take(MAX_WORDS).read_to_end(&mut said).await;
    // The rest is thrown away, or a talkative command would block on a full pipe.
    let _ = tokio::io::copy(&mut words, &mut tokio::io::sink()).await;
    let status = child.wait().await;
    match (status, read) {
        (Ok(status), _) if status.success() => None,
        (Ok(status), _) => Some(format!("ssh ended with {status}: {}", String::from_utf8_lossy(&said).trim())),
        (Err(error), _) => Some(format!("cannot wait for ssh: {error}")),
    }
}

impl AsyncRead for SshStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.output).poll_read(cx, buf))?;
        if buf.filled().len() > before || buf.capacity() == before {
            return Poll::Ready(Ok(()));
        }
        // The end: a failed command says why, which tells more than "connection closed".
        if let Some(exit) = self.exit.as_mut() {
            let outcome = ready!(Pin::new(exit).poll(cx));
            self.exit = None;
            if let Ok(Some(why)) = outcome {
                return Poll::Ready(Err(io::Error::other(why)));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for SshStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.input).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_dockers() {
        let ssh = Ssh {
            user: Some("me".into()),
            host: "h".into(),
            port: Some(2222),
            socket: Some("/run/docker.sock".into()),
        };
        assert_eq!(
            arguments(&ssh).join(" "),
            "-o ConnectTimeout=30 -o BatchMode=yes -T -l me -p 2222 -- h docker --host=unix:///run/docker.sock system dial-stdio"
        );
    }
}
