//! What a plan says of its tasks, beside what the engine then does with them: left pending or refused, and placed.

mod placing;
mod ports;
mod registries;
mod volumes;

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

use crate::commands::write;
use crate::lab::engine::{array, escaped};
use crate::lab::{Lab, unique};
use crate::runner::{Outcome, Skep};
use crate::wait::{wait_for, wait_until};

/// How long the engine may take to place, start or refuse a task.
const SOON: Duration = Duration::from_secs(60);

/// A swarm of three nodes, of which n2 has the label `disk=ssd`.
fn lab() -> &'static Lab {
    static LAB: OnceLock<Lab> = OnceLock::new();
    LAB.get_or_init(|| {
        let lab = Lab::start(3);
        lab.image("feasible:1", &[r#"CMD ["idle"]"#]);
        lab.docker(1, &["node", "update", "--label-add", "disk=ssd", "n2"]);
        lab
    })
}

/// A stack of its own, gone when this is.
struct Scene {
    skep: Skep,
    stack: String,
}

impl Scene {
    fn new(prefix: &str) -> Scene {
        Scene { skep: Skep::on(&lab().docker_host(1)), stack: unique(prefix) }
    }

    fn write(&self, text: &str) {
        write(self.skep.directory(), "stack.yaml", text);
    }

    /// Plans the file.
    #[track_caller]
    fn plan(&self, code: i32) -> Outcome {
        self.skep.run(&["plan", "-c", "stack.yaml", &self.stack, "-o", "json"]).expect(code)
    }

    /// What the plan says of whether tasks would run: code and message. Of whether the public registry has an image that is
    /// on every node, nobody in the lab can tell.
    #[track_caller]
    fn told(&self) -> Vec<(String, String)> {
        let document = self.plan(0).json();
        let told = array(document["stacks"][0]["diagnostics"].clone());
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let told = told.iter().map(|it| (text(&it["code"]), text(&it["message"])));
        told.filter(|(code, _)| code.starts_with("feasibility/") && code != "feasibility/not-checked").collect()
    }

    #[track_caller]
    fn apply(&self) {
        self.skep.run(&["apply", "-c", "stack.yaml", &self.stack, "-y", "--detach"]).expect(0);
    }

    fn full(&self, service: &str) -> String {
        format!("{}_{service}", self.stack)
    }

    /// Waits until so many tasks of a service run.
    #[track_caller]
    fn wait_running(&self, service: &str, count: usize) {
        let what = format!("{count} tasks of {service} run");
        wait_until(SOON, &what, || lab().running(&self.full(service)).len() == count);
    }

    /// Waits until a task of a service is in a state and says why.
    #[track_caller]
    fn wait_state(&self, service: &str, state: &str, why: &str) {
        let filters = escaped(&serde_json::json!({ "service": [self.full(service)] }));
        wait_for(SOON, &format!("a task of {service} is {state}: {why}"), || {
            let tasks = array(lab().api(1, &format!("/tasks?filters={filters}")));
            let is_it = |task: &&Value| {
                task["Status"]["State"] == state
                    && task["Status"]["Err"].as_str().is_some_and(|error| error.contains(why))
            };
            tasks.iter().find(is_it).map(drop)
        });
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            lab().remove_stack(&self.stack);
        }
    }
}

/// The codes of what is told of one service.
fn of<'t>(told: &'t [(String, String)], service: &str) -> Vec<(&'t str, &'t str)> {
    let begins = format!("{service}: ");
    told.iter().filter_map(|(code, message)| Some((code.as_str(), message.strip_prefix(&begins)?))).collect()
}
