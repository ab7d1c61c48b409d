//! What registries say.

use super::*;

fn told(answer: Answer, nodes: &[Value]) -> Ground {
    let mut ground = Ground::new(nodes);
    ground.images.insert("nginx:1".into(), answer);
    ground
}

fn found(platforms: &[(&str, &str)]) -> Answer {
    Answer::Found { platforms: platforms.iter().map(|(os, arch)| ((*os).into(), (*arch).into())).collect() }
}

fn arm() -> Value {
    json!({ "/Description/Platform/Architecture": "aarch64" })
}

#[test]
fn an_image_that_is_not_there() {
    let (code, message) = told(Answer::Missing, &[json!({})]).said(&web(|_| {}));
    assert_eq!(code, "feasibility/image-missing");
    assert_eq!(
        message,
        "web: registry docker.io has no image nginx:1: only a node that holds it already could start a task"
    );
    let (code, message) = told(Answer::Denied, &[json!({})]).said(&web(|_| {}));
    assert_eq!(code, "feasibility/image-missing");
    assert!(message.ends_with("it is private, or there is none"), "{message}");
    told(found(&[("linux", "amd64")]), &[json!({})]).fits(&web(|_| {}));
}

#[test]
fn an_image_for_other_nodes() {
    let attested = found(&[("linux", "arm64"), ("unknown", "unknown")]);
    let (code, message) = told(attested.clone(), &[json!({}), json!({})]).said(&web(|_| {}));
    assert_eq!(code, "feasibility/image-platform");
    assert_eq!(
        message,
        "web: image nginx:1 is made for linux/arm64, and no node that may get a task is such a one (est.): n1, n2 (linux/amd64)"
    );
    let mixed = told(attested.clone(), &[json!({}), arm()]);
    let (_, message) = mixed.said(&web(|_| {}));
    assert!(message.contains("may come to a node that cannot run it (est.): n1 (linux/amd64)"), "{message}");
    mixed.fits(&web(|web| {
        web.constraint("node.platform.arch==aarch64");
    }));
    told(attested, &[arm()]).fits(&web(|_| {}));
    told(found(&[("linux", "arm64"), ("linux", "amd64")]), &[json!({}), arm()]).fits(&web(|_| {}));
    told(found(&[]), &[arm()]).fits(&web(|_| {}));
}

#[test]
fn a_registry_that_does_not_answer_is_noted_once() {
    let mut desired = web(|_| {});
    service(&mut desired, "more", "nginx:1");
    service(&mut desired, "other", "nginx:2");
    let mut ground = told(Answer::Unknown { why: "no answer in time".into() }, &[json!({})]);
    ground.images.insert("nginx:2".into(), Answer::Unknown { why: "no answer in time".into() });
    let [note] = &ground.judged(&desired)[..] else { panic!("{:?}", ground.judged(&desired)) };
    assert_eq!((note.severity, note.code), (Severity::Note, "feasibility/not-checked"));
    assert_eq!(note.message, "not checked: whether registry docker.io has nginx:1, nginx:2 (no answer in time)");
}
