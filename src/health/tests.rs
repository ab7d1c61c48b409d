//! Verdicts over sequences of looks.

use serde_json::{Value, json};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(600);

/// A service and its swarm, looked at again and again.
struct Scene {
    service: Service,
    nodes: Vec<Arc<Node>>,
    tasks: Vec<Arc<Task>>,
    stale: Vec<Arc<Task>>,
    expected: Option<ServiceSpec>,
    seen: Seen,
    now: Duration,
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object")
}

fn scene(mode: Value) -> Scene {
    let service: Service = read(json!({
        "ID": "s",
        "Spec": { "Name": "shop_web", "TaskTemplate": { "ContainerSpec": { "Image": "nginx:1" } }, "Mode": mode },
        "JobStatus": { "JobIteration": { "Index": 7 } }
    }));
    let node = |id: &str| {
        Arc::new(read(json!({
            "ID": id, "Spec": { "Availability": "active" }, "Status": { "State": "ready" },
            "Description": { "Hostname": format!("host-{id}") }
        })))
    };
    let nodes = vec![node("a"), node("b"), node("c")];
    let expected = Some(service.spec.clone());
    Scene { service, nodes, tasks: vec![], stale: vec![], expected, seen: Seen::default(), now: SECOND }
}

fn replicated(replicas: u64) -> Scene {
    scene(json!({ "Replicated": { "Replicas": replicas } }))
}

fn global() -> Scene {
    scene(json!({ "Global": {} }))
}

fn task(slot: u64, state: &str) -> Value {
    let desired = if matches!(state, "failed" | "rejected" | "shutdown") { "shutdown" } else { "running" };
    json!({
        "ID": format!("t{slot}-{state}"), "Version": { "Index": 1 }, "Slot": slot, "NodeID": "a",
        "DesiredState": desired, "Status": { "State": state }, "JobIteration": { "Index": 7 }
    })
}

fn with(mut task: Value, pointer: &str, value: Value) -> Value {
    *task.pointer_mut(pointer).expect("the field is there") = value;
    task
}

impl Scene {
    /// The tasks are these now.
    fn tasks(&mut self, tasks: impl IntoIterator<Item = Value>) -> &mut Self {
        self.tasks = tasks.into_iter().map(|task| Arc::new(read(task))).collect();
        self
    }

    /// And these of an older spec.
    fn stale(&mut self, tasks: impl IntoIterator<Item = Value>) -> &mut Self {
        self.stale = tasks.into_iter().map(|task| Arc::new(read(task))).collect();
        self
    }

    fn update(&mut self, state: &str) -> &mut Self {
        self.service.update_status = Some(read(json!({ "State": state, "Message": "because" })));
        self
    }

    fn after(&mut self, time: Duration) -> Assessment {
        self.now += time;
        let all: Vec<Arc<Task>> = self.tasks.iter().chain(&self.stale).cloned().collect();
        let observation = Observation {
            service: &self.service,
            tasks: &all,
            up_to_date: &self.tasks,
            nodes: &self.nodes,
            expected: self.expected.as_ref(),
            window: window(&self.service.spec),
            timeout: TIMEOUT,
        };
        let assessment = assess(&observation, &self.seen, self.now);
        self.seen = assessment.seen.clone();
        assessment
    }

    fn look(&mut self) -> Verdict {
        self.after(SECOND).verdict
    }
}

fn waiting(verdict: Verdict) -> WaitingFor {
    match verdict {
        Verdict::Progressing { waiting_for, .. } => waiting_for,
        other => panic!("{other:?} is not progressing"),
    }
}

#[test]
fn it_has_converged_when_all_tasks_ran_for_the_window() {
    let mut scene = replicated(2);
    assert_eq!(waiting(scene.look()), WaitingFor::Tasks);
    scene.tasks([task(1, "running"), task(2, "starting")]);
    let assessment = scene.after(SECOND);
    assert_eq!((assessment.up_to_date, assessment.wanted), (1, 2));
    assert_eq!(waiting(assessment.verdict), WaitingFor::Start(1));
    scene.tasks([task(1, "running"), task(2, "running")]);
    assert_eq!(waiting(scene.look()), WaitingFor::Stability(5 * SECOND));
    assert_eq!(waiting(scene.after(4 * SECOND).verdict), WaitingFor::Stability(SECOND));
    assert_eq!(scene.look(), Verdict::Converged);
}

