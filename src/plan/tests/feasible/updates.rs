//! Tasks that replace others: those hold their places until they stop.

use super::*;

/// One change that replaces every task.
fn changed(mut desired: Desired) -> Desired {
    desired.services.get_mut("shop_web").expect("web").env("NEW=1");
    desired
}

fn replaced(order: &str, nodes: &[&str], of: usize, edit: impl Fn(&mut crate::desired::Service)) -> (Ground, Desired) {
    let desired = web(|web| {
        web.replicas(nodes.len() as u64).order(order);
        edit(web);
    });
    let ground = Ground::of(of).running(&desired, "shop_web", nodes);
    (ground, changed(desired))
}

#[test]
fn the_old_task_stops_first_and_makes_room() {
    let (ground, desired) = replaced("stop-first", &["n1", "n2"], 2, |web| host_port(web, 80));
    ground.fits(&desired);
    let (ground, desired) = replaced("stop-first", &["n1"], 1, |web| reserves(web, 0.0, 800));
    ground.fits(&desired);
}

#[test]
fn a_new_task_finds_no_room_beside_the_old_one() {
    let (ground, desired) = replaced("start-first", &["n1", "n2"], 2, |web| host_port(web, 80));
    let (code, message) = ground.said(&desired);
    assert_eq!(code, "feasibility/start-first");
    assert_eq!(
        message,
        "web: no new task would find room beside the old ones, so the update would wait for ever (est.); \
         n1, n2: port 80/tcp is taken"
    );
    let (ground, desired) = replaced("start-first", &["n1"], 1, |web| reserves(web, 0.0, 800));
    let (code, message) = ground.said(&desired);
    assert_eq!(code, "feasibility/start-first");
    assert!(message.ends_with("n1: 224 MiB of memory are left of the 800 MiB a task reserves"), "{message}");
    let (ground, desired) = replaced("start-first", &["n1", "n2"], 2, |web| {
        web.spec.task_template.placement.get_or_insert_default().max_replicas = 1;
    });
    let (code, message) = ground.said(&desired);
    assert_eq!(code, "feasibility/start-first");
    assert!(message.ends_with("n1, n2: max_replicas_per_node (1) is reached"), "{message}");
}

#[test]
fn room_for_one_more_is_enough_for_all_of_them() {
    for edit in [
        (|web| host_port(web, 80)) as fn(&mut crate::desired::Service),
        |web| reserves(web, 0.0, 800),
        |web| web.spec.task_template.placement.get_or_insert_default().max_replicas = 1,
    ] {
        let (ground, mut desired) = replaced("start-first", &["n1", "n2"], 3, edit);
        let policy = desired.services.get_mut("shop_web").expect("web").spec.update_config.as_mut();
        policy.expect("a policy").parallelism = 0;
        ground.fits(&desired);
    }
}

#[test]
fn a_global_service_too_needs_room_on_each_node() {
    let desired = |order: &str| {
        web(|web| {
            global(web);
            reserves(web, 1.5, 0);
            web.order(order);
        })
    };
    let first = desired("stop-first");
    let ground = Ground::of(2).running(&first, "shop_web", &["n1", "n2"]);
    ground.fits(&changed(first));
    let (code, _) = ground.said(&changed(desired("start-first")));
    assert_eq!(code, "feasibility/start-first");
}

#[test]
fn what_grows_needs_room_for_what_is_new() {
    let of = |replicas| {
        web(|web| {
            web.replicas(replicas);
            reserves(web, 1.0, 0);
        })
    };
    let ground = Ground::of(2).running(&of(2), "shop_web", &["n1", "n2"]);
    ground.fits(&of(4));
    let (_, message) = ground.said(&of(5));
    assert!(message.starts_with("web: 4 of 5 tasks would find a node"), "{message}");
    let more = web(|web| {
        web.replicas(2);
        reserves(web, 2.5, 0);
    });
    let (code, message) = ground.said(&more);
    assert_eq!(code, "feasibility/resources");
    assert!(message.starts_with("web: 0 of 2 tasks would find a node"), "{message}");
}

#[test]
fn fewer_make_room_at_once() {
    let of = |replicas, cpus| {
        web(|web| {
            web.replicas(replicas).order("start-first");
            reserves(web, cpus, 0);
        })
    };
    let ground = Ground::of(1).running(&of(2, 1.0), "shop_web", &["n1", "n1"]);
    ground.fits(&of(1, 0.5));
    let (code, _) = ground.said(&of(1, 1.5));
    assert_eq!(code, "feasibility/start-first");
}

#[test]
fn only_what_is_misplaced_moves() {
    let at = |constraint: &str| {
        web(|web| {
            web.replicas(2).constraint(constraint);
            reserves(web, 1.5, 0);
        })
    };
    let ground = Ground::of(3).running(&at("node.hostname!=n3"), "shop_web", &["n1", "n2"]);
    ground.fits(&at("node.hostname!=n1"));
    let (_, message) = ground.said(&at("node.hostname==n1"));
    assert!(message.starts_with("web: 1 of 2 tasks would find a node"), "{message}");
}

#[test]
fn a_change_that_starts_nothing_says_nothing_of_what_waits_already() {
    let desired = web(|web| {
        web.constraint("node.labels.disk==ssd").replicas(2);
    });
    let ground = Ground::of(1).running(&desired, "shop_web", &[]);
    let mut labelled = desired;
    labelled.services.get_mut("shop_web").expect("web").label("a", "b");
    ground.fits(&labelled);
}
