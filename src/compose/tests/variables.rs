//! Interpolation, casts and the variables of services.

use super::{Stack, web};

#[test]
fn variables_replace_references_in_values_and_not_in_keys() {
    let text = web("user: ${USER_ID}\nlabels: {'${KEY}': $$x, a: '${USER_ID:+set}'}");
    let service = Stack::repository(&[("a.yaml", &text)]).with("USER_ID", "1000").web();
    assert_eq!(service.user.as_deref(), Some("1000"), "what a variable brings is text");
    assert_eq!(service.labels["${KEY}"], "$x");
    assert_eq!(service.labels["a"], "set");
}

#[test]
fn what_a_variable_brings_is_cast_to_what_the_key_wants() {
    let text = web("tty: ${YES}\ninit: ${YES}\nports: [{target: '${PORT}'}, '${PORT}0:80']\n\
         deploy: {replicas: '${THREE}', update_config: {max_failure_ratio: '${RATIO}'}}\n\
         healthcheck: {retries: '3', disable: 'no'}\nulimits: {nofile: '${PORT}'}");
    let stack = Stack::repository(&[("a.yaml", &text)])
        .with("YES", "Yes")
        .with("PORT", "808")
        .with("THREE", "3")
        .with("RATIO", "0.25");
    let service = stack.web();
    assert!(service.tty);
    assert_eq!(service.init, Some(true));
    assert_eq!(service.ports.iter().map(|port| port.value.target).collect::<Vec<_>>(), [808, 80]);
    assert_eq!(service.deploy.replicas.map(|replicas| replicas.value), Some(3));
    assert_eq!(service.deploy.update_config.map(|config| config.value.max_failure_ratio), Some(0.25));
    assert_eq!(service.healthcheck.and_then(|check| check.value.retries), Some(3), "as the Compose Specification");
    let text = web("tty: ${ONE}\ndeploy: {replicas: '${HEX}'}");
    let faults = Stack::repository(&[("a.yaml", &text)]).with("ONE", "1").with("HEX", "0x10").faults();
    insta::assert_snapshot!(faults, @r"
    a.yaml:4:10: error: `services.web.tty` must be true or false, not text [schema/wrong-type]
    a.yaml:5:24: error: `services.web.deploy.replicas` must be a whole number, not text [schema/wrong-type]
    ");
}

#[test]
fn a_mode_from_a_variable_is_decimal_and_says_so() {
    let text = web("configs: [{source: c, mode: '${MODE}'}]") + "configs: {c: {external: true}}";
    let stack = Stack::repository(&[("a.yaml", &text)]).with("MODE", "0440");
    assert_eq!(stack.web().configs[0].value.mode, Some(440));
    insta::assert_snapshot!(stack.faults(), @r"
    a.yaml:4:33: warning: `services.web.configs[0].mode`: Docker reads a mode from a variable as decimal digits [schema/invalid-value]
      help: write the mode into the file
    ");
}

#[test]
fn every_undefined_variable_is_an_error_in_a_repository() {
    let text = web("user: ${A}\nlabels: {x: '$B ${C:-c} ${D?say it}'}");
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", &text)]).faults(), @r"
    a.yaml:4:11: error: the variable `A` is not defined [compose/undefined-variable]
      help: define it under `variables` in skep.yaml, in an env file or in `.env`, or give a default: `${A:-…}`
    a.yaml:5:18: error: the variable `B` is not defined [compose/undefined-variable]
      help: define it under `variables` in skep.yaml, in an env file or in `.env`, or give a default: `${B:-…}`
    a.yaml:5:29: error: the required variable `D` has no value: say it [compose/undefined-variable]
    ");
    insta::assert_snapshot!(Stack::repository(&[("a.yaml", &text)]).loose().faults(), @r"
    a.yaml:4:11: warning: the variable `A` is not defined, so nothing stands in its place [compose/undefined-variable]
    a.yaml:5:18: warning: the variable `B` is not defined, so nothing stands in its place [compose/undefined-variable]
    a.yaml:5:29: error: the required variable `D` has no value: say it [compose/undefined-variable]
    ");
}

#[test]
fn an_undefined_variable_is_empty_in_direct_mode() {
    let stack = Stack::direct(&[("a.yaml", &web("labels: {x: 'a${A}'}"))]);
    assert_eq!(stack.web().labels["x"], "a");
    insta::assert_snapshot!(stack.faults(), @r"
    /srv/a.yaml:4:19: warning: the variable `A` is not defined, so nothing stands in its place [compose/undefined-variable]
    ");
}

#[test]
fn references_that_docker_reads_otherwise_are_pointed_out() {
    let text =
        web("labels:\n  a: $FOO-bar\n  b: ${NOPE:-${FOO}}\n  c: ${FOO:?must-be-set}\n  d: ${FOO-b:-c}\n  e: ${FOO:+x}");
    let stack = Stack::repository(&[("a.yaml", &text)]).with("FOO", "foo");
    let labels = stack.web().labels;
    assert_eq!(labels.values().collect::<Vec<_>>(), ["foo-bar", "foo", "foo", "foo", "x"]);
    insta::assert_snapshot!(stack.faults(), @r"
    a.yaml:5:10: warning: `docker stack deploy` reads this reference otherwise than the Compose Specification, which counts here [compose/interpolation-differs]
      help: write `${NAME}` with braces, and no `-`, `?` or `${` in its default, where both must agree
    a.yaml:6:10: warning: `docker stack deploy` reads this reference otherwise than the Compose Specification, which counts here [compose/interpolation-differs]
      help: write `${NAME}` with braces, and no `-`, `?` or `${` in its default, where both must agree
    a.yaml:7:10: warning: `docker stack deploy` reads this reference otherwise than the Compose Specification, which counts here [compose/interpolation-differs]
      help: write `${NAME}` with braces, and no `-`, `?` or `${` in its default, where both must agree
    a.yaml:8:10: warning: `docker stack deploy` reads this reference otherwise than the Compose Specification, which counts here [compose/interpolation-differs]
      help: write `${NAME}` with braces, and no `-`, `?` or `${` in its default, where both must agree
    ");
}

#[test]
fn a_stray_dollar_is_an_error_unless_docker_accepts_the_file() {
    let text = web("labels:\n  a: cost $5\n  b: |\n    test $? -eq 2\n    echo $FOO\n");
    let stack = Stack::repository(&[("a.yaml", &text)]).with("FOO", "foo");
    insta::assert_snapshot!(stack.faults(), @r"
    a.yaml:5:15: error: `$5` begins no reference to a variable [compose/interpolation]
      help: write `$$` for a dollar sign
    a.yaml:7:14: warning: `$?` begins no reference to a variable; it is left out, as in `docker stack deploy` [compose/interpolation]
      help: write `$$` for a dollar sign
    ");
}

#[test]
fn the_dotenv_file_counts_in_a_repository_where_nothing_else_does() {
    let files = [("shop/a.yaml", web("labels: {a: '$A', b: '$B'}")), ("shop/.env", "A=1\nB=\"${A}2\"\n".to_owned())];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let labels = Stack::repository(&files).with("A", "given").web().labels;
    assert_eq!((labels["a"].as_str(), labels["b"].as_str()), ("given", "given2"));
    let labels = Stack::direct(&files).web().labels;
    assert_eq!((labels["a"].as_str(), labels["b"].as_str()), ("", ""), "docker stack deploy never reads it");
}

#[test]
fn env_files_come_before_the_environment_and_silence_is_filled() {
    let text = web("env_file: [one.env, two.env]\nenvironment: {B: file, C: , D: '', E: , F: }");
    let files =
        [("a.yaml", text.as_str()), ("one.env", "A='1' # x\nB=1\nX=1\nC\nUNSET\nG=\n"), ("two.env", "X=2\nGIVEN\n")];
    let stack = Stack::repository(&files).with("C", "c").with("D", "d").with("GIVEN", "g").with("F", "");
    let environment = stack.web().environment;
    let found: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    assert_eq!(
        found,
        [
            ("A", Some("'1' # x")),
            ("B", Some("file")),
            ("X", Some("2")),
            ("C", Some("c")),
            ("G", Some("")),
            ("GIVEN", Some("g")),
            ("D", Some("d")),
            ("E", None),
            ("F", Some("")),
        ]
    );
    insta::assert_snapshot!(stack.faults(), @r"
    a.yaml:5:36: warning: `D` is empty here, so it takes the value of the variable `D` [compose/empty-variable]
      help: `docker stack deploy` does so too: give one of the two another name
    ");
}

#[test]
fn faults_of_env_files_are_named_in_them() {
    let files = [("a.yaml", web("env_file: [x.env, ../y.env, z.env, {path: x.env}]")), ("x.env", "A b=1\n".to_owned())];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    insta::assert_snapshot!(Stack::repository(&files).faults(), @r"
    a.yaml:4:23: error: `../y.env` cannot be read: the path leads out of the repository [file/outside]
    a.yaml:4:33: error: `z.env` cannot be read: there is no such file [file/unreadable]
    x.env:1:1: error: a line holds `NAME=value`, and a name only letters, digits, `_`, `.` and `-` [file/env]
    x.env:1:1: error: the name `A b` may not contain a space [file/env]
    ");
}

#[test]
fn variables_that_would_fill_the_memory_are_refused() {
    let text = web(&format!("labels: {{x: '{}'}}", "$A".repeat(5000)));
    let faults = Stack::repository(&[("a.yaml", &text)]).with("A", &"x".repeat(1_000_000)).faults();
    assert!(faults.contains("[yaml/bounds]"), "{faults}");
}
