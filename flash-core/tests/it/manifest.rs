//! Reading, writing and checking manifests.

use flash_core::manifest::Manifest;

fn manifest(json: &str) -> Manifest {
    Manifest::from_json(json).unwrap()
}

#[test]
fn unknown_keys_survive_and_missing_ones_have_defaults() {
    let json = r#"{"python_version": "3.12", "resources": {"a": {"handler_file": "handler_a.py",
        "functions": [{"name": "f", "future": 1}]}}}"#;
    let written = manifest(json).to_json().unwrap();
    for part in [r#""python_version": "3.12""#, r#""handler_file": "handler_a.py""#, r#""future": 1"#] {
        assert!(written.contains(part), "{written}");
    }
    assert_eq!(manifest(&written), manifest(json));
}

#[test]
fn a_field_of_the_wrong_type_is_named_by_its_path() {
    let error = Manifest::from_json(r#"{"resources": {"a": {"workersMin": "many"}}}"#).unwrap_err();
    assert!(error.contains("resources.a.workersMin"), "{error}");
}

#[test]
fn every_problem_is_told_at_once() {
    let json = r#"{"resources": {
        "-bad": {"functions": []},
        "api": {"is_load_balanced": true, "workersMin": 3, "workersMax": 1, "instanceIds": ["cpu3c-1-3"], "gpuIds": "ADA_25",
            "functions": [
                {"name": "ping", "http_method": "GET", "http_path": "/ping"},
                {"name": "a", "http_method": "GET", "http_path": "/a"},
                {"name": "b", "http_method": "GET", "http_path": "/a"},
                {"name": "c"}]},
        "queue": {"functions": [{"name": "a"}]}}}"#;
    let errors = manifest(json).validate().unwrap_err().to_string();
    for part in [
        "endpoint name `-bad` is invalid",
        "endpoint `-bad` has no function",
        "route `GET /ping` of function `ping` on endpoint `api` is reserved",
        "route `GET /a` of endpoint `api` belongs to `a` and to `b`",
        "function `c` of HTTP endpoint `api` needs method and path",
        "workersMin is above workersMax",
        "GPUs and for CPU instances",
        "unknown GPU pool `ADA_25`; did you mean `ADA_24`?",
        "unknown CPU instance `cpu3c-1-3`",
        "function name `a` is used by `api` and `queue`",
    ] {
        assert!(errors.contains(part), "{part} in {errors}");
    }
}

#[test]
fn an_app_without_endpoints_is_no_app() {
    assert!(manifest("{}").validate().unwrap_err().to_string().contains("no endpoint"));
}

#[test]
fn circles_are_told_once_with_their_path() {
    let resource = |name: &str, calls: &str| {
        format!(r#""{name}": {{"functions": [{{"name": "f_{name}"}}], "remote_calls": {calls}}}"#)
    };
    let json = format!(
        r#"{{"resources": {{{}, {}, {}, {}}}}}"#,
        resource("a", r#"["b", "d"]"#),
        resource("b", r#"["c"]"#),
        resource("c", r#"["a"]"#),
        resource("d", "[]")
    );
    let errors = manifest(&json).validate().unwrap_err();
    assert_eq!(errors.0.len(), 1, "{errors}");
    assert!(errors.0[0].contains("a -> b -> c -> a"), "{errors}");
}
