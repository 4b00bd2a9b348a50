//! Reading, writing and checking manifests.

use flash_core::manifest::Manifest;
use serde_json::Value;

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

/// Manifests as the Python client writes and wrote them (its report, sections 4.1 and 4.2; values made up).
const PYTHON: [(&str, &str); 3] = [
    ("current", include_str!("../fixtures/python_current.json")),
    ("deployed", include_str!("../fixtures/python_deployed.json")),
    ("oldest", include_str!("../fixtures/python_oldest.json")),
];

/// Whether everything in `part` is in `whole` too; `null` and a missing key are the same.
fn is_kept(part: &Value, whole: &Value, path: &str) {
    match part {
        Value::Object(fields) => {
            for (key, value) in fields {
                is_kept(value, whole.get(key).unwrap_or(&Value::Null), &format!("{path}.{key}"));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                is_kept(item, whole.get(index).unwrap_or(&Value::Null), &format!("{path}[{index}]"));
            }
        }
        Value::Null => assert!(whole.is_null() || whole == "", "{path}: {whole}"),
        other => assert_eq!(other, whole, "{path}"),
    }
}

#[test]
fn manifests_of_python_load_and_lose_nothing() {
    for (name, text) in PYTHON {
        let read = manifest(text);
        assert!(read.rust.is_none(), "{name}");
        read.validate().unwrap_or_else(|errors| panic!("{name}: {errors}"));
        let written = read.to_json().unwrap();
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        is_kept(&value(text), &value(&written), name);
        assert_eq!(manifest(&written), read, "{name}");
        assert_eq!(manifest(&written).to_json().unwrap(), written, "{name}: writing twice writes the same");
    }
}

#[test]
fn what_python_leaves_out_has_the_platforms_defaults() {
    let oldest = manifest(PYTHON[2].1);
    let queue = &oldest.resources["gpu_config"];
    assert_eq!((queue.workers_min, queue.workers_max, queue.idle_timeout), (0, 1, 60));
    assert_eq!(
        (queue.scaler_type.as_str(), queue.scaler_value, queue.max_concurrency),
        ("QUEUE_DELAY", 4, 1)
    );
    assert_eq!(oldest.resources["mothership"].scaler_type, "REQUEST_COUNT");
}

#[test]
fn what_a_builder_refuses_is_refused_in_a_file_too() {
    for (settings, expected) in [
        (
            r#""functions": [{"name": "f", "http_method": "GET", "http_path": "/f"}]"#,
            "queue endpoint `x` has a method",
        ),
        (r#""functions": [{"name": "f", "http_path": "/f"}]"#, "queue endpoint `x` has a method or a path"),
        (r#""functions": [{"name": "-f"}]"#, "function name `-f` of endpoint `x` is invalid"),
        (
            r#""is_load_balanced": true, "functions": [{"name": "f", "http_path": "/f"}]"#,
            "needs method and path",
        ),
        (
            r#""is_load_balanced": true, "functions": [{"name": "f", "http_method": "POST", "http_path": "/execute"}]"#,
            "route `POST /execute` of function `f` on endpoint `x` is reserved",
        ),
        (
            r#""is_load_balanced": true, "functions": [{"name": "f", "http_method": "TRACE", "http_path": "/f"}]"#,
            "has an unknown method\nhelp: one of GET, POST",
        ),
        (
            r#""is_load_balanced": true, "functions": [{"name": "f", "http_method": "GET", "http_path": "f"}]"#,
            "does not begin with `/`",
        ),
        (
            r#""is_load_balanced": true, "functions": [{"name": "f", "http_method": "GET", "http_path": "/{a}"},
                {"name": "g", "http_method": "GET", "http_path": "/{b}"}]"#,
            "route `GET /{b}` of endpoint `x` belongs to `f` and to `g`",
        ),
        (r#""is_load_balanced": true, "scalerType": "QUEUE_DELAY""#, "scalerType is REQUEST_COUNT"),
        (r#""scalerType": "RANDOM""#, "neither QUEUE_DELAY nor REQUEST_COUNT"),
        (r#""scalerValue": 0"#, "scalerValue is 0"),
        (r#""workersMax": 0"#, "workersMax is 0"),
        (r#""idleTimeout": 3601"#, "idleTimeout is not 1 to 3600"),
        (r#""max_concurrency": 0"#, "max_concurrency is 0"),
        (r#""gpuIds": "ADA_24", "gpuCount": 11"#, "gpuCount is not 1 to 10"),
        (r#""instanceIds": ["cpu3c-1-2"], "gpuCount": 1"#, "no gpuCount"),
        (r#""instanceIds": ["cpu3c-1-2"], "minCudaVersion": "12.8""#, "no minCudaVersion"),
        (r#""imageName": "a", "templateId": "b""#, "imageName and templateId"),
    ] {
        let functions = if settings.contains("functions") {
            ""
        } else {
            r#""functions": [{"name": "f", "is_class": true}],"#
        };
        let json = format!(r#"{{"resources": {{"x": {{{functions} {settings}}}}}}}"#);
        let errors = manifest(&json).validate().unwrap_err();
        assert_eq!(errors.0.len(), 1, "{settings}: {errors}");
        assert!(errors.to_string().contains(expected), "{expected} in {errors}");
    }
    let errors =
        manifest(r#"{"version": "2.0", "resources": {"x": {"functions": [{"name": "f"}]}}}"#).validate();
    assert!(errors.unwrap_err().to_string().contains("format `2.0`"));
}