#[test]
fn a_task_that_dies_within_the_window_starts_it_anew() {
    let mut scene = replicated(1);
    scene.tasks([task(1, "running")]).look();
    scene.now += 4 * SECOND;
    scene.tasks([with(task(1, "running"), "/ID", json!("another")), task(1, "failed")]);
    assert_eq!(waiting(scene.look()), WaitingFor::Stability(5 * SECOND));
}

#[test]
fn the_window_is_the_policys_monitor() {
    let mut scene = replicated(1);
    scene.service.spec.update_config = Some(read(json!({ "Monitor": 30_000_000_000_i64 })));
    assert_eq!(window(&scene.service.spec), 30 * SECOND);
    assert_eq!(window(&global().service.spec), 5 * SECOND);
}

#[test]
fn no_replicas_wait_for_nothing() {
    let mut scene = replicated(0);
    scene.stale([with(task(1, "running"), "/DesiredState", json!("remove"))]);
    assert_eq!(scene.look(), Verdict::Converged);
}

#[test]
fn completed_is_not_believed_while_tasks_fail() {
    let mut scene = replicated(2);
    scene.update("completed").tasks([task(1, "running"), task(2, "failed")]);
    let Verdict::Progressing { failing: Some(failure), .. } = scene.look() else { panic!("it fails") };
    assert_eq!(failure.task, "t2-failed");
}

#[test]
fn old_tasks_and_a_running_update_are_waited_for() {
    let mut scene = replicated(2);
    scene.update("updating").tasks([task(1, "running")]).stale([task(2, "running")]);
    assert_eq!(waiting(scene.look()), WaitingFor::OldTasks(1));
    scene.tasks([task(1, "running"), task(2, "running")]).stale([task(2, "shutdown")]);
    assert_eq!(waiting(scene.look()), WaitingFor::Update);
    scene.update("completed");
    scene.now += 5 * SECOND;
    assert_eq!(scene.look(), Verdict::Converged);
}

#[test]
fn right_after_a_write_nothing_is_up_to_date_although_no_update_shows() {
    let mut scene = replicated(1);
    scene.stale([task(1, "running")]);
    assert_eq!(waiting(scene.look()), WaitingFor::OldTasks(1));
}

#[test]
fn an_update_in_place_needs_no_second_window() {
    let mut scene = replicated(1);
    scene.tasks([task(1, "running")]).look();
    assert_eq!(scene.after(5 * SECOND).verdict, Verdict::Converged);
    scene.service.spec.labels.insert("a".into(), "b".into());
    scene.expected = Some(scene.service.spec.clone());
    assert_eq!(scene.look(), Verdict::Converged);
}

#[test]
fn a_rollback_is_told_by_the_spec_and_not_by_the_state_alone() {
    let mut scene = replicated(1);
    scene.tasks([task(1, "running")]);
    let mut sent = scene.service.spec.clone();
    sent.task_template.force_update = 1;
    scene.expected = Some(sent);
    scene.update("rollback_started");
    assert_eq!(scene.look(), Verdict::RolledBack { message: "because".into(), finished: false });
    assert!(!scene.look().is_final());
    scene.update("rollback_completed");
    assert_eq!(scene.look(), Verdict::RolledBack { message: "because".into(), finished: true });
    assert!(scene.look().is_final());
    scene.expected = Some(scene.service.spec.clone());
    scene.now += 5 * SECOND;
    assert_eq!(scene.look(), Verdict::Converged, "what runs is what is wanted");
}

#[test]
fn a_spec_that_is_not_the_one_sent_was_written_by_somebody_else() {
    let mut scene = replicated(1);
    scene.service.spec.labels.insert("by".into(), "hand".into());
    assert_eq!(scene.look(), Verdict::Superseded);
}

#[test]
fn what_the_engine_fills_in_is_the_spec_that_was_sent() {
    let mut scene = replicated(0);
    let sent = scene.expected.as_mut().expect("a spec");
    sent.task_template.networks = read(json!([{ "Target": "host" }]));
    scene.service.spec.task_template.networks = read(json!([{ "Target": "k2j3h4" }]));
    scene.service.spec.task_template.runtime = "container".into();
    assert_eq!(scene.look(), Verdict::Converged);
}

