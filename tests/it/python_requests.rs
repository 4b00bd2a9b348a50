//! Jobs in the form of Python's live protocol, in JSON.

use serde_json::{Value, json};

use crate::recording_queue::{Running, Script};

/// What becomes of these inputs on this endpoint, in order.
async fn answers(endpoint: &str, inputs: &[Value]) -> Vec<Value> {
    let mut script = Script::default();
    for (index, input) in inputs.iter().enumerate() {
        script = script.job(&format!("j{index}"), input);
    }
    let running = Running::start(endpoint, script).await;
    running.script.results_at_least(inputs.len()).await;
    let answers = (0..inputs.len()).map(|index| running.script.result_of(&format!("j{index}"))).collect();
    running.stop().await;
    answers
}

fn request(more: &Value) -> Value {
    let mut request =
        json!({"function_name": "echo", "execution_type": "function", "serialization_format": "json"});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_bind_by_order_and_by_name() {
    let answers = answers(
        "echo",
        &[
            request(&json!({"args": ["a", 3], "kwargs": {}})),
            request(&json!({"args": ["b"], "kwargs": {"times": 2}})),
            request(&json!({"kwargs": {"text": "c"}, "dependencies": ["numpy"], "function_code": null})),
        ],
    )
    .await;
    let results: Vec<_> = answers.iter().map(|answer| &answer["output"]["json_result"][0]).collect();
    assert_eq!(results, ["aaa", "bb", "c"]);
    // Every key is there, as in the answer of a Python worker.
    let expected = json!({
        "success": true, "result": null, "json_result": ["aaa", null], "error": null, "stdout": null,
        "instance_id": null, "instance_info": null,
    });
    assert_eq!(answers[0], json!({"output": expected}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_says_why() {
    let cases = [
        (json!({"args": ["a"], "kwargs": {"text": "b"}}), "input.kwargs.text: the argument is given twice"),
        (json!({"args": ["a", 1, null, 4]}), "input.args: 4 values for 3 parameters"),
        (json!({"args": [1]}), "input.text: expected a string"),
        (json!({"args": {}}), "input.args: expected a list"),
        (json!({"kwargs": {"colour": 1, "text": "a"}}), "input.colour: unknown field"),
        (json!({"serialization_format": "cloudpickle"}), "cloudpickle format cannot be read\nhelp: send"),
        (json!({"serialization_format": null}), "send \"serialization_format\": \"json\""),
        (json!({"serialization_format": "msgpack"}), "unknown format `msgpack`"),
        (json!({"function_code": "def echo(): pass"}), "input.function_code: code is never run"),
        (json!({"modules": {"a.py": "x = 1"}}), "input.modules: code is never run"),
        (json!({"function_name": "ecko"}), "no function `ecko` on this endpoint; known functions: `echo`"),
        (json!({"execution_type": "script"}), "unknown type `script`"),
        (json!({"execution_type": "class", "class_name": "Nope"}), "no class `Nope`"),
        (json!({"surprise": 1}), "input.surprise: unknown field of a FunctionRequest"),
    ];
    let inputs: Vec<_> = cases.iter().map(|(more, _)| request(more)).collect();
    for ((_, part), answer) in cases.iter().zip(answers("echo", &inputs).await) {
        assert_eq!(answer["output"]["success"], false, "{part}: {answer}");
        let error = answer["output"]["error"].as_str().unwrap();
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn classes_are_called_by_their_methods() {
    let class = |more: &Value| {
        let mut request = json!({
            "execution_type": "class", "class_name": "Single", "serialization_format": "json",
            "constructor_args": [], "constructor_kwargs": {},
        });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let answers = answers(
        "interop_single",
        &[
            class(&json!({"method_name": "say", "args": [{"error": "is data"}]})),
            class(&json!({"method_name": "nope"})),
            class(&json!({"method_name": "say", "args": [1], "constructor_args": [1]})),
            class(&json!({"method_name": "say", "class_code": "class Single: pass"})),
        ],
    )
    .await;
    assert_eq!(answers[0]["output"]["json_result"], json!({"error": "is data"}));
    let error = |index: usize| answers[index]["output"]["error"].as_str().unwrap().to_owned();
    assert!(error(1).contains("class `Single` has no method `nope`; known methods: "), "{}", error(1));
    assert!(error(2).contains("input.constructor_args: 1 values for 0 parameters"), "{}", error(2));
    assert!(error(3).contains("input.class_code: code is never run"), "{}", error(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_one_list_and_a_failure_keeps_its_code() {
    let faults = |name: &str, kwargs: &Value| json!({"function_name": name, "serialization_format": "json", "kwargs": kwargs});
    let answers = answers(
        "faults",
        &[
            faults("count", &json!({"to": 2, "bytes": 1})),
            faults("count", &json!({"to": 2, "bytes": 1, "fail_at": 1})),
        ],
    )
    .await;
    assert_eq!(answers[0]["output"]["json_result"], json!(["0", "1"]));
    let error = answers[1]["output"]["error"].as_str().unwrap();
    assert!(error.contains("(too_long)"), "{error}");
}
