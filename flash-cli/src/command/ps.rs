use flash_platform::control::Platform;

use super::context::Context;
use crate::cli::{TargetArgs, Where};
use crate::deploy::leased_until;
use crate::failure::Failure;
use crate::output::{Output, table};
use crate::report::{EndpointWorkers, Worker, Workers};

/// `flash ps`: endpoints and their workers.
pub(super) async fn run(target: &TargetArgs, to: Option<Where>, output: Output) -> Result<u8, Failure> {
    let context = Context::open(target, to).await?;
    let mut rows = Vec::new();
    let mut list = Vec::new();
    for endpoint in context.endpoints().await? {
        let resource = endpoint.identity().map(|(_, _, resource)| resource.to_owned()).unwrap_or_default();
        let kind = if endpoint.is_load_balanced() { "http" } else { "queue" };
        let workers = context.platform.workers(&endpoint.id).await?;
        let limits = format!("{}-{}", endpoint.workers.min, endpoint.workers.max);
        if workers.is_empty() {
            let cells = [resource.as_str(), kind, &endpoint.id, &limits, "–", "no worker", ""];
            rows.push(cells.map(ToOwned::to_owned).to_vec());
        }
        for worker in &workers {
            let age = worker.uptime_seconds.map(|seconds| format!("{seconds} s")).unwrap_or_default();
            let status = worker.status.to_lowercase() + if worker.is_stale { " (old release)" } else { "" };
            let cells = [resource.as_str(), kind, &endpoint.id, &limits, &worker.id, &status, &age];
            rows.push(cells.map(ToOwned::to_owned).to_vec());
        }
        let workers = workers.into_iter().map(|worker| Worker {
            id: worker.id,
            status: worker.status,
            is_stale: worker.is_stale,
            uptime_seconds: worker.uptime_seconds,
        });
        list.push(EndpointWorkers {
            resource,
            kind: kind.to_owned(),
            workers_min: endpoint.workers.min,
            workers_max: endpoint.workers.max,
            workers: workers.collect(),
            endpoint_id: endpoint.id,
        });
    }
    let text = match rows.is_empty() {
        true => format!(
            "nothing is deployed in environment {} of {}\n\nnext: flash deploy",
            context.id.env, context.id.app
        ),
        false => table(&["ENDPOINT", "KIND", "ID", "MIN-MAX", "WORKER", "STATUS", "UP"], &rows),
    };
    let document = Workers {
        leased_until: leased_until(&context.id.env),
        app: context.id.app,
        environment: context.id.env,
        endpoints: list,
    };
    output.result(&text, &document);
    Ok(0)
}
