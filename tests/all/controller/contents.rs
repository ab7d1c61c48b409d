//! Configs and secrets, which Swarm never changes, change by name.

use super::repository::service;
use super::scene::Scene;

#[test]
fn changed_contents_get_new_names_and_the_old_ones_go() {
    let scene = Scene::new();
    let repository = &scene.repository;
    let uses = "    configs: [ site ]\n    secrets: [ key ]\n";
    let objects = "configs: { site: { file: ./site.conf } }\nsecrets: { key: { file: ./key.txt } }\n";
    repository.declare(&["shop"], "");
    repository.write("shop.yaml", &format!("services:\n{}{objects}", service("web", "one", uses)));
    let commit = |text: &str| {
        repository.write("site.conf", &format!("site {text}\n"));
        repository.write("key.txt", &format!("key {text}\n"));
        repository.commit()
    };
    let first = commit("one");
    let skep = scene.run();
    scene.synced("shop", &first);
    assert_eq!((scene.names("/configs"), scene.names("/secrets")), (vec!["shop_site".into()], vec!["shop_key".into()]));

    let second = commit("two");
    scene.synced("shop", &second);
    let (configs, secrets) = (scene.names("/configs"), scene.names("/secrets"));
    assert_eq!((configs.len(), secrets.len()), (2, 2), "the first ones are kept for a rollback: {configs:?}");
    assert!(configs[1].starts_with("shop_site-") && secrets[1].starts_with("shop_key-"), "{configs:?} {secrets:?}");
    assert_eq!(used(&scene), (configs[1].clone(), secrets[1].clone()));

    let third = commit("three");
    scene.synced("shop", &third);
    let used_now = used(&scene);
    assert!(used_now.0 != configs[1] && used_now.1 != secrets[1]);
    let expected = |current: &str, previous: &str| {
        let mut names = vec![current.to_owned(), previous.to_owned()];
        names.sort();
        names
    };
    assert_eq!(scene.names("/configs"), expected(&used_now.0, &configs[1]), "nothing can roll back to the first");
    assert_eq!(scene.names("/secrets"), expected(&used_now.1, &secrets[1]));

    // Back to an earlier content: the object that has it is used again.
    let fourth = commit("two");
    scene.synced("shop", &fourth);
    assert_eq!(used(&scene), (configs[1].clone(), secrets[1].clone()));

    // A new process does not know the secret's content, and writes nothing all the same.
    skep.terminate(super::scene::SOON).expect(0);
    scene.proxy.forget();
    let _skep = scene.run();
    scene.resyncs(3);
    assert!(scene.writes().is_empty(), "{:#?}", scene.writes());
    for text in ["key one", "key two", "key three"] {
        let requests = scene.proxy.requests();
        let leaked =
            requests.iter().filter(|it| it.path.starts_with("/configs")).any(|it| it.body.to_string().contains(text));
        assert!(!leaked);
    }
}

/// The config and the secret that the service uses.
fn used(scene: &Scene) -> (String, String) {
    let service = scene.lab.service("shop_web").expect("a service");
    let container = &service["Spec"]["TaskTemplate"]["ContainerSpec"];
    let name = |list: &str, key: &str| container[list][0][key].as_str().expect("a name").to_owned();
    (name("Configs", "ConfigName"), name("Secrets", "SecretName"))
}