#[test]
fn a_pause_is_final() {
    for state in ["paused", "rollback_paused"] {
        let verdict = replicated(1).update(state).look();
        assert_eq!(verdict, Verdict::Paused { message: "because".into() });
        assert!(verdict.is_final());
    }
}

#[test]
fn without_progress_time_runs_out_and_a_ready_task_starts_it_anew() {
    let mut scene = replicated(2);
    scene.tasks([task(1, "starting"), task(2, "starting")]);
    scene.look();
    assert!(!scene.after(TIMEOUT - SECOND).verdict.is_final());
    scene.tasks([task(1, "running"), task(2, "starting")]);
    assert!(!scene.look().is_final(), "one became ready");
    assert!(!scene.after(TIMEOUT - SECOND).verdict.is_final());
    assert_eq!(scene.look(), Verdict::Stuck { waiting_for: WaitingFor::Start(1) });
}

#[test]
fn a_crash_loop_is_no_progress() {
    let mut scene = replicated(1);
    let crashed = with(
        task(1, "failed"),
        "/Status",
        json!({
            "State": "failed", "Err": "task: non-zero exit (3)", "ContainerStatus": { "ExitCode": 3 }
        }),
    );
    let mut verdict = scene.look();
    for round in 0..301 {
        assert!(!verdict.is_final() || round == 300, "in round {round}: {verdict:?}");
        let next = with(task(1, "running"), "/ID", json!(format!("t{round}")));
        scene.tasks([next, crashed.clone()]);
        scene.look();
        scene.tasks([task(1, "ready"), crashed.clone()]);
        verdict = scene.look();
    }
    let Verdict::Degraded(failure) = verdict else { panic!("{verdict:?}") };
    assert_eq!((failure.exit_code, failure.node.as_deref()), (Some(3), Some("host-a")));
    assert_eq!(failure.to_string(), "task: non-zero exit (3) on host-a");
}

#[test]
fn what_the_policy_waits_is_no_lack_of_progress() {
    let mut scene = replicated(2);
    scene.service.spec.update_config = Some(read(json!({ "Delay": 900_000_000_000_i64 })));
    scene.expected = None;
    scene.update("updating").tasks([task(1, "running")]).stale([task(2, "running")]);
    scene.look();
    assert!(!scene.after(TIMEOUT + 890 * SECOND).verdict.is_final());
    assert!(scene.after(20 * SECOND).verdict.is_final());
}

#[test]
fn a_task_that_no_node_takes_says_why() {
    let mut scene = replicated(1);
    let reason = "no suitable node (scheduling constraints not satisfied on 3 nodes)";
    scene.tasks([with(task(1, "pending"), "/Status", json!({ "State": "pending", "Err": reason }))]);
    assert_eq!(waiting(scene.look()), WaitingFor::Placement(reason.into()));
    assert_eq!(scene.after(TIMEOUT).verdict, Verdict::Stuck { waiting_for: WaitingFor::Placement(reason.into()) });
}

#[test]
fn what_nothing_restarts_is_degraded_at_once() {
    let mut scene = replicated(1);
    scene.tasks([task(1, "rejected")]);
    assert!(!scene.look().is_final(), "its successor may be on its way");
    assert!(matches!(scene.after(5 * SECOND).verdict, Verdict::Degraded(_)));
}

#[test]
fn a_task_lost_long_after_it_converged_has_all_its_time() {
    let mut scene = replicated(1);
    scene.tasks([task(1, "running")]).look();
    assert_eq!(scene.after(10 * TIMEOUT).verdict, Verdict::Converged);
    scene.tasks([task(1, "starting")]);
    assert!(!scene.look().is_final());
    assert!(!scene.after(TIMEOUT / 2).verdict.is_final());
}

