use flash_core::{App, Fields, Origin, Registration, Registry, Remote, Scope, WireError};

const LIMIT: usize = 1_000_000;

/// Runs a function as a door does: JSON in, JSON out.
pub(crate) async fn run<R: Remote>(input: &str) -> Result<String, WireError> {
    let registration: &'static Registration = Box::leak(Box::new(Registration::of::<R>()));
    let app = App::new(Registry::of([registration]).expect("one function clashes with nothing"));
    let fields = Fields::from_json(Origin::Input, input.as_bytes())?;
    let scope = Scope::builder(app).request_id("request-1").function(R::META).build();
    let encoded = registration.start(fields, scope, LIMIT)?.run_whole().await?;
    Ok(String::from_utf8(encoded.json).expect("JSON is UTF-8"))
}

/// The arguments as JSON.
pub(crate) fn encode<R: Remote>(args: &R::Args) -> String {
    let mut fields = flash_core::FieldWriter::new(LIMIT);
    R::encode(args, &mut fields);
    String::from_utf8(fields.finish().expect("the arguments fit")).expect("JSON is UTF-8")
}

/// The arguments from JSON; `None` where one is missing or wrong.
pub(crate) fn decode<R: Remote>(input: &str) -> Option<R::Args> {
    let mut fields = Fields::from_json(Origin::Input, input.as_bytes()).expect("the input is an object");
    R::decode(&mut fields)
}
