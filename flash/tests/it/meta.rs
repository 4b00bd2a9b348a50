//! What is known of a function before it runs.

use flash::{Context, Endpoint, Error, FromWorker, State, Worker, remote};
use flash_core::{DoorKind, Method, Remote};

mod endpoints {
    use flash::Endpoint;

    pub(crate) static API: Endpoint = Endpoint::http("meta-api");
}

static GPU: Endpoint = Endpoint::queue("meta-gpu");

pub(crate) struct Dictionary;

impl FromWorker for Dictionary {
    type Error = String;

    async fn from_worker(_: &Worker) -> Result<Self, String> {
        Ok(Self)
    }
}

/// Counts the words
/// of a text.
///
/// Not part of the summary.
#[remote(resource = GPU)]
async fn count_words(
    text: String,
    #[remote(default = 2)] min: usize,
    dictionary: State<Dictionary>,
    language: Option<String>,
    context: Context,
    #[remote(default, rename = "type")] kind: Vec<Vec<u8>>,
) -> Result<usize, Error> {
    let _ = (dictionary, language, context, kind);
    Ok(text.split_whitespace().filter(|word| word.len() >= min).count())
}

#[remote(resource = endpoints::API, method = "DELETE", path = "/words/{id}", status = 202, name = "delete-word", calls(count_words))]
fn delete_word(id: u64) -> Result<(), Error> {
    let _ = id;
    Ok(())
}

#[remote(resource = GPU, handle = Twice)]
async fn count_twice(text: String) -> Result<usize, Error> {
    let first = self::count_words::remote(text.clone(), 1, None, Vec::new()).await?;
    Ok(first + count_words::remote(text, 1, None, Vec::new()).await?)
}

#[remote(resource = GPU)]
async fn r#loop(r#in: bool) -> Result<bool, Error> {
    Ok(r#in)
}

#[test]
fn a_function_knows_its_names_its_place_and_its_endpoint() {
    let meta = count_words::META;
    assert_eq!((meta.name, meta.ident), ("count_words", "count_words"));
    assert_eq!(meta.resource.name(), "meta-gpu");
    assert!(std::ptr::eq(meta.resource, &raw const GPU), "the static itself, not a copy");
    assert_eq!(meta.resource_path, "GPU");
    assert_eq!(meta.module, module_path!());
    assert!(meta.file.ends_with("meta.rs"), "{}", meta.file);
    let source = include_str!("meta.rs");
    let line = source.lines().nth(meta.line as usize - 1).expect("the line is in the file");
    assert_eq!(line, "#[remote(resource = GPU)]");
    assert_eq!(meta.doc, "Counts the words of a text.");
    assert!(meta.is_async);
    assert!(meta.http.is_none());
    assert_eq!(meta.door(), DoorKind::Queue);
}

#[test]
fn parameters_that_travel_are_listed_and_injected_ones_are_not() {
    let params: Vec<_> = count_words::META
        .params
        .iter()
        .map(|param| (param.name, param.type_text, param.has_default, param.is_required()))
        .collect();
    assert_eq!(
        params,
        [
            ("text", "String", false, true),
            ("min", "usize", true, false),
            ("language", "Option<String>", false, false),
            ("type", "Vec<Vec<u8>>", true, false),
        ]
    );
    let needs: Vec<_> = count_words::META.needs.iter().filter_map(|need| need.need()).collect();
    assert_eq!(needs.len(), 1, "a context needs nothing to be built");
    assert!(needs[0].type_name().ends_with("Dictionary"));
}

#[test]
fn a_route_is_part_of_the_function() {
    let meta = delete_word::META;
    assert_eq!((meta.name, meta.ident), ("delete-word", "delete_word"));
    let route = meta.http.expect("it has a route");
    assert_eq!((route.method, route.path, route.status), (Method::DELETE, "/words/{id}", 202));
    assert_eq!(meta.resource_path, "endpoints::API");
    assert_eq!(meta.door(), DoorKind::Http);
    assert!(!meta.is_async);
    assert_eq!(meta.doc, "");
}

#[test]
fn calls_are_recorded_as_text_and_declared_ones_as_functions() {
    assert_eq!(Twice::META.calls_seen, ["count_words", "self::count_words"]);
    assert!(Twice::META.calls.is_empty());
    let declared: Vec<_> = delete_word::META.calls.iter().map(|callee| callee().name).collect();
    assert_eq!(declared, ["count_words"]);
    assert!(delete_word::META.calls_seen.is_empty());
}

#[test]
fn a_handle_of_another_name_is_what_callers_write() {
    assert_eq!((Twice::META.name, Twice::META.ident), ("count_twice", "Twice"));
}

#[test]
fn raw_identifiers_travel_without_their_prefix() {
    assert_eq!(r#loop::META.name, "loop");
    assert_eq!(r#loop::META.params[0].name, "in");
}

#[test]
fn every_function_is_registered() {
    let registry = flash::Registry::linked().expect("all names of this binary differ");
    for name in ["count_words", "delete-word", "count_twice", "loop"] {
        assert!(registry.get(name).is_some(), "`{name}` is missing");
    }
    let location = registry.get("loop").expect("it is there").meta().location();
    assert!(location.contains("meta.rs:"), "{location}");
}
