//! What the engine says of itself, and bollard, which is named nowhere else.
//!
//! bollard brings the breadth of the API; its requests go through skep's own transport, which puts right what bollard
//! 0.21 gets wrong (it never sends the version it negotiated).

use std::sync::Arc;

use bollard::{BollardRequest, ClientVersion, Docker};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use serde::Deserialize;

use super::Client;
use super::api::undecodable;
use super::error::{Attempt, Error};
use super::transport::{Call, Transport, failure};
use super::version::ApiVersion;

/// What an engine says of its place in a swarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The swarm's id. A manager alone knows it.
    pub swarm: Option<String>,
    /// This node's id in the swarm; empty outside one.
    pub node: String,
    /// This node's address in the swarm.
    pub address: String,
    /// The machine's host name.
    pub hostname: String,
    /// This node's state in the swarm: `active`, `inactive`, `pending`, `error` or `locked`.
    pub state: String,
    /// Whether the swarm can be managed through this engine.
    pub is_manager: bool,
    /// What is wrong with this node's part in the swarm, in the engine's words; empty where nothing is.
    pub problem: String,
    /// How many nodes the swarm has; 0 unless this is a manager.
    pub nodes: u64,
    /// How many of them are managers.
    pub managers: u64,
    /// The engine's version, as `28.2.2`.
    pub engine: String,
    /// What time it is by its clock, RFC 3339.
    pub time: String,
}

/// Versions of the engine, and of the API that it and skep speak.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineVersion {
    /// The engine's own, as `28.2.2`.
    pub engine: String,
    /// The newest API the engine speaks.
    pub newest_api: String,
    /// The API in use.
    pub api: ApiVersion,
    /// As `linux/amd64`.
    pub platform: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct WireInfo {
    name: String,
    server_version: String,
    system_time: String,
    swarm: Option<WireSwarm>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct WireSwarm {
    #[serde(rename = "NodeID")]
    node_id: String,
    node_addr: String,
    local_node_state: String,
    control_available: bool,
    error: String,
    nodes: Option<u64>,
    managers: Option<u64>,
    cluster: Option<WireCluster>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireCluster {
    #[serde(rename = "ID")]
    id: String,
}

impl Info {
    /// Whether the swarm can be managed through this engine, and if not, why.
    ///
    /// # Errors
    /// [`Error::NoSwarm`] and [`Error::NotManager`].
    pub fn require_manager(&self) -> Result<(), Error> {
        let attempt = Attempt::Engine("manage the swarm");
        if self.is_manager {
            return Ok(());
        }
        let hint = if self.problem.is_empty() { String::new() } else { format!(" ({})", self.problem) };
        if matches!(self.state.as_str(), "" | "inactive") {
            let message =
                format!("the engine on {} is in no swarm{hint}; `docker swarm init` makes one", self.hostname);
            return Err(Error::NoSwarm(failure(attempt, message, None)));
        }
        let message = match self.state.as_str() {
            "active" => format!("the engine on {} is a worker{hint}; use a manager's", self.hostname),
            state => format!("the engine on {} is no usable manager: its state is {state}{hint}", self.hostname),
        };
        Err(Error::NotManager(failure(attempt, message, None)))
    }
}

impl Client {
    /// What the engine says of its place in a swarm. Answered outside a swarm and without a Raft leader too.
    ///
    /// Not through bollard: one word that its closed enumerations do not know would fail all of it.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn info(&self) -> Result<Info, Error> {
        let attempt = Attempt::Engine("read what the engine says of itself");
        let body = self.transport().read(&Call::get(attempt.clone(), "/info".to_owned())).await?;
        let info: WireInfo = serde_json::from_slice(&body).map_err(|error| undecodable(attempt, error))?;
        let swarm = info.swarm.unwrap_or_default();
        Ok(Info {
            swarm: swarm.cluster.map(|cluster| cluster.id).filter(|id| !id.is_empty()),
            node: swarm.node_id,
            address: swarm.node_addr,
            hostname: info.name,
            state: swarm.local_node_state,
            is_manager: swarm.control_available,
            problem: swarm.error,
            nodes: swarm.nodes.unwrap_or_default(),
            managers: swarm.managers.unwrap_or_default(),
            engine: info.server_version,
            time: info.system_time,
        })
    }

    /// The version of the API in use. Asked once.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn api_version(&self) -> Result<ApiVersion, Error> {
        self.transport().version().await
    }

    /// The versions of the engine and of the API.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn version(&self) -> Result<EngineVersion, Error> {
        let attempt = Attempt::Engine("ask the engine for its version");
        let docker = docker(self.transport(), attempt.clone(), || {})?;
        // bollard's own deadline ends with the head of the answer.
        let asked = tokio::time::timeout(self.transport().deadlines().read, docker.version()).await;
        let Ok(answer) = asked else {
            let message = format!("no answer from the engine at {} in time", self.endpoint());
            return Err(Error::Timeout(failure(attempt, message, None)));
        };
        let version = answer.map_err(|error| from_bollard(attempt, error))?;
        Ok(EngineVersion {
            engine: version.version.unwrap_or_default(),
            newest_api: version.api_version.unwrap_or_default(),
            api: self.transport().version().await?,
            platform: format!("{}/{}", version.os.unwrap_or_default(), version.arch.unwrap_or_default()),
        })
    }
}

