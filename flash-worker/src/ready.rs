use std::time::Duration;

use flash_core::{App, Need};

/// Builds every state that the functions of `resource` need, before its first job.
///
/// # Errors
/// Every state that could not be built, with the functions that need it.
pub(crate) async fn prepare(app: &App, resource: &str) -> Result<(), String> {
    let mut needs: Vec<(Need, Vec<&'static str>)> = Vec::new();
    for function in app.registry().functions_of(resource) {
        for need in function.meta().needs.iter().filter_map(|need| need.need()) {
            match needs.iter_mut().find(|(known, _)| known.type_name() == need.type_name()) {
                Some((_, functions)) => functions.push(function.meta().name),
                None => needs.push((need, vec![function.meta().name])),
            }
        }
    }
    let mut failures = Vec::new();
    for (need, functions) in needs {
        if let Err(error) = need.build(app).await {
            let functions = functions.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let wire = error.into_wire();
            let text = wire.internal.unwrap_or(wire.message);
            failures.push(format!(
                "state that {functions} of endpoint `{resource}` needs could not be built: {text}"
            ));
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// Lets the instances of stateful workers go after the last job, and their exit methods end, within the grace time.
pub(crate) async fn finish(app: &App, grace: Duration) {
    if app.clock().timeout(grace, app.stop_instances()).await.is_err() {
        tracing::error!("exit methods did not end within the grace time of {grace:?}");
    }
}
