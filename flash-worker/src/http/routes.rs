use flash_core::{App, Endpoint, Method, Registration};
use std::collections::BTreeMap;

/// The functions of one endpoint by path and verb.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    table: matchit::Router<Verbs>,
}

/// The functions of one path, by verb.
type Verbs = [Option<&'static Registration>; 5];

impl Routes {
    /// The routes of `endpoint`.
    ///
    /// # Errors
    /// Paths that match the same requests, such as `/{id}` and `/{name}`, each with its function.
    pub(crate) fn new(app: &App, endpoint: &Endpoint) -> Result<Self, String> {
        let mut paths: BTreeMap<&'static str, Verbs> = BTreeMap::new();
        for function in app.registry().functions_of(endpoint.name()) {
            let Some(route) = function.meta().http else { continue };
            paths.entry(route.path).or_default()[index(route.method)] = Some(function);
        }
        let mut table = matchit::Router::new();
        let mut problems = Vec::new();
        for (path, verbs) in paths {
            if let Err(error) = table.insert(path, verbs) {
                let functions: Vec<String> = verbs
                    .into_iter()
                    .flatten()
                    .map(|function| format!("`{}` at {}", function.meta().name, function.meta().location()))
                    .collect();
                problems.push(format!(
                    "path `{path}` of endpoint `{}` ({}) cannot be served: {error}",
                    endpoint.name(),
                    functions.join(", ")
                ));
            }
        }
        if problems.is_empty() { Ok(Self { table }) } else { Err(problems.join("\n")) }
    }

    /// The function for a verb and a path.
    pub(crate) fn find(&self, method: &http::Method, path: &str) -> Option<&'static Registration> {
        self.table.at(path).ok()?.value[index_of(method)?]
    }
}

fn index(method: Method) -> usize {
    match method {
        Method::GET => 0,
        Method::POST => 1,
        Method::PUT => 2,
        Method::PATCH => 3,
        Method::DELETE => 4,
    }
}

/// `HEAD` is `GET` without the body, which the server leaves out.
fn index_of(method: &http::Method) -> Option<usize> {
    Some(match *method {
        http::Method::GET | http::Method::HEAD => 0,
        http::Method::POST => 1,
        http::Method::PUT => 2,
        http::Method::PATCH => 3,
        http::Method::DELETE => 4,
        _ => return None,
    })
}
