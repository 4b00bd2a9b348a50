use serde_json::json;

use super::load::Probe;
use super::seen::{look_around, preview};
use super::story::Story;

#[test]
fn standalone_worker_deploys() {
    let story = Story {
        example: "00_standalone_worker",
        resource: "00_standalone_worker",
        route: None,
        input: json!({"text": "hello"}),
        shows: ("/output/release", "", "two"),
        edit: ("src/lib.rs", "release: \"one\"", "release: \"two\""),
    };
    story.tell(|machine, function, answer| {
        look_around(machine, "00_standalone_worker");
        assert_eq!((function, &answer["input"]), ("process", &json!({"text": "hello", "rounds": 1000})));
    });
}

#[test]
fn hello_world_deploys() {
    let story = Story {
        example: "01_hello_world",
        resource: "01_01_gpu_worker",
        route: None,
        input: json!({}),
        shows: ("/output/worker_type", "GPU", "second release"),
        edit: ("src/lib.rs", "worker_type: \"GPU\"", "worker_type: \"GPU, second release\""),
    };
    story.tell(|_, function, answer| {
        assert_eq!((function, &answer["message"]), ("gpu_hello", &json!("Hello GPU!")));
        assert_eq!(answer["mode"] == "gpu", answer["gpu_info"]["available"] == true);
    });
}

#[test]
fn cpu_worker_deploys() {
    let story = Story {
        example: "02_cpu_worker",
        resource: "01_02_cpu_worker",
        route: None,
        input: json!({"name": "Flash User"}),
        shows: ("/output/worker_type", "CPU", "second release"),
        edit: ("src/lib.rs", "worker_type: \"CPU\"", "worker_type: \"CPU, second release\""),
    };
    story.tell(|_, function, answer| {
        assert_eq!((function, &answer["message"]), ("cpu_hello", &json!("Hello, Flash User!")));
        assert!(answer["cpu_info"]["logical_cores"].as_u64().unwrap() >= 1);
    });
}

#[test]
fn load_balancer_deploys() {
    let story = Story {
        example: "05_load_balancer",
        resource: "03_05_load_balancer_cpu",
        route: Some(("GET", "/health")),
        input: json!({}),
        shows: ("/status", "healthy", "second release"),
        edit: ("src/lib.rs", "status: \"healthy\"", "status: \"healthy, second release\""),
    };
    let mut previewed = false;
    story.tell(|machine, function, answer| {
        assert!(function == "validate" && answer.is_object(), "{answer}");
        if std::mem::replace(&mut previewed, true) {
            return;
        }
        let document = machine.json(&["openapi"]);
        assert!(
            document["paths"]["/03_05_load_balancer_cpu/validate"].is_object()
                || document["paths"]["/validate"].is_object(),
            "{document}"
        );
        let manifest = machine.json(&["manifest"]);
        assert_eq!(manifest["rust"]["openapi"], document);
        let healthy = |base: &str| {
            let url = format!("{base}/lb/03_05_load_balancer_cpu/health");
            let probe = Probe { method: "GET", url, key: String::new(), body: None };
            assert_eq!(probe.send_now().unwrap()["status"], "healthy");
        };
        preview(machine, &["build", "--preview"], healthy);
        preview(machine, &["preview"], healthy);
    });
}

#[test]
fn mixed_workers_deploy() {
    let story = Story {
        example: "03_mixed_workers",
        resource: "01_03_classify_pipeline",
        route: Some(("POST", "/classify")),
        input: json!({"text": "This product is amazing! I love it!"}),
        shows: ("/metadata/model", "sentiment", "second release"),
        edit: ("src/pipeline.rs", "model: format!(\"{} {}\"", "model: format!(\"{}, second release {}\""),
    };
    story.tell(|_, function, answer| {
        assert_eq!((function, &answer["classification"]["label"]), ("classify", &json!("positive")));
    });
}

#[test]
fn multi_resource_deploys() {
    let story = Story {
        example: "00_multi_resource",
        resource: "00_multi_api",
        route: Some(("POST", "/analyze")),
        input: json!({"rows": [[1, 2], [2, 4], [3, 6.5]]}),
        shows: ("/release", "", "two"),
        edit: ("src/api.rs", "release: \"one\"", "release: \"two\""),
    };
    story.tell(|machine, function, answer| match function {
        "analyze" => {
            assert_eq!((&answer["summary"]["count"], &answer["axis"]["iterations"]), (&json!(3), &json!(64)));
            // The key is only in workers that call others, whatever their endpoint was told.
            let workers = machine.environments();
            let of = |name: &str| workers.iter().filter(|env| env["FLASH_RESOURCE_NAME"] == name).count();
            assert!(
                of("00_multi_api") >= 1 && of("00_multi_cpu") >= 1 && of("00_multi_gpu") >= 1,
                "{}",
                workers.len()
            );
            for env in &workers {
                assert_eq!(
                    env.contains_key("RUNPOD_API_KEY"),
                    env["FLASH_RESOURCE_NAME"] == "00_multi_api",
                    "{env:?}"
                );
            }
        }
        _ => assert_eq!(answer["count"], 2),
    });
}
