//! The role that follows from an environment.

use flash_core::Registry;
use flash_core::boot::{Boot, BootError, Role};

fn boot(environment: &[(&str, &str)]) -> Boot {
    let lookup =
        |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Boot::from_lookup(lookup).unwrap()
}

fn role(environment: &[(&str, &str)]) -> Result<String, BootError> {
    let _ = &flash_tests::ECHO;
    let registry = Registry::linked().unwrap();
    boot(environment).role(&registry).map(|role| match role {
        Role::Describe(_) => "describe".to_owned(),
        Role::Queue(endpoint) => format!("queue {}", endpoint.name()),
        Role::Http(endpoint) => format!("http {}", endpoint.name()),
        Role::Local => "local".to_owned(),
    })
}

const TAKE: (&str, &str) = ("RUNPOD_WEBHOOK_GET_JOB", "http://127.0.0.1:1/job-take/$ID");

#[test]
fn the_first_word_that_says_something_decides() {
    for (environment, expected) in [
        (&[][..], "local"),
        (&[("FLASH_DESCRIBE", "m.json"), ("FLASH_ENDPOINT_TYPE", "nonsense")], "describe"),
        (&[("FLASH_ENDPOINT_TYPE", "lb"), ("FLASH_RESOURCE_NAME", "api")], "http api"),
        (&[("FLASH_ENDPOINT_TYPE", "lb"), ("FLASH_RESOURCE_NAME", "api"), TAKE], "http api"),
        (&[("FLASH_ENDPOINT_TYPE", "qb"), ("FLASH_RESOURCE_NAME", "echo"), TAKE], "queue echo"),
        (&[("FLASH_IS_MOTHERSHIP", "true"), ("FLASH_RESOURCE_NAME", "api")], "http api"),
        (&[("FLASH_IS_MOTHERSHIP", "1")], "local"),
        (&[("FLASH_RESOURCE_NAME", "mixed"), TAKE], "queue mixed"),
        // On the platform the declared kind is enough.
        (&[("RUNPOD_ENDPOINT_ID", "e"), ("FLASH_RESOURCE_NAME", "api")], "http api"),
        (&[("RUNPOD_ENDPOINT_ID", "e"), ("FLASH_RESOURCE_NAME", "echo"), TAKE], "queue echo"),
        // A blank value is no value.
        (&[("FLASH_ENDPOINT_TYPE", " "), ("RUNPOD_WEBHOOK_GET_JOB", "")], "local"),
    ] {
        assert_eq!(role(environment).as_deref(), Ok(expected), "{environment:?}");
    }
}

#[test]
fn contradictions_are_refused() {
    for (environment, part) in [
        (&[("FLASH_ENDPOINT_TYPE", "lb"), ("FLASH_RESOURCE_NAME", "echo")][..], "declared as queue"),
        (&[("FLASH_IS_MOTHERSHIP", "true"), ("FLASH_RESOURCE_NAME", "echo")], "declared as queue"),
        (&[("FLASH_ENDPOINT_TYPE", "qb"), ("FLASH_RESOURCE_NAME", "echo")], "RUNPOD_WEBHOOK_GET_JOB"),
        (&[("RUNPOD_ENDPOINT_ID", "e"), ("FLASH_RESOURCE_NAME", "echo")], "RUNPOD_WEBHOOK_GET_JOB"),
        (&[TAKE], "FLASH_RESOURCE_NAME must name one"),
        (&[("FLASH_ENDPOINT_TYPE", "lb")], "FLASH_RESOURCE_NAME must name one"),
        (&[("FLASH_RESOURCE_NAME", "ecoh"), TAKE], "`ecoh`"),
    ] {
        let error = role(environment).unwrap_err().to_string();
        assert!(error.contains(part), "{environment:?}: {error}");
    }
}

#[test]
fn deployed_is_an_endpoint_id_and_one_more_word() {
    let words =
        [("FLASH_ENDPOINT_TYPE", "lb"), ("FLASH_RESOURCE_NAME", "api"), ("FLASH_IS_MOTHERSHIP", "true")];
    for mask in 0..16_u32 {
        let mut environment: Vec<_> = words
            .iter()
            .enumerate()
            .filter(|(bit, _)| mask & (1 << bit) != 0)
            .map(|(_, word)| *word)
            .collect();
        let has_id = mask & 8 != 0;
        if has_id {
            environment.push(("RUNPOD_ENDPOINT_ID", "e"));
        }
        assert_eq!(boot(&environment).is_deployed(), has_id && mask & 7 != 0, "{environment:?}");
    }
}

#[test]
fn no_secret_shows_itself() {
    let boot = boot(&[
        ("RUNPOD_API_KEY", "fake-key-1"),
        ("RUNPOD_AI_API_KEY", "fake-key-2"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=fake-key-3"),
    ]);
    let text = format!("{boot:?}");
    assert!(!text.contains("fake-key"), "{text}");
    assert_eq!(boot.api_key.unwrap().expose(), "fake-key-1");
}

#[test]
fn the_variables_of_opentelemetry_say_where_metrics_go_and_keep_nothing_from_starting() {
    const BASE: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318/");
    const METRICS: (&str, &str) = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:4319/m");
    for (environment, address) in [
        (&[][..], None),
        (&[BASE], Some("http://127.0.0.1:4318/v1/metrics")),
        (&[BASE, METRICS], Some(METRICS.1)),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4317")], Some("localhost:4317/v1/metrics")),
    ] {
        assert_eq!(boot(environment).otlp.address.as_deref(), address, "{environment:?}");
    }
    for (interval, millis) in [("250", 250), ("0", 60_000), ("-1", 60_000), ("soon", 60_000), (" ", 60_000)] {
        let boot = boot(&[("OTEL_METRIC_EXPORT_INTERVAL", interval)]);
        assert_eq!(boot.otlp.interval.as_millis(), millis, "{interval}");
    }
    const HEADERS: (&str, &str) = ("OTEL_EXPORTER_OTLP_HEADERS", "a=b");
    let more =
        boot(&[HEADERS, ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "c=d"), ("OTEL_SERVICE_NAME", "words")]);
    assert_eq!(more.otlp.headers.unwrap().expose(), "c=d");
    assert_eq!(more.otlp.service.as_deref(), Some("words"));
    assert_eq!(boot(&[HEADERS]).otlp.headers.unwrap().expose(), "a=b");
}
