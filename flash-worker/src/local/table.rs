use std::fmt::Write;

use flash_core::{Kind, Meta, Method, Param, Registration, Registry, openapi};

/// The endpoints with a line to try each function.
pub(super) fn render(registry: &Registry, base: &str) -> String {
    let mut text = String::new();
    let endpoints = registry.resources().count();
    let plural = if endpoints == 1 { "" } else { "s" };
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "serving {endpoints} endpoint{plural} on {base}  (API: {base}/openapi.json)");
    for endpoint in registry.resources() {
        let kind = match endpoint.kind() {
            Kind::Http => "HTTP",
            Kind::Queue => "queue",
        };
        let _ = writeln!(text, "\n{}  [{kind}]", endpoint.name());
        let functions: Vec<_> = registry.functions_of(endpoint.name()).map(Registration::meta).collect();
        for meta in &functions {
            let _ = writeln!(text, "  {}\n    {}", meta.name, curl(meta, base, functions.len() > 1));
        }
    }
    text
}

fn curl(meta: &Meta, base: &str, needs_method: bool) -> String {
    let name = meta.resource.name();
    // Where nothing has to be sent, the line shows what can be. The fields of a whole body are the type's secret.
    let is_required = meta.params.iter().any(Param::is_required);
    let shown = meta.params.iter().filter(|param| param.is_required() || !is_required);
    let shown = shown.filter(|param| !param.is_body && param.init.is_none());
    let mut fields: Vec<String> = Vec::new();
    let Some(route) = meta.http else {
        if needs_method {
            fields.push(format!("\"method\": \"{}\"", meta.key()));
        }
        fields
            .extend(shown.map(|param| format!("\"{}\": {}", param.name, openapi::example(param.type_text))));
        let body = format!("{{\"input\": {{{}}}}}", fields.join(", "));
        return format!("curl -X POST {base}/{name}/runsync -H 'content-type: application/json' -d '{body}'");
    };
    let mut path = route.path.to_owned();
    let mut query = Vec::new();
    for param in shown {
        let example = openapi::example(param.type_text);
        let placeholder = format!("{{{}}}", param.name);
        if path.contains(&placeholder) {
            path = path.replace(&placeholder, example.trim_matches('"'));
        } else if route.method == Method::GET {
            query.push(format!("{}={}", param.name, example.trim_matches('"')));
        } else {
            fields.push(format!("\"{}\": {example}", param.name));
        }
    }
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let url = format!("{base}/{name}{path}{query}");
    if fields.is_empty() {
        return format!("curl -X {} '{url}'", route.method);
    }
    format!(
        "curl -X {} {url} -H 'content-type: application/json' -d '{{{}}}'",
        route.method,
        fields.join(", ")
    )
}
