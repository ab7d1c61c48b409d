//! The proxies, as services of a stack: Debian's haproxy and nginx, which ask for the name `tasks.app_web` every second, and one of
//! our own that reads the list of tasks every 15 s. Each with a retry and without.

use std::fmt::Write as _;
use std::path::Path;

use super::app;

/// The network that proxies and application share, which no stack owns.
pub const NETWORK: &str = "edge";

/// The service that is asked.
pub const SERVICE: &str = "app_web";

/// A proxy: its name, its port on the first node, and whether it repeats what failed.
pub struct Kind {
    pub name: &'static str,
    pub port: u16,
    what: What,
    retry: bool,
}

enum What {
    Haproxy,
    Nginx,
    Poller,
}

/// All of them. `-once` repeats nothing, which is what a POST gets.
pub const ALL: [Kind; 6] = [
    Kind { name: "haproxy", port: 8101, what: What::Haproxy, retry: true },
    Kind { name: "haproxy-once", port: 8102, what: What::Haproxy, retry: false },
    Kind { name: "nginx", port: 8103, what: What::Nginx, retry: true },
    Kind { name: "nginx-once", port: 8104, what: What::Nginx, retry: false },
    Kind { name: "poller", port: 8105, what: What::Poller, retry: true },
    Kind { name: "poller-once", port: 8106, what: What::Poller, retry: false },
];

/// Those that ask for the name every second.
pub const QUICK: &[&str] = &["haproxy", "haproxy-once", "nginx", "nginx-once"];

/// Those that read the list of tasks every 15 s.
pub const LATE: &[&str] = &["poller", "poller-once"];

/// Writes the stack of all proxies, which run on the first node; gives its file.
pub fn write(directory: &Path) -> std::path::PathBuf {
    let mut text = String::from("version: \"3.8\"\nservices:\n");
    let mut configs = String::from("configs:\n");
    for kind in &ALL {
        let name = kind.name;
        let _ = write!(text, "  {name}:\n    networks: [{NETWORK}]\n    user: \"0:0\"\n");
        let _ = writeln!(text, "    ports:\n      - {{ target: {0}, published: {0}, mode: host }}", kind.port);
        let _ = writeln!(text, "    deploy: {{ placement: {{ constraints: [node.hostname == n1] }} }}");
        if matches!(kind.what, What::Poller) {
            let tries = if kind.retry { 3 } else { 1 };
            let _ = write!(
                text,
                "    image: bench-app:1\n    command: [bench-app, poller]\n    volumes: [/var/run/docker.sock:/var/run/docker.sock]\n    \
                 environment: {{ LISTEN: \"{}\", TRIES: \"{tries}\", SERVICE: {SERVICE}, NETWORK: {NETWORK} }}\n",
                kind.port
            );
            continue;
        }
        let (image, config) = match kind.what {
            What::Haproxy => ("bench-haproxy:1", haproxy(kind)),
            _ => ("bench-nginx:1", nginx(kind)),
        };
        std::fs::write(directory.join(format!("{name}.conf")), config).expect("a file");
        let _ = write!(text, "    image: {image}\n    configs: [ {{ source: {name}, target: /proxy.conf }} ]\n");
        let _ = writeln!(configs, "  {name}: {{ file: ./{name}.conf }}");
    }
    let _ = write!(text, "{configs}networks:\n  {NETWORK}: {{ external: true }}\n");
    let file = directory.join("proxies.yaml");
    std::fs::write(&file, text).expect("a file");
    file
}

/// haproxy keeps a list of servers and asks for the name on the side.
fn haproxy(kind: &Kind) -> String {
    let retry = match kind.retry {
        true => "  retries 3\n  option redispatch 1\n  retry-on all-retryable-errors\n",
        false => "  retries 0\n",
    };
    format!(
        "global\n  maxconn 4000\n\
         defaults\n  mode http\n  timeout connect 500ms\n  timeout client 60s\n  timeout server 10s\n  timeout http-keep-alive 60s\n{retry}\
         resolvers engine\n  nameserver dns 127.0.0.11:53\n  accepted_payload_size 8192\n  resolve_retries 3\n  timeout resolve 1s\n  \
         timeout retry 1s\n  hold valid 1s\n  hold obsolete 0s\n  hold nx 0s\n  hold other 30s\n  hold refused 30s\n  hold timeout 30s\n\
         frontend in\n  bind :{}\n  default_backend web\n\
         backend web\n  balance roundrobin\n  server-template web 8 tasks.{SERVICE}:{} resolvers engine init-addr none\n",
        kind.port,
        app::PORT,
    )
}

/// nginx asks for the name when a request comes and what it knows is a second old: only a name in a variable is asked for again.
fn nginx(kind: &Kind) -> String {
    let retry = match kind.retry {
        true => "proxy_next_upstream error timeout http_502 http_503 non_idempotent;\n    proxy_next_upstream_tries 3;",
        false => "proxy_next_upstream off;",
    };
    format!(
        "user root;\nworker_processes 1;\ndaemon off;\npid /tmp/nginx.pid;\nerror_log /dev/null crit;\n\
         events {{ worker_connections 4000; }}\n\
         http {{\n  access_log off;\n  keepalive_timeout 60s;\n  keepalive_requests 1000000;\n  client_body_temp_path /tmp/a;\n  \
         proxy_temp_path /tmp/b;\n  fastcgi_temp_path /tmp/c;\n  uwsgi_temp_path /tmp/d;\n  scgi_temp_path /tmp/e;\n  \
         resolver 127.0.0.11 valid=1s ipv6=off;\n  resolver_timeout 2s;\n  server {{\n    listen {};\n    \
         proxy_connect_timeout 500ms;\n    proxy_read_timeout 10s;\n    {retry}\n    set $web tasks.{SERVICE};\n    \
         location / {{ proxy_pass http://$web:{}; }}\n  }}\n}}\n",
        kind.port,
        app::PORT,
    )
}
