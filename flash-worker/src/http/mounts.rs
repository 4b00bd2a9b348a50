use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use axum::Router;
use axum::routing::{MethodFilter, MethodRouter, any, on};
use flash_core::{App, Endpoint, Method, Mount};

use super::others;
use super::service::Site;

/// Paths that a worker answers itself, whoever else would like to.
const RESERVED: [&str; 2] = ["/ping", "/execute"];

/// What is no function of `endpoint`: the routers that the user mounted on it, and the words for a verb or a path that is
/// not there. The declared routes stand in it as well, but only to be counted: their functions are found before.
///
/// # Errors
/// Every route of a router that is declared too, or that the worker needs for itself.
pub(crate) fn router(app: &App, endpoint: &Endpoint) -> Result<Router, String> {
    let mut declared = Router::new();
    for function in app.registry().functions_of(endpoint.name()) {
        if let Some(route) = function.meta().http {
            declared = declared.route(route.path, stub(filter(route.method)));
        }
    }
    let mut problems = Vec::new();
    let mut merged = declared;
    let mut has_fallback = false;
    for mount in app.registry().mounts_of(endpoint.name()) {
        let router = match built(mount) {
            Ok(router) => router,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let conflicts = conflicts(app, endpoint, mount, &router);
        let is_good = conflicts.is_empty();
        problems.extend(conflicts);
        if !is_good {
            continue;
        }
        has_fallback |= quietly(|| router.clone().merge(Router::new().fallback(nothing))).is_err();
        match quietly(|| merged.clone().merge(router)) {
            Ok(both) => merged = both,
            Err(text) => problems.push(format!(
                "router `{}` at {} cannot be mounted on endpoint `{}` beside the others: {text}",
                mount.name,
                mount.location(),
                endpoint.name()
            )),
        }
    }
    if !problems.is_empty() {
        return Err(problems.join("\n"));
    }
    let merged = merged.method_not_allowed_fallback(others::wrong_method);
    // A router with a fallback of its own, such as the page of a single-page app, keeps it.
    Ok(if has_fallback { merged } else { merged.fallback(others::not_found) })
}

fn built(mount: &Mount) -> Result<Router, String> {
    let made = quietly(mount.build)
        .map_err(|text| format!("router `{}` at {} panicked: {text}", mount.name, mount.location()))?;
    made.downcast::<Router>().map(|router| *router).map_err(|_| {
        format!(
            "`{}` at {} makes a router of another version of axum than `flash::axum`",
            mount.name,
            mount.location()
        )
    })
}

/// The routes of `router` that something else has already. Nothing tells which routes a router has, but axum panics when
/// two routers with the same one become one.
fn conflicts(app: &App, endpoint: &Endpoint, mount: &Mount, router: &Router) -> Vec<String> {
    let mut conflicts = Vec::new();
    let clashes = |other: Router| quietly(|| other.merge(router.clone())).is_err();
    for function in app.registry().functions_of(endpoint.name()) {
        let meta = function.meta();
        let Some(route) = meta.http else { continue };
        if clashes(Router::new().route(route.path, stub(filter(route.method)))) {
            conflicts.push(format!(
                "router `{}` at {} has the route `{route}` of endpoint `{}`, which function `{}` at {} has already",
                mount.name,
                mount.location(),
                endpoint.name(),
                meta.name,
                meta.location()
            ));
        }
    }
    for path in RESERVED {
        // The first finds routes of one verb, the second those of every verb.
        if clashes(Router::new().route(path, stub(every_verb())))
            || clashes(Router::new().route(path, any(nothing)))
        {
            conflicts.push(format!(
                "router `{}` at {} has the route `{path}`, which the worker answers itself\nhelp: choose another path",
                mount.name,
                mount.location()
            ));
        }
    }
    conflicts
}

/// Refuses a health path that is a route too.
///
/// # Errors
/// Says so.
pub(super) fn check_health_path(site: &Site, others: &Router, path: &str) -> Result<(), String> {
    let is_function = site.routes.find(&http::Method::GET, path).is_some();
    let probe = || Router::new().route(path, stub(MethodFilter::GET));
    if is_function || quietly(|| probe().merge(others.clone())).is_err() {
        return Err(format!(
            "HEALTH_CHECK_PATH={path} is also a route of the endpoint\nhelp: choose another health path, or another port \
             for it with PORT_HEALTH"
        ));
    }
    Ok(())
}

async fn nothing() {}

fn stub(filter: MethodFilter) -> MethodRouter {
    on(filter, nothing)
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::GET => MethodFilter::GET,
        Method::POST => MethodFilter::POST,
        Method::PUT => MethodFilter::PUT,
        Method::PATCH => MethodFilter::PATCH,
        Method::DELETE => MethodFilter::DELETE,
    }
}

fn every_verb() -> MethodFilter {
    MethodFilter::GET
        .or(MethodFilter::POST)
        .or(MethodFilter::PUT)
        .or(MethodFilter::PATCH)
        .or(MethodFilter::DELETE)
        .or(MethodFilter::HEAD)
        .or(MethodFilter::OPTIONS)
}

/// Runs what may panic, and gives the panic's text. Nothing is written to the terminal: the caller has better words.
fn quietly<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    // The hook belongs to the whole process.
    static HOOK: Mutex<()> = Mutex::new(());
    let _one_at_a_time = HOOK.lock();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = catch_unwind(AssertUnwindSafe(f));
    std::panic::set_hook(hook);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
    })
}
