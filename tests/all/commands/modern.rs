//! What only the Compose Specification knows, on an engine: it is stored as the file says, and reads back as no difference.

use serde_json::{Value, json};

use super::{Scene, lab, web};

const STACK: &str = "
include: [more.yml]
services:
  web:
    extends: { file: base.yml, service: base }
    image: cli-app:1
    networks: [n, plain]
    configs: [page]
    depends_on: { once: { condition: service_completed_successfully } }
    healthcheck: { interval: 1d }
    scale: 0
    cpus: 0.25
  tool: { image: cli-app:1, profiles: [tools] }
configs:
  page: { content: 'hello ${WHO:-${NOBODY:-you}}' }
  account: { content: '{}' }
secrets:
  key: { environment: WHO }
networks:
  n:
    enable_ipv6: true
    ipam: { config: [{ subnet: 10.231.0.0/16, ip_range: 10.231.1.0/24, gateway: 10.231.0.9 }, { subnet: 'fd00:231::/64' }] }
  plain: { ipam: { options: { a: b } } }
";
const BASE: &str = "
services:
  base:
    dns_opt: [ndots:2]
    group_add: [mail, 1000]
    env_file: [{ path: base.env }, { path: gone.env, required: false }]
    label_file: base.labels
    ports: [{ target: 80, published: '0', mode: host }]
";
const MORE: &str = "
services:
  account: { image: cli-app:1, credential_spec: { config: account }, deploy: { replicas: 0 } }
  once: { image: cli-app:1, deploy: { mode: replicated-job, replicas: 0 } }
";

#[test]
fn it_is_stored_and_reads_back_the_same() {
    let scene = Scene::new("modern");
    scene.write("stack.yaml", STACK);
    scene.write("base.yml", BASE);
    scene.write("base.env", "GREETING=\"to ${WHO}\"\n");
    scene.write("base.labels", "a=b\n");
    scene.write("more.yml", MORE);
    let skep = scene.skep.clone().env("WHO", "world");
    let run = |words: &str| {
        let words: Vec<String> = words.split(' ').map(|word| word.replace("STACK", &scene.stack)).collect();
        skep.run(&words)
    };
    run("apply -c stack.yaml STACK --yes").expect(0);
    let planned = run("plan -c stack.yaml STACK --detailed-exitcode").expect(0);
    assert!(planned.stdout.contains("nothing to do"), "{}", planned.stdout);

    let spec = |name: &str| lab().service(&scene.full(name)).expect("it runs")["Spec"]["TaskTemplate"].clone();
    let task = spec("web");
    let container = &task["ContainerSpec"];
    assert_eq!(container["DNSConfig"], json!({ "Options": ["ndots:2"] }));
    assert_eq!(container["Groups"], json!(["mail", "1000"]));
    assert_eq!(container["Env"], json!(["GREETING=to world"]));
    assert_eq!(container["Labels"]["a"], "b");
    assert_eq!(container["Healthcheck"]["Interval"], json!(86_400_000_000_000_u64));
    assert_eq!(task["Resources"]["Limits"]["NanoCPUs"], 250_000_000);
    assert!(lab().service(&scene.full("tool")).is_none(), "nobody asked for its profile");

    let account = spec("account");
    let reference = &account["ContainerSpec"]["Configs"][0];
    assert_eq!((&reference["ConfigName"], &reference["Runtime"]), (&scene.full("account").into(), &json!({})));
    assert_eq!(account["ContainerSpec"]["Privileges"]["CredentialSpec"]["Config"], reference["ConfigID"]);

    let network: Value =
        serde_json::from_str(&lab().docker(1, &["network", "inspect", &scene.full("n")])).expect("it is JSON");
    assert_eq!(network[0]["EnableIPv6"], true);
    let pools = &network[0]["IPAM"]["Config"];
    assert_eq!(pools[0], json!({ "Subnet": "10.231.0.0/16", "IPRange": "10.231.1.0/24", "Gateway": "10.231.0.9" }));
    assert_eq!(pools[1]["Subnet"], "fd00:231::/64");

    // A changed credential spec is a new config, and the service that names it by id follows.
    scene.write("stack.yaml", &STACK.replace("'{}'", "'{ }'"));
    run("apply -c stack.yaml STACK --yes").expect(0);
    let changed = spec("account");
    let reference = &changed["ContainerSpec"]["Configs"][0];
    assert_ne!(reference["ConfigID"], account["ContainerSpec"]["Configs"][0]["ConfigID"]);
    assert_eq!(changed["ContainerSpec"]["Privileges"]["CredentialSpec"]["Config"], reference["ConfigID"]);
    assert!(run("plan -c stack.yaml STACK --detailed-exitcode").expect(0).stdout.contains("nothing to do"));
}

#[test]
fn what_the_engine_is_too_old_for_is_said_and_not_planned_for_ever() {
    let scene = Scene::new("start-interval");
    let check = "    healthcheck: { test: [CMD, 'true'], start_period: 9s, start_interval: 2s }\n";
    scene.write("stack.yaml", &(web("cli-app:1", 0) + check));
    scene.run("apply -c stack.yaml STACK --yes").expect(0);
    let planned = scene.run("plan -c stack.yaml STACK --detailed-exitcode").expect(0);
    let stored = lab().service(&scene.full("web")).expect("it runs");
    let stored = &stored["Spec"]["TaskTemplate"]["ContainerSpec"]["Healthcheck"];
    // Engines before 25.0 (API 1.44) forget it.
    let is_old = stored.get("StartInterval").is_none();
    assert_eq!(planned.stdout.contains("plan/unstored"), is_old, "{}\n{stored}", planned.stdout);
}
