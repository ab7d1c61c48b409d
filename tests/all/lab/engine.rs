//! The Engine API of a lab's node, raw.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde_json::Value;

use super::Lab;

/// What the engine answered: the status, and the body if it was JSON.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Lab {
    /// GET of a path such as `/services`, which must succeed.
    #[track_caller]
    pub fn api(&self, node: usize, path: &str) -> Value {
        let answer = self.request(node, "GET", path, None);
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.body
    }

    /// One request to a node's engine, of API version 1.41.
    #[track_caller]
    pub fn request(&self, node: usize, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.request_of(41, node, method, path, body)
    }

    /// The same of API version 1.`minor`: an older one shows less.
    #[track_caller]
    pub fn request_of(&self, minor: u32, node: usize, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = UnixStream::connect(self.socket(node)).expect("the engine's socket");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        // HTTP/1.0: no chunks, and the end of the answer is the end of the connection.
        let head = format!(
            "{method} /v1.{minor}{path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).expect("the engine reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let (head, body) =
            answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {method} {path}: {answer:?}"));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        Answer { status, body: serde_json::from_str(body).unwrap_or(Value::Null) }
    }

    /// The services of a stack as the engine lists them, by name.
    pub fn services(&self, stack: &str) -> Vec<Value> {
        let filters = serde_json::json!({ "label": [format!("com.docker.stack.namespace={stack}")] });
        let mut services = array(self.api(1, &format!("/services?filters={}", escaped(&filters))));
        services.sort_by_key(|service| service["Spec"]["Name"].as_str().map(str::to_owned));
        services
    }

    /// One service, by its full name.
    pub fn service(&self, name: &str) -> Option<Value> {
        array(self.api(1, "/services")).into_iter().find(|service| service["Spec"]["Name"] == name)
    }

    /// Writes a service by hand, in the API version 1.`minor`.
    #[track_caller]
    pub fn edit_service(&self, minor: u32, name: &str, edit: impl Fn(&mut Value)) {
        crate::wait::wait_until(Duration::from_secs(20), "the engine does not write meanwhile", || {
            let mut live = self.request_of(minor, 1, "GET", &format!("/services/{name}"), None).body;
            edit(&mut live["Spec"]);
            let (id, version) = (live["ID"].as_str().expect("an id"), &live["Version"]["Index"]);
            let path = format!("/services/{id}/update?version={version}");
            let answer = self.request_of(minor, 1, "POST", &path, Some(&live["Spec"]));
            let said = answer.body["message"].as_str().unwrap_or_default();
            assert!(answer.status == 200 || said.contains("out of sequence"), "{name}: {said}");
            answer.status == 200
        });
    }

    /// The tasks of a service that run: started, and healthy where there is a check.
    pub fn running(&self, service: &str) -> Vec<Value> {
        let filters = serde_json::json!({ "service": [service], "desired-state": ["running"] });
        let answer = self.request(1, "GET", &format!("/tasks?filters={}", escaped(&filters)), None);
        if answer.status == 404 {
            return Vec::new();
        }
        assert_eq!(answer.status, 200, "tasks of {service}: {}", answer.body);
        array(answer.body).into_iter().filter(|task| task["Status"]["State"] == "running").collect()
    }

    /// Removes what carries a stack's label, as `docker stack rm` does, and waits until its networks are gone.
    pub fn remove_stack(&self, stack: &str) {
        self.docker(1, &["stack", "rm", stack]);
        let label = format!("label=com.docker.stack.namespace={stack}");
        crate::wait::wait_until(Duration::from_secs(60), "the stack's networks are gone", || {
            self.docker(1, &["network", "ls", "-q", "--filter", &label]).is_empty()
        });
    }
}

/// Writes a value at a path of a spec, whose messages are made where they are missing.
pub fn set(spec: &mut Value, path: &str, value: Value) {
    let mut at = spec;
    for segment in path.split('/').skip(1) {
        at = match segment.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[segment],
        };
    }
    *at = value;
}

pub fn array(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        other => panic!("not a list: {other}"),
    }
}

pub fn escaped(filters: &Value) -> String {
    url::form_urlencoded::byte_serialize(filters.to_string().as_bytes()).collect()
}
