//! What keeps tasks from running, told before it does.

mod images;
mod placing;
mod ports;
mod updates;
mod volumes;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::stack::Edit;
use super::*;
use crate::diag::{Diagnostic, Severity};
use crate::plan::{Answer, Estimate, Facts, Questions};
use crate::swarm::{Node, ResourceReservations, Resources, Tenant};

/// A cluster, and what is asked beyond it.
#[derive(Default)]
struct Ground {
    cluster: Cluster,
    tasks: Vec<Tenant>,
    images: BTreeMap<String, Answer>,
}

impl Ground {
    /// Nodes n1, n2 … that are ready, each changed by a patch of JSON.
    fn new(nodes: &[Value]) -> Ground {
        let mut ground = Ground::default();
        for (index, patch) in nodes.iter().enumerate() {
            let name = format!("n{}", index + 1);
            let mut node = json!({
                "ID": name, "Spec": { "Availability": "active", "Role": "worker", "Labels": {} }, "Status": { "State": "ready" },
                "Description": {
                    "Hostname": name, "Platform": { "Architecture": "x86_64", "OS": "linux" },
                    "Resources": { "NanoCPUs": 2_000_000_000_i64, "MemoryBytes": 1 << 30 },
                },
            });
            for (pointer, value) in patch.as_object().expect("a patch") {
                let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
                node.pointer_mut(parent).expect("a parent")[key] = value.clone();
            }
            let node: Node = serde_json::from_value(node).expect("a node");
            ground.cluster.live.nodes.push(Arc::new(node));
        }
        ground
    }

    /// So many ordinary nodes.
    fn of(nodes: usize) -> Ground {
        Ground::new(&vec![json!({}); nodes])
    }

    /// With a stack applied, and a running task of its service on each of these nodes.
    fn running(mut self, desired: &Desired, service: &str, nodes: &[&str]) -> Ground {
        self.cluster.apply(desired);
        for node in nodes {
            self.task(service, node);
        }
        self
    }

    fn task(&mut self, service: &str, node: &str) {
        let service = self.cluster.service(service);
        let reservations =
            service.spec.task_template.resources.as_ref().and_then(|resources| resources.reservations.clone());
        let task = json!({
            "ID": format!("t{}", self.tasks.len()), "ServiceID": service.id, "NodeID": node, "DesiredState": "running",
            "Status": { "State": "running" }, "Spec": { "Resources": { "Reservations": reservations } },
        });
        self.tasks.push(serde_json::from_value(task).expect("a task"));
    }

    fn judged(&self, desired: &Desired) -> Vec<Diagnostic> {
        let mut plan = planned(desired, &self.cluster);
        assert!(!plan.is_blocked(), "{:?}", plan.diagnostics);
        let facts = Facts { tasks: Ok(self.tasks.clone()), images: self.images.clone() };
        let found = Estimate::new(&self.cluster.live, &facts).of(&plan, desired);
        plan.diagnostics.clear();
        plan.remark(found, desired);
        plan.diagnostics
    }

    /// The one thing there is to say: its code and message.
    #[track_caller]
    fn said(&self, desired: &Desired) -> (&'static str, String) {
        match self.judged(desired).as_slice() {
            [one] => (one.code, one.message.replace(", estimated by the nodes as they are now", " (est.)")),
            other => panic!("one thing is said: {other:#?}"),
        }
    }

    /// Demands that there is nothing to say.
    #[track_caller]
    fn fits(&self, desired: &Desired) {
        assert_eq!(self.judged(desired), []);
    }
}

/// The stack with one service, edited.
fn web(edit: impl FnOnce(&mut crate::desired::Service)) -> Desired {
    let mut desired = stack();
    edit(service(&mut desired, "web", "nginx:1"));
    desired
}

fn reserves(service: &mut crate::desired::Service, cpus: f64, mebi: i64) {
    let reservations = ResourceReservations {
        nano_cpus: (cpus * 1e9) as i64,
        memory_bytes: mebi << 20,
        ..ResourceReservations::default()
    };
    service.spec.task_template.resources = Some(Resources { reservations: Some(reservations), ..Resources::default() });
}

fn host_port(service: &mut crate::desired::Service, port: u32) {
    service.port(port, 80);
    for port in &mut service.spec.endpoint_spec.as_mut().expect("ports").ports {
        port.publish_mode = "host".to_owned();
    }
}

fn global(service: &mut crate::desired::Service) {
    service.spec.mode = serde_json::from_value(json!({ "Global": {} })).expect("a mode");
}

#[test]
fn nothing_is_asked_of_a_plan_that_starts_nothing() {
    let ground = Ground::of(1).running(&web(|_| {}), "shop_web", &["n1"]);
    let questions = |desired: &Desired| Questions::of(&planned(desired, &ground.cluster), &ground.cluster.live);
    assert_eq!(questions(&web(|_| {})), Questions::default());
    assert_eq!(
        questions(&web(|web| {
            web.label("a", "b");
        })),
        Questions::default(),
        "a label starts nothing"
    );
    assert_eq!(
        questions(&web(|web| {
            web.replicas(0);
        })),
        Questions::default(),
        "nor does an end"
    );
    let tasks = Questions { tasks: true, ..Questions::default() };
    assert_eq!(
        questions(&web(|web| {
            web.env("A=b");
        })),
        tasks,
        "its image is no news"
    );
    assert_eq!(
        questions(&web(|web| {
            web.replicas(2);
        })),
        tasks
    );
    let asked = questions(&web(|web| {
        web.image("nginx:2");
    }));
    assert_eq!((asked.tasks, asked.images), (true, ["nginx:2".to_owned()].into()));
    let mut none = web(|web| {
        web.replicas(0);
    });
    service(&mut none, "new", "redis:1").replicas(0);
    assert_eq!(questions(&none), Questions::default(), "what has no tasks needs no image");
}

#[test]
fn what_files_accept_is_not_told() {
    let mut desired = web(|web| {
        web.constraint("node.labels.disk==ssd");
    });
    let ground = Ground::of(1);
    assert_eq!(ground.judged(&desired).len(), 1);
    desired.confidential.add("node.labels.disk");
    let (_, message) = ground.said(&desired);
    assert!(!message.contains("disk"), "{message}");
}

#[test]
fn tasks_that_could_not_be_listed_are_no_error() {
    let (ground, desired) = (
        Ground::of(1),
        web(|web| {
            web.constraint("node.labels.disk==ssd");
        }),
    );
    let plan = planned(&desired, &ground.cluster);
    let facts = Facts { tasks: Err("no answer".to_owned()), images: BTreeMap::new() };
    let found = Estimate::new(&ground.cluster.live, &facts).of(&plan, &desired);
    let [note] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((note.severity, note.code), (Severity::Note, "feasibility/not-checked"));
}
