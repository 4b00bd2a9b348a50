use super::Machine;
use super::running::Running;

/// What is seen of a deployment from outside: workers, what they print, and that nothing is wrong.
pub(crate) fn look_around(machine: &Machine, resource: &str) {
    let listed = machine.json(&["ps"]);
    let endpoints = listed["endpoints"].as_array().unwrap();
    let endpoint = endpoints.iter().find(|endpoint| endpoint["resource"] == resource).unwrap();
    assert!(endpoint["workers_max"].as_u64().unwrap() >= 1, "{listed}");

    let printed = machine.flash(&["logs", resource, "-n", "50", "--json"]);
    assert!(!printed.is_empty(), "no worker of {resource} has printed anything");
    for line in printed.lines() {
        let line = serde_json::from_str(line).unwrap();
        machine.printed(&["logs"], &line);
        assert_eq!(line["endpoint"], resource, "{line}");
    }
    // It begins with what is there, goes on, and ends when it is told to.
    let following = Running::start(machine, &["logs", resource, "--follow"]);
    following.until(resource);
    following.interrupt();
    let unknown = machine.failed(&["logs", "nobody"]);
    assert!(unknown.0 == Some(1) && unknown.2.contains("flash ps"), "{unknown:?}");

    let doctor = machine.json(&["doctor"]);
    assert_eq!(doctor["healthy"], true, "{doctor}");
    let looked_at =
        |what: &str| doctor["findings"].as_array().unwrap().iter().any(|found| found["what"] == what);
    for what in ["toolchain", "project", "openssl", "platform", "state manager", "endpoint"] {
        assert!(looked_at(what), "{what}: {doctor}");
    }
}

/// The same app from its artifact, a process for each endpoint and no platform: it answers, and nothing is left behind.
pub(crate) fn preview(machine: &Machine, args: &[&str], answers: impl Fn(&str)) {
    let running = Running::start(machine, &[args, &["--port", "0"]].concat());
    answers(&running.base());
    running.interrupt();
}
