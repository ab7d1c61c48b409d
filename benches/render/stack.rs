//! One large stack file, the same on every run: services of several kinds, with what people write into them. `docker stack
//! config` takes it as skep does.

use std::fmt::Write as _;
use std::path::Path;

/// How many lines the file has for each service.
pub const LINES: usize = 40;

/// Writes the file and what it refers to into a directory, and gives its text.
pub fn write(directory: &Path, services: usize) -> String {
    let text = compose(services);
    std::fs::write(directory.join("stack.yaml"), &text).expect("a stack file");
    for number in 0..CONFIGS {
        let lines: String = (0..50).map(|line| format!("setting.{number}.{line} = a value of some length\n")).collect();
        std::fs::write(directory.join(format!("config-{number}.conf")), lines).expect("a config");
    }
    std::fs::write(directory.join("common.env"), "# shared by all\nREGION=eu-central\nTRACE_RATIO=0.1\n")
        .expect("a file");
    text
}

/// The variables the file refers to, and gives no default.
pub const VARIABLES: &[(&str, &str)] = &[("REGISTRY", "registry.example.org/team"), ("DOMAIN", "example.org")];

const CONFIGS: usize = 10;
const NETWORKS: usize = 8;

fn compose(services: usize) -> String {
    let mut text = String::from(HEAD);
    for number in 0..services {
        match number % 4 {
            0 => web(&mut text, number),
            1 => worker(&mut text, number),
            2 => store(&mut text, number),
            _ => agent(&mut text, number),
        }
    }
    text.push_str("networks:\n  public:\n    driver: overlay\n    attachable: true\n");
    for number in 0..NETWORKS {
        let _ = writeln!(text, "  net-{number}:\n    driver_opts:\n      encrypted: \"true\"");
    }
    text.push_str("configs:\n");
    for number in 0..CONFIGS {
        let _ = writeln!(text, "  config-{number}:\n    file: ./config-{number}.conf");
    }
    text.push_str("volumes:\n  shared: {}\n");
    for number in (2..services).step_by(4) {
        let _ = writeln!(text, "  data-{number}:\n    labels: {{backup: daily}}");
    }
    text
}

/// What services share, as people share it.
const HEAD: &str = r#"# what services share
version: "3.13"
x-logging: &logging
  driver: json-file
  options:
    max-size: 10m
    max-file: "3"
x-healthcheck: &healthcheck
  interval: 10s
  timeout: 3s
  retries: 5
  start_period: 1m30s
x-update: &update
  order: start-first
  failure_action: rollback
  parallelism: 1
  monitor: 10s
services:
"#;

