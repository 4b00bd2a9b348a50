use flash_core::{App, Endpoint, Method, Registration};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The functions of one endpoint by path and verb.
#[derive(Debug)]
pub(crate) struct Routes {
    table: matchit::Router<Verbs>,
}

/// The functions of one path, by verb.
type Verbs = [Option<Route>; 5];

/// A function, and what its answers are like.
#[derive(Debug)]
pub(crate) struct Route {
    pub(super) function: &'static Registration,
    /// Bytes of the last answer.
    answer: AtomicUsize,
}

impl Route {
    /// About how many bytes an answer will have: an eighth more than the last, because a text that outgrows its room is moved.
    #[inline]
    pub(super) fn expected(&self) -> usize {
        let last = self.answer.load(Ordering::Relaxed);
        last + last / 8
    }

    #[inline]
    pub(super) fn answered(&self, bytes: usize) {
        self.answer.store(bytes, Ordering::Relaxed);
    }
}

impl Routes {
    /// The routes of `endpoint`.
    ///
    /// # Errors
    /// Paths that match the same requests, such as `/{id}` and `/{name}`, each with its function.
    pub(crate) fn new(app: &App, endpoint: &Endpoint) -> Result<Self, String> {
        let mut paths: BTreeMap<&'static str, Verbs> = BTreeMap::new();
        for function in app.registry().functions_of(endpoint.name()) {
            let Some(route) = function.meta().http else { continue };
            paths.entry(route.path).or_default()[index(route.method)] =
                Some(Route { function, answer: AtomicUsize::new(0) });
        }
        let mut table = matchit::Router::new();
        let mut problems = Vec::new();
        for (path, verbs) in paths {
            if let Err(error) = table.insert(path, verbs) {
                let functions = app.registry().functions_of(endpoint.name()).map(Registration::meta);
                let functions: Vec<String> = functions
                    .filter(|meta| meta.http.is_some_and(|route| route.path == path))
                    .map(|meta| format!("`{}` at {}", meta.name, meta.location()))
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
    pub(crate) fn find(&self, method: &http::Method, path: &str) -> Option<&Route> {
        self.table.at(path).ok()?.value[index_of(method)?].as_ref()
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
