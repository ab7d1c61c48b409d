//! What is filled in, rule by rule.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::desired::{Said, Service};
use crate::swarm::{Image, Known};

/// A service of one task with this spec beside its name and image.
fn service(extra: Value) -> Service {
    let mut spec = json!({
        "Name": "shop_web",
        "TaskTemplate": { "ContainerSpec": { "Image": "app:1" } },
        "Mode": { "Replicated": { "Replicas": 1 } },
    });
    merge(&mut spec, extra);
    Service {
        key: "web".to_owned(),
        spec: serde_json::from_value(spec).expect("a spec"),
        said: Said { replicas: true, ..Said::default() },
        depends_on: Vec::new(),
        single: false,
        hook: None,
        as_is: false,
        ignore: Vec::new(),
        span: None,
    }
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

fn seconds(count: i64) -> i64 {
    count * SECOND
}

fn checked(interval: i64, timeout: i64, retries: i64) -> Value {
    json!({ "TaskTemplate": { "ContainerSpec": { "Healthcheck": {
        "Test": ["CMD", "check"], "Interval": seconds(interval), "Timeout": seconds(timeout), "Retries": retries,
    } } } })
}

fn replicas(count: u64) -> Value {
    json!({ "Mode": { "Replicated": { "Replicas": count } } })
}

fn mounted(mount: Value) -> Value {
    json!({ "TaskTemplate": { "ContainerSpec": { "Mounts": [mount] } } })
}

fn nodes(count: usize) -> Vec<Arc<Node>> {
    let node = json!({ "Spec": { "Availability": "active" }, "Status": { "State": "ready" } });
    (0..count).map(|_| Arc::new(serde_json::from_value(node.clone()).expect("a node"))).collect()
}

struct Setting {
    service: Service,
    live: Option<ServiceSpec>,
    images: Images,
    nodes: Vec<Arc<Node>>,
}

impl Setting {
    fn new(extra: Value) -> Self {
        Self { service: service(extra), live: None, images: Images::default(), nodes: nodes(3) }
    }

    fn with(mut self, extra: Value) -> Self {
        let mut spec = serde_json::to_value(&self.service.spec).expect("JSON");
        merge(&mut spec, extra);
        self.service.spec = serde_json::from_value(spec).expect("a spec");
        self
    }

    /// As it is now, before what comes after.
    fn runs(mut self) -> Self {
        self.live = Some(self.service.spec.clone());
        self
    }

    fn image(mut self, healthcheck: Known<crate::swarm::Healthcheck>) -> Self {
        self.images.0.insert("app:1".to_owned(), Image { healthcheck, ..Image::default() });
        self
    }

    fn computed(&self) -> Option<Computed> {
        Computed::of(&Given {
            service: &self.service,
            spec: &self.service.spec,
            live: self.live.as_ref(),
            images: &self.images,
            nodes: &self.nodes,
        })
    }

    #[track_caller]
    fn obstacle(&self) -> Option<Obstacle> {
        let computed = self.computed().expect("no job");
        let order = if computed.obstacle.is_none() { "start-first" } else { "stop-first" };
        assert_eq!((computed.update.order.as_str(), computed.rollback.order.as_str()), (order, order));
        computed.obstacle
    }
}

/// Parallelism, and monitor and delay in seconds.
fn numbers(setting: &Setting) -> (u64, i64, i64) {
    let update = setting.computed().expect("no job").update;
    assert_eq!((update.monitor % SECOND, update.delay % SECOND), (0, 0));
    (update.parallelism, update.monitor / SECOND, update.delay / SECOND)
}

fn takes(setting: &Setting, tasks: u64) -> u64 {
    let computed = setting.computed().expect("no job");
    super::seconds(Some(&computed.update), computed.check, tasks)
}

#[test]
fn the_numbers_come_from_the_healthcheck_and_the_replicas() {
    let quick = Setting::new(checked(2, 2, 3)).with(replicas(3));
    assert_eq!((numbers(&quick), takes(&quick, 3)), ((1, 14, 14), 71));
    let usual = Setting::new(checked(10, 3, 3)).with(replicas(9));
    assert_eq!((numbers(&usual), takes(&usual, 9)), ((3, 41, 41), 203), "about three minutes");
    let docker = Setting::new(checked(0, 0, 0)).with(replicas(3));
    assert_eq!((numbers(&docker), takes(&docker, 3)), ((1, 182, 182), 827), "what the engine takes for silence");
    assert_eq!(
        numbers(&Setting::new(checked(1, 1, 1)).with(replicas(1))),
        (1, 5, 0),
        "no shorter than the engine's own"
    );
    assert_eq!(
        numbers(&Setting::new(checked(60, 60, 3)).with(replicas(1))),
        (1, 300, 0),
        "no longer than five minutes"
    );
    assert_eq!(numbers(&Setting::new(json!({})).with(replicas(2))), (1, 30, 30), "nothing tells but an exit");
    assert_eq!(numbers(&Setting::new(checked(2, 2, 3)).with(replicas(0))), (1, 14, 0));
    let global = Setting::new(checked(2, 2, 3)).with(json!({ "Mode": { "Replicated": null, "Global": {} } }));
    assert_eq!(numbers(&Setting { nodes: nodes(7), ..global }), (2, 14, 14), "one a node");
}

#[test]
fn the_rest_is_always_the_same() {
    let computed = Setting::new(checked(2, 2, 3)).with(replicas(3)).computed().expect("no job");
    let value = |policy: &UpdateConfig| serde_json::to_value(policy).expect("JSON");
    let policy = |parallelism: u64, action: &str| {
        json!({
            "Parallelism": parallelism, "FailureAction": action, "Monitor": seconds(14), "MaxFailureRatio": 0.0,
            "Order": "start-first",
        })
    };
    let mut update = policy(1, "rollback");
    update["Delay"] = seconds(14).into();
    assert_eq!((value(&computed.update), value(&computed.rollback)), (update, policy(0, "pause")));
}

#[test]
fn the_images_own_healthcheck_counts_where_the_file_says_none() {
    let own = || {
        Known::Some(crate::swarm::Healthcheck {
            test: vec!["CMD".to_owned(), "own".to_owned()],
            interval: seconds(5),
            retries: 2,
            ..Default::default()
        })
    };
    let none = |words: &[&str]| json!({ "TaskTemplate": { "ContainerSpec": { "Healthcheck": { "Test": words } } } });
    let silent = || Setting::new(json!({}));
    assert_eq!(silent().image(own()).obstacle(), None);
    assert_eq!(numbers(&silent().image(own())), (1, 72, 0), "the timeout is the engine's");
    assert_eq!(silent().image(Known::None).obstacle(), Some(Obstacle::Unchecked));
    assert_eq!(silent().image(Known::Unknown).obstacle(), Some(Obstacle::Unknown));
    assert_eq!(silent().obstacle(), Some(Obstacle::Unknown), "nobody asked");
    assert_eq!(Setting::new(none(&["NONE"])).image(own()).obstacle(), Some(Obstacle::Unchecked), "switched off");
    let off = Known::Some(crate::swarm::Healthcheck { test: vec!["NONE".to_owned()], ..Default::default() });
    assert_eq!(silent().image(off).obstacle(), Some(Obstacle::Unchecked));
    let with_image = Setting::new(checked(2, 0, 0)).image(own());
    assert_eq!(numbers(&with_image), (1, 66, 0), "what the file leaves open is the image's, then the engine's");
    let timing = json!({ "TaskTemplate": { "ContainerSpec": { "Healthcheck": { "Interval": seconds(2) } } } });
    assert_eq!(numbers(&Setting::new(timing.clone()).image(own())), (1, 66, 0), "other numbers for the image's check");
    assert_eq!(Setting::new(timing.clone()).image(Known::None).obstacle(), Some(Obstacle::Unchecked));
    assert_eq!(Setting::new(timing).obstacle(), Some(Obstacle::Unknown));
    let pinned = json!({ "TaskTemplate": { "ContainerSpec": { "Image": "app:1@sha256:ab" } } });
    assert_eq!(Setting::new(pinned).image(own()).obstacle(), None);
}

#[test]
fn a_registry_that_says_nothing_takes_no_policy_back() {
    let own = crate::swarm::Healthcheck {
        test: vec!["CMD".into(), "own".into()],
        interval: seconds(3),
        ..Default::default()
    };
    let mut setting = Setting::new(json!({})).image(Known::Some(own));
    setting.computed().expect("no job").fill(&mut setting.service.spec);
    let mut setting = setting.runs();
    (setting.service.spec.update_config, setting.service.spec.rollback_config) = (None, None);
    setting.images = Images::default();
    assert_eq!((setting.obstacle(), numbers(&setting)), (None, (1, 101, 0)));
    let other = setting.with(json!({ "TaskTemplate": { "ContainerSpec": { "Image": "app:2" } } }));
    assert_eq!(
        (other.obstacle(), numbers(&other)),
        (Some(Obstacle::Unknown), (1, 30, 0)),
        "of another image it said nothing"
    );
}

#[test]
fn two_run_side_by_side_only_where_they_may() {
    let fine = || Setting::new(checked(2, 2, 3));
    assert_eq!(fine().obstacle(), None);
    let mut single = fine();
    single.service.single = true;
    assert_eq!(single.obstacle(), Some(Obstacle::Single));
    let port = |mode: &str, published: u32| json!({ "EndpointSpec": { "Ports": [{ "TargetPort": 80, "PublishedPort": published, "PublishMode": mode }] } });
    assert_eq!(fine().with(port("ingress", 80)).obstacle(), None);
    assert_eq!(fine().with(port("host", 8080)).obstacle(), Some(Obstacle::HostPort(8080)));
    assert_eq!(fine().with(port("host", 0)).obstacle(), Some(Obstacle::HostPort(80)));
    assert_eq!(fine().with(port("ingress", 80)).runs().with(port("", 80)).obstacle(), None, "the same in other words");
    assert_eq!(fine().with(port("ingress", 80)).runs().with(port("ingress", 81)).obstacle(), Some(Obstacle::Ports));
    assert_eq!(fine().runs().with(port("ingress", 81)).obstacle(), Some(Obstacle::Ports));
    let most = |most: u64| json!({ "TaskTemplate": { "Placement": { "MaxReplicas": most } } });
    assert_eq!(fine().with(replicas(2)).with(most(1)).obstacle(), None, "a third node is free");
    assert_eq!(fine().with(replicas(3)).with(most(1)).obstacle(), Some(Obstacle::Full(1)));
    assert_eq!(fine().with(replicas(3)).with(most(2)).obstacle(), None);
    let global = || fine().with(json!({ "Mode": { "Replicated": null, "Global": {} } }));
    assert_eq!(global().obstacle(), None);
    assert_eq!(global().with(most(1)).obstacle(), Some(Obstacle::Full(1)));
    for job in ["ReplicatedJob", "GlobalJob"] {
        assert_eq!(fine().with(json!({ "Mode": { "Replicated": null, job: {} } })).computed(), None, "{job}");
    }
}

#[test]
fn data_is_written_by_two_only_where_two_write_it_already() {
    let fine = || Setting::new(checked(2, 2, 3));
    let data = || mounted(json!({ "Type": "volume", "Source": "shop_data", "Target": "/data" }));
    let remote = || {
        mounted(json!({
            "Type": "volume", "Source": "shop_data", "Target": "/data",
            "VolumeOptions": { "DriverConfig": { "Name": "local", "Options": { "type": "nfs4" } } }
        }))
    };
    let stands = Some(Obstacle::Mount("/data".to_owned()));
    let one = |setting: Setting| Setting { nodes: nodes(1), ..setting };
    assert_eq!(fine().with(data()).obstacle(), stands, "it may be a database");
    assert_eq!(fine().with(remote()).obstacle(), stands);
    for harmless in [
        json!({ "Type": "volume", "Source": "shop_data", "Target": "/data", "ReadOnly": true }),
        json!({ "Type": "bind", "Source": "/etc/app", "Target": "/data", "ReadOnly": true }),
        json!({ "Type": "tmpfs", "Target": "/data" }),
        json!({ "Type": "volume", "Target": "/data" }),
        json!({ "Type": "volume", "Source": "scratch-{{.Task.ID}}", "Target": "/data" }),
        json!({ "Type": "bind", "Source": "/var/run/docker.sock", "Target": "/data" }),
    ] {
        assert_eq!(fine().with(mounted(harmless.clone())).obstacle(), None, "{harmless}");
    }
    let bind = || mounted(json!({ "Type": "bind", "Source": "/srv", "Target": "/data" }));
    assert_eq!(fine().with(bind()).obstacle(), stands);
    // Replicas that run already.
    assert_eq!(one(fine().with(replicas(2)).with(data()).runs()).obstacle(), None, "both on one node");
    assert_eq!(fine().with(replicas(2)).with(data()).runs().obstacle(), stands, "each node has its own");
    assert_eq!(fine().with(replicas(4)).with(data()).runs().obstacle(), None, "more than nodes: two meet somewhere");
    assert_eq!(fine().with(replicas(2)).with(remote()).runs().obstacle(), None, "one place for all nodes");
    assert_eq!(fine().with(remote()).runs().with(replicas(2)).obstacle(), stands, "one writes, a second is to come");
    assert_eq!(fine().with(replicas(2)).runs().with(remote()).obstacle(), stands, "nobody writes there yet");
    assert_eq!(fine().with(replicas(2)).with(remote()).obstacle(), None, "a new service of two");
    let slot = mounted(json!({ "Type": "volume", "Source": "data-{{.Task.Slot}}", "Target": "/data" }));
    assert_eq!(one(fine().with(replicas(2)).with(slot).runs()).obstacle(), stands, "each has its own");
    let global = one(fine().with(data()).with(json!({ "Mode": { "Replicated": null, "Global": {} } })));
    assert_eq!(global.runs().obstacle(), stands, "one a node has never met another");
}

#[test]
fn what_the_file_says_stays_and_the_rest_follows_it() {
    let mut setting = Setting::new(checked(2, 2, 3)).with(replicas(6)).with(json!({
        "UpdateConfig": { "Parallelism": 0, "Order": "stop-first", "Monitor": seconds(60), "MaxFailureRatio": 0.0 }
    }));
    (setting.service.said.update.parallelism, setting.service.said.update.order) = (true, true);
    let computed = setting.computed().expect("no job");
    assert_eq!((computed.update.parallelism, computed.update.order.as_str()), (0, "stop-first"));
    assert_eq!(
        (computed.update.monitor, computed.update.delay),
        (seconds(14), 0),
        "all at once: nothing to wait between"
    );
    assert_eq!((computed.rollback.order.as_str(), computed.obstacle), ("stop-first", Some(Obstacle::Said)));
    setting.service.said.update.parallelism = false;
    setting.service.said.update.monitor = true;
    let computed = setting.computed().expect("no job");
    let update = &computed.update;
    assert_eq!((update.parallelism, update.monitor, update.delay), (2, seconds(60), seconds(60)));
    assert_eq!(computed.rollback.monitor, seconds(60));
}

/// What skep fills in has the form by which it is known again without a record.
#[test]
fn what_is_filled_in_is_known_again() {
    for (check, count) in [((2, 2, 3), 1), ((30, 30, 3), 3), ((1, 1, 1), 9), ((90, 90, 9), 40)] {
        let setting = Setting::new(checked(check.0, check.1, check.2)).with(replicas(count));
        let computed = setting.computed().expect("no job");
        let live = ServiceSpec {
            update_config: Some(computed.update.clone()),
            rollback_config: Some(computed.rollback.clone()),
            ..setting.service.spec.clone()
        };
        let other = Setting::new(json!({})).with(replicas(2)).computed().expect("no job");
        let silence = Silence::of(&setting.service.spec, setting.service.said, &live, Past::Unknown, &other);
        let mut settled = setting.service.spec.clone();
        silence.settle(&mut settled);
        assert_eq!((settled.update_config, settled.rollback_config), (live.update_config, live.rollback_config));
    }
}

/// What is made of a live policy that the file leaves open, and whether its failure action is skep's to fill in.
fn settled(live: Option<UpdateConfig>, past: Past<'_>) -> (Option<UpdateConfig>, bool) {
    let setting = Setting::new(checked(2, 2, 3));
    let computed = setting.computed().expect("no job");
    let live = ServiceSpec { update_config: live, ..setting.service.spec.clone() };
    let silence = Silence::of(&setting.service.spec, setting.service.said, &live, past, &computed);
    let mut settled = setting.service.spec.clone();
    silence.settle(&mut settled);
    (settled.update_config, silence.leaves("/UpdateConfig/FailureAction"))
}

#[test]
fn whose_a_value_is_that_the_file_leaves_open() {
    let filled = Setting::new(checked(2, 2, 3)).computed().expect("no job").update;
    let older = UpdateConfig { monitor: seconds(99), ..filled.clone() };
    let by_hand = UpdateConfig { failure_action: "continue".to_owned(), ..filled.clone() };
    let open = left_open(Said::default());
    assert_eq!(open, ["/RollbackConfig", "/UpdateConfig"]);
    let spec = |update: &UpdateConfig| ServiceSpec { update_config: Some(update.clone()), ..service(json!({})).spec };
    assert_eq!(settled(None, Past::Unknown), (None, true), "absent");
    assert_eq!(settled(Some(filled.clone()), Past::Unknown), (Some(filled.clone()), true));
    assert_eq!(settled(Some(older.clone()), Past::Unknown), (Some(older.clone()), true), "with other numbers");
    assert_eq!(settled(Some(by_hand.clone()), Past::Unknown), (None, false), "nobody fills in `continue`");
    // With a record.
    let was_filled = spec(&older);
    let past = || Past::Applied(Some(&was_filled), &open);
    assert_eq!(settled(None, past()), (None, true), "`docker stack deploy` took it away");
    assert_eq!(settled(Some(older.clone()), past()), (Some(older.clone()), true), "as it was filled in");
    assert_eq!(settled(Some(filled.clone()), past()), (Some(filled), true), "as it would be filled in now");
    let hand = UpdateConfig { failure_action: "continue".to_owned(), ..older.clone() };
    assert_eq!(settled(Some(hand), past()), (Some(older.clone()), false), "a hand's: drift from what was applied");
    let odd = UpdateConfig { monitor: seconds(33), ..older.clone() };
    assert_eq!(settled(Some(odd), past()).0, Some(older.clone()), "in the form of it, and still a hand's");
    // Git once said it.
    let was_said = spec(&by_hand);
    let (settled, is_skeps) = settled(Some(by_hand), Past::Applied(Some(&was_said), &[]));
    assert_eq!(settled.expect("the rest stays").failure_action, "pause");
    assert!(!is_skeps, "git took it away");
}

#[test]
fn a_record_keeps_what_was_left_open_field_by_field() {
    let mut said = Said::default();
    (said.update.order, said.update.parallelism) = (true, true);
    let open = left_open(said);
    let fields = ["Delay", "FailureAction", "Monitor", "MaxFailureRatio"].map(|key| format!("/UpdateConfig/{key}"));
    assert_eq!(open, [&["/RollbackConfig".to_owned()][..], &fields].concat());
}

#[test]
fn a_slow_healthcheck_is_named_with_its_numbers() {
    let setting = Setting::new(checked(0, 0, 0)).with(replicas(3));
    let computed = setting.computed().expect("no job");
    let seconds = super::seconds(Some(&computed.update), computed.check, 3);
    let rollout = crate::plan::Rollout { parallelism: 1, order: "start-first".to_owned(), seconds };
    let note = slow(&setting.service, computed.check, Some(&rollout), 3).expect("slow");
    assert_eq!(
        note.message,
        "web: the update takes about 14 min, because its healthcheck (every 30s, 30s to answer, 3 in a row) finds a bad task \
         only after 182s; every 5s, 3s to answer, 3 in a row would make it about 2 min"
    );
    let mut said = setting.service.clone();
    said.said.update.monitor = true;
    assert_eq!(slow(&said, computed.check, Some(&rollout), 3), None, "the file says how long");
    let quick = Setting::new(checked(10, 3, 3)).computed().expect("no job");
    assert_eq!(slow(&setting.service, quick.check, Some(&rollout), 3), None);
    assert_eq!(slow(&setting.service, computed.check, None, 0), None, "nothing rolls");
}