fn web(text: &mut String, number: usize) {
    let (network, config, port) = (number % NETWORKS, number % CONFIGS, 10_000 + number);
    let _ = write!(
        text,
        r#"  web-{number}:
    image: ${{REGISTRY}}/web-{number}:${{WEB_TAG:-1.{number}.0}}
    command: ["serve", "--listen", "0.0.0.0:8080", "--name=web-{number}"]
    env_file: common.env
    environment:
      LOG_LEVEL: ${{LOG_LEVEL:-info}}
      DATABASE_URL: postgres://store-{number}:5432/web?sslmode=disable
      WORKERS: 4
      PUBLIC_URL: https://web-{number}.${{DOMAIN}}
      # the next one is empty on purpose
      FEATURES: ""
    networks: [public, net-{network}]
    ports:
      - "{port}:8080"
      - target: 9090
        protocol: tcp
        mode: host
    configs:
      - source: config-{config}
        target: /etc/web/settings.conf
        mode: 0440
    healthcheck:
      <<: *healthcheck
      test: ["CMD", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/"]
    logging: *logging
    deploy:
      replicas: {replicas}
      update_config: *update
      labels:
        traefik.enable: "true"
        traefik.http.routers.web-{number}.rule: Host(`web-{number}.${{DOMAIN}}`)
        traefik.http.services.web-{number}.loadbalancer.server.port: "8080"
      resources:
        limits: {{cpus: "0.50", memory: 256M}}
        reservations: {{memory: 64M}}
      placement:
        constraints: [node.role == worker]
    labels:
      com.example.team: "team-{network}"
      com.example.number: {number}
"#,
        replicas = number % 5,
    );
}

fn worker(text: &mut String, number: usize) {
    let (network, config) = (number % NETWORKS, number % CONFIGS);
    let _ = write!(
        text,
        r#"  worker-{number}:
    image: "${{REGISTRY}}/worker:2.{number}"
    entrypoint: /bin/worker --queue jobs-{number}
    environment:
      - QUEUE_URL=redis://store-{number}:6379/0
      - CONCURRENCY=8
      - LOG_LEVEL=${{LOG_LEVEL:-info}}
      - TZ=Europe/Berlin
      - GREETING=price is $$5
    networks:
      net-{network}:
        aliases:
          - worker-{number}.internal
          - jobs
    volumes:
      - shared:/var/lib/shared
      - type: tmpfs
        target: /tmp
        tmpfs:
          size: 67108864
    configs: [config-{config}]
    user: "1000:1000"
    working_dir: /srv
    stop_grace_period: 1m
    stop_signal: SIGINT
    init: true
    read_only: true
    cap_drop: [ALL]
    cap_add:
      - NET_BIND_SERVICE
    logging: *logging
    deploy:
      mode: replicated
      replicas: 2
      restart_policy:
        condition: on-failure
        delay: 5s
        max_attempts: 3
        window: 2m
      update_config: {{<<: *update, parallelism: 2}}
"#
    );
}

fn store(text: &mut String, number: usize) {
    let network = number % NETWORKS;
    let _ = write!(
        text,
        r#"  store-{number}:
    image: postgres:16.{minor}@sha256:{number:064x}
    hostname: store-{number}
    environment:
      POSTGRES_DB: store
      POSTGRES_USER: app
      POSTGRES_INITDB_ARGS: "--data-checksums --encoding=UTF8"
      PGDATA: /var/lib/postgresql/data/pgdata
    networks:
      net-{network}:
    volumes:
      - data-{number}:/var/lib/postgresql/data
      - type: volume
        source: shared
        target: /shared
        read_only: true
        volume: {{nocopy: true}}
    healthcheck:
      <<: *healthcheck
      test: pg_isready --quiet --username app
    sysctls:
      net.core.somaxconn: 1024
    ulimits:
      nofile: {{soft: 65536, hard: 65536}}
      nproc: 4096
    stop_grace_period: 2m
    logging:
      driver: json-file
      options: {{max-size: 50m}}
    deploy:
      replicas: 1
      endpoint_mode: dnsrr
      placement:
        max_replicas_per_node: 1
        constraints:
          - node.labels.zone == zone-{zone}
          - node.role == worker
      resources:
        limits:
          memory: 1.5G
        reservations: {{cpus: "0.25", memory: 512M}}
"#,
        minor = number % 4,
        zone = number % 3,
    );
}

fn agent(text: &mut String, number: usize) {
    let network = number % NETWORKS;
    let _ = write!(
        text,
        r#"  agent-{number}:
    image: ${{REGISTRY}}/agent:${{AGENT_TAG-3.1}}
    command: >
      --collect=all --interval=15s
      --label=agent-{number}
    environment:
      NODE_NAME: '{{{{.Node.Hostname}}}}'
      TASK: '{{{{.Task.Name}}}}'
      SCRIPT: |
        set -e
        echo "agent {number}"
    networks: [net-{network}]
    volumes:
      - /var/run/docker.sock:/var/run/docker.sock:ro
      - /proc:/host/proc:ro
      - type: bind
        source: /sys
        target: /host/sys
        read_only: true
        bind: {{propagation: rslave}}
    extra_hosts:
      - "collector.${{DOMAIN}}:198.51.100.{host}"
    dns: [198.51.100.53, 203.0.113.53]
    dns_search: ${{DOMAIN}}
    logging: *logging
    deploy:
      mode: global
      labels: [com.example.kind=agent, "com.example.number={number}"]
      update_config:
        parallelism: 10
        delay: 5s
        failure_action: continue
        max_failure_ratio: 0.2
      restart_policy:
        condition: any
      resources:
        limits: {{memory: 64M, pids: 100}}
"#,
        host = number % 250 + 1,
    );
}