#[test]
fn a_global_service_runs_on_every_node_that_takes_tasks() {
    let on = |node: &str, state: &str| {
        with(with(task(0, state), "/NodeID", json!(node)), "/ID", json!(format!("{node}-{state}")))
    };
    let mut scene = global();
    assert_eq!(scene.after(SECOND).wanted, 3);
    scene.tasks([on("a", "running"), on("b", "running"), on("c", "starting")]);
    assert_eq!(waiting(scene.look()), WaitingFor::Start(1));
    Arc::make_mut(&mut scene.nodes[2]).status.state = "down".into();
    scene.look();
    assert_eq!(scene.after(5 * SECOND).verdict, Verdict::Converged, "a node that is gone is not waited for");

    let mut scene = global();
    Arc::make_mut(&mut scene.nodes[2]).spec.availability = "pause".into();
    scene.tasks([on("a", "running"), on("b", "running")]).stale([on("c", "running")]);
    scene.look();
    assert_eq!(scene.after(5 * SECOND).verdict, Verdict::Converged, "a paused node keeps its old task");

    let mut scene = global();
    scene.tasks([on("a", "running")]).stale([on("b", "running"), on("c", "running")]);
    let assessment = scene.after(SECOND);
    assert_eq!((assessment.up_to_date, assessment.wanted), (1, 3));
}

#[test]
fn a_global_service_without_a_node_for_it_has_converged() {
    let mut scene = global();
    scene.service.spec.task_template.placement = Some(read(json!({ "Constraints": ["node.labels.gpu == yes"] })));
    scene.expected = None;
    assert_eq!(scene.look(), Verdict::Converged);
}

#[test]
fn a_job_is_done_when_all_of_this_run_is() {
    let done = |slot| with(task(slot, "complete"), "/DesiredState", json!("complete"));
    let mut scene = scene(json!({ "ReplicatedJob": { "MaxConcurrent": 1, "TotalCompletions": 2 } }));
    let yesterday = with(done(0), "/JobIteration/Index", json!(6));
    scene.tasks([yesterday, done(0)]);
    assert_eq!(waiting(scene.look()), WaitingFor::Completion(1));
    scene.tasks([done(0), done(1)]);
    assert_eq!(scene.look(), Verdict::Converged);
}

#[test]
fn a_job_that_failed_for_good_is_degraded() {
    let mut scene = scene(json!({ "ReplicatedJob": {} }));
    scene.tasks([task(0, "failed")]).look();
    assert!(matches!(scene.after(5 * SECOND).verdict, Verdict::Degraded(_)));
}

#[test]
fn a_job_on_every_node_waits_for_every_node() {
    let mut scene = scene(json!({ "GlobalJob": {} }));
    assert_eq!(scene.after(SECOND).wanted, 3);
}

#[test]
fn a_node_whose_task_failed_for_good_is_still_wanted() {
    let on = |node: &str, state: &str| {
        with(with(task(0, state), "/NodeID", json!(node)), "/ID", json!(format!("{node}-{state}")))
    };
    let mut scene = global();
    scene.tasks([on("a", "running"), on("b", "running"), on("c", "failed")]);
    let assessment = scene.after(SECOND);
    assert_eq!((assessment.up_to_date, assessment.wanted), (2, 3));
    assert!(matches!(scene.after(5 * SECOND).verdict, Verdict::Degraded(_)));
    Arc::make_mut(&mut scene.nodes[2]).spec.availability = "drain".into();
    scene.look();
    assert_eq!(scene.after(5 * SECOND).verdict, Verdict::Converged, "until nothing should run there");
}

#[test]
fn the_worst_word_stands_for_the_stack() {
    let words = [Health::Healthy, Health::Degraded, Health::Progressing];
    assert_eq!(Health::worst(words), Health::Degraded);
    assert_eq!(Health::worst([]), Health::Healthy);
    assert_eq!(Health::of(&Verdict::Converged), Health::Healthy);
    let starting = Verdict::Progressing { waiting_for: WaitingFor::Tasks, failing: None };
    assert_eq!(Health::of(&starting), Health::Progressing);
}

#[test]
fn a_service_that_is_rolling_must_not_be_written() {
    for (state, rolling) in [("updating", true), ("rollback_started", true), ("completed", false), ("paused", false)] {
        let mut scene = replicated(1);
        assert_eq!(is_rolling(&scene.update(state).service), rolling, "{state}");
    }
}