/// bollard on top of the transport. `answered` is called when a request of it is answered with success.
pub(super) fn docker(
    transport: &Arc<Transport>,
    attempt: Attempt,
    answered: impl Fn() + Send + Sync + 'static,
) -> Result<Docker, Error> {
    let patience = transport.deadlines().write.as_secs().max(1);
    let (transport, named, answered) = (transport.clone(), attempt.clone(), Arc::new(answered));
    let send = move |request: BollardRequest| {
        let (transport, attempt, answered) = (transport.clone(), named.clone(), answered.clone());
        async move {
            let (head, body) = request.into_parts();
            let request = Request::from_parts(head, body.map_err(Into::into).boxed_unsync());
            let response: Response<Incoming> = transport
                .forward(request, &attempt)
                .await
                .map_err(|error| bollard::errors::Error::IOError { err: std::io::Error::other(error) })?;
            if response.status().is_success() {
                answered();
            }
            Ok(response)
        }
    };
    // The address is a stand-in: the transport knows the real one.
    let version = ClientVersion { major_version: 1, minor_version: 41 };
    Docker::connect_with_custom_transport(send, Some("http://engine.localhost"), patience, &version)
        .map_err(|error| from_bollard(attempt, error))
}

/// bollard's errors as skep's own; one of the transport's comes back as it was.
pub(super) fn from_bollard(attempt: Attempt, error: bollard::errors::Error) -> Error {
    use bollard::errors::Error as Theirs;
    match error {
        Theirs::IOError { err } => match err.downcast::<Error>() {
            Ok(ours) => ours,
            Err(err) => {
                Error::Unavailable(failure(attempt, "the connection to the engine broke".into(), Some(err.into())))
            }
        },
        Theirs::DockerResponseServerError { status_code, message } => {
            let body = serde_json::json!({ "message": message }).to_string();
            Error::from_answer(attempt, status_code, body.as_bytes())
        }
        Theirs::RequestTimeoutError => {
            Error::Timeout(failure(attempt, "no answer from the engine in time".into(), None))
        }
        Theirs::HyperResponseError { err } => {
            Error::Unavailable(failure(attempt, "the connection to the engine broke".into(), Some(err.into())))
        }
        other => Error::Decode(failure(attempt, "the engine's answer cannot be read".into(), Some(other.into()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(state: &str, is_manager: bool) -> Info {
        Info {
            swarm: None,
            node: String::new(),
            address: String::new(),
            hostname: "n1".into(),
            state: state.into(),
            is_manager,
            problem: String::new(),
            nodes: 0,
            managers: 0,
            engine: String::new(),
            time: String::new(),
        }
    }

    #[test]
    fn who_cannot_manage_says_why() {
        assert!(info("active", true).require_manager().is_ok());
        assert!(matches!(info("active", false).require_manager(), Err(Error::NotManager(_))));
        assert!(matches!(info("inactive", false).require_manager(), Err(Error::NoSwarm(_))));
        let error = info("locked", false).require_manager().expect_err("locked");
        assert!(error.to_string().contains("its state is locked"), "{error}");
    }
}
