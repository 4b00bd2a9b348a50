//! Every rule has its words, and every broken rule of an item is reported in the same run. Where each error points is
//! tested by the compile-fail cases of `flash/tests/ui`.

use super::{compile_errors, tokens};
use crate::entry;

const GOOD: &str = "resource = GPU";

#[track_caller]
fn check(attr: &str, item: &str, expected: &[&str]) {
    let errors = compile_errors(entry::remote(tokens(attr), &tokens(item)));
    let first_lines: Vec<_> = errors.iter().map(|text| text.lines().next().unwrap_or_default()).collect();
    assert_eq!(first_lines, expected, "#[remote({attr})] {item}");
    check_style(&errors);
}

#[track_caller]
fn check_derive(item: &str, expected: &[&str]) {
    let errors = compile_errors(entry::derive_remote_error(tokens(item)));
    let first_lines: Vec<_> = errors.iter().map(|text| text.lines().next().unwrap_or_default()).collect();
    assert_eq!(first_lines, expected, "{item}");
    check_style(&errors);
}

/// "failed to {error}" reads well, and what to do stands on a line of its own.
#[track_caller]
fn check_style(errors: &[String]) {
    for error in errors {
        let first = error.chars().next().expect("an error says something");
        assert!(!first.is_uppercase(), "{error}");
        assert!(!error.ends_with('.'), "{error}");
        assert!(error.lines().skip(1).all(|line| line.starts_with("help: ")), "{error}");
    }
}

fn function(parameters: &str) -> String {
    format!("async fn f({parameters}) -> Result<u8, E> {{ body }}")
}

#[test]
fn arguments() {
    let f = &function("");
    check("", f, &["missing `resource`: a remote function belongs to an endpoint"]);
    check(
        "method = \"POST\", path = \"/x\"",
        f,
        &["missing `resource`: a remote function belongs to an endpoint"],
    );
    check("resorce = GPU", f, &["unknown argument `resorce`; did you mean `resource`?"]);
    check("resource = GPU, resource = API", f, &["`resource` specified more than once"]);
    check("resource = \"gpu\"", f, &["`resource` is the path of a `static`, such as `GPU`"]);
    check("resource = Endpoint::queue(\"gpu\")", f, &["`resource` is the path of a `static`, such as `GPU`"]);
    check("resource = GPU, name = wire", f, &["`name` is a string literal"]);
    check("resource = GPU, name", f, &["`name` needs a value"]);
    check("resource = GPU, handle = \"F\"", f, &["`handle` is the name of a type"]);
    check("resource = GPU, calls = g", f, &["`calls` lists remote functions"]);
    check("resource = GPU, calls(g, 1)", f, &["expected identifier"]);
    check("resource = GPU, calls()", f, &[]);
    check(
        "resource = GPU, crate = sdk",
        f,
        &["the crate path must be absolute: generated code is used in other scopes than this one"],
    );
    check(
        "resource = GPU, inline",
        f,
        &["`inline` is for sync functions: an async function runs in place anyway"],
    );
    check("resource = GPU, inline = true", f, &["`inline` has no value"]);
}

#[test]
fn routes() {
    let http = |path: &str| format!("resource = API, method = \"POST\", path = \"{path}\"");
    let f = &function("id: u8");
    check(&http("/x/{id}"), f, &[]);
    check(&http("/"), f, &[]);
    check(&http("x"), f, &["path must start with `/`"]);
    check(&http("/x/{ids}"), f, &["path parameter `{ids}` has no matching function parameter"]);
    check(&http("/x/{id}/{id}"), f, &["path parameter `{id}` occurs twice"]);
    check(&http("/x/{id}.json"), f, &["`{id}.json` is not a path parameter: braces enclose a whole segment"]);
    check(&http("/x/{}"), f, &["path parameter `{}` has no matching function parameter"]);
    check(&http("/x?y={id}"), f, &["path must not contain '?'"]);
    check(&http("/a b"), f, &["path must not contain ' '"]);
    check(&http("/execute"), f, &["`/execute` is reserved by the worker"]);
    check(&http("/ping/"), f, &["`/ping/` is reserved by the worker"]);
    check(&http("/ping/{id}"), f, &[]);
    check(
        &http("/x/{model}"),
        &function("model: State<M>"),
        &["path parameter `{model}` names an injected parameter, which does not travel"],
    );
    check(
        &http("/x/{id}"),
        &function("#[remote(rename = \"key\")] id: u8"),
        &["path parameter `{id}` has no matching function parameter: `id` is sent as `key`"],
    );
    // The parameter breaks a rule of its own; that its name is in the path is right.
    check(
        &http("/x/{id}"),
        &function("id: &str"),
        &["parameter `id` must be owned: it is deserialized from the request"],
    );
    check("resource = API, method = \"POST\"", f, &["`method` without `path`: an HTTP route has both"]);
    check("resource = API, path = \"/x\"", f, &["`path` without `method`: an HTTP route has both"]);
    check(
        "resource = API, method = \"post\", path = \"/x\"",
        f,
        &["unknown method `post`; did you mean `POST`?"],
    );
    check("resource = API, method = \"FETCH\", path = \"/x\"", f, &["unknown method `FETCH`"]);
    check("resource = GPU, status = 201", f, &["`status` is for HTTP routes: a job in a queue has none"]);
    check(
        "resource = API, method = \"POST\", path = \"/x\", status = 404",
        f,
        &["`status` is the status of a success, from 200 to 299"],
    );
    check(
        "resource = API, method = \"POST\", path = \"/x\", status = 70000",
        f,
        &["`status` is the status of a success, from 200 to 299"],
    );
}

#[test]
fn signatures() {
    check(
        GOOD,
        "async fn f<T>(x: T) -> Result<u8, E> { b }",
        &["remote function `f` must not have generics"],
    );
    check(
        GOOD,
        "async fn f<'a>(x: &'a str) -> Result<u8, E> { b }",
        &["parameter `x` must be owned: it is deserialized from the request"],
    );
    check(
        GOOD,
        "async fn f<'a>(x: u8) -> Result<u8, E> { b }",
        &["remote function `f` must not have lifetimes: its arguments come from a request"],
    );
    check(
        GOOD,
        "async fn f() -> Result<u8, E> where u8: Copy { b }",
        &["remote function `f` must not have a `where` clause"],
    );
    check(GOOD, "const fn f() -> Result<u8, E> { b }", &["remote function `f` must not be `const`"]);
    check(
        GOOD,
        "unsafe fn f() -> Result<u8, E> { b }",
        &["remote function `f` must be safe: anyone may send it arguments"],
    );
    check(
        GOOD,
        "extern \"C\" fn f() -> Result<u8, E> { b }",
        &["remote function `f` must have the Rust ABI"],
    );
    check(
        GOOD,
        "unsafe extern \"C\" fn f(x: u8, ...) -> Result<u8, E> { b }",
        &[
            "remote function `f` must be safe: anyone may send it arguments",
            "remote function `f` must have the Rust ABI",
            "remote function `f` must not be variadic",
        ],
    );
    check(GOOD, "async fn f() { b }", &["remote functions must return a `Result`"]);
    check(
        GOOD,
        "async fn f() -> Result<&str, E> { b }",
        &["the result must be owned: it is sent to the caller"],
    );
    check(
        GOOD,
        "async fn f() -> impl Future { b }",
        &["the result needs a type with a name: `impl Trait` cannot be sent to the caller"],
    );
    check(GOOD, "async fn f() -> Result<Self, E> { b }", &["`Self` is only known inside an `impl` block"]);
    check(
        GOOD,
        "async fn f();",
        &["remote functions must return a `Result`", "remote function `f` needs a body"],
    );
    check(
        GOOD,
        "async fn f32() -> Result<u8, E> { b }",
        &["a remote function cannot be named `f32`: its handle would hide the primitive type"],
    );
    check("resource = GPU, handle = F", "async fn f32() -> Result<u8, E> { b }", &[]);
    check(
        "resource = GPU, handle = str",
        "async fn f() -> Result<u8, E> { b }",
        &["a handle cannot be named `str`: it would hide the primitive type"],
    );
}

#[test]
fn names() {
    let rule = "cannot be a name on the wire: a name has 1 to 63 letters, digits, `-` or `_`, and begins with a letter or a digit";
    let long = "x".repeat(64);
    for name in ["", "two words", "grüße", "-x", "_x", "a/b", &*long] {
        check(&format!("resource = GPU, name = \"{name}\""), &function(""), &[&format!("`{name}` {rule}")]);
    }
    for name in ["01_hello", "x", "a-b_c"] {
        check(&format!("resource = GPU, name = \"{name}\""), &function(""), &[]);
    }
    check(GOOD, "async fn _f() -> Result<u8, E> { b }", &[&format!("`_f` {rule}")]);
}

#[test]
fn parameters() {
    let one = |parameter: &str, expected: &[&str]| check(GOOD, &function(parameter), expected);
    one("&self", &["`self` is only allowed inside of an `impl` block that is remote itself"]);
    one("(a, b): (u8, u8)", &["remote parameters are sent by name, so a pattern is not allowed here"]);
    one("_: u8", &["remote parameters are sent by name, so a pattern is not allowed here"]);
    one("mut a: u8", &[]);
    one("x: &[&str]", &["parameter `x` must be owned: it is deserialized from the request"]);
    one("x: Vec<Cow<'_, str>>", &["parameter `x` must be owned: it is deserialized from the request"]);
    one("x: Cow<'static, str>", &[]);
    one("x: (u8, Option<&u8>)", &["parameter `x` must be owned: it is deserialized from the request"]);
    one(
        "x: impl Into<String>",
        &["parameter `x` needs a concrete type: it is deserialized from the request"],
    );
    one("x: &State<M>", &["parameter `x` must be owned: it is deserialized from the request"]);
    one("__flash: u8", &["a parameter cannot be sent as `__flash`: the key is reserved in a job's input"]);
    one(
        "#[remote(rename = \"__empty\")] x: u8",
        &["a parameter cannot be sent as `__empty`: the key is reserved in a job's input"],
    );
    one("#[remote(rename = \"\")] x: u8", &["a parameter's name on the wire must not be empty"]);
    one("#[remote(rename = \"b\")] a: u8, b: u8", &["two parameters are sent as `b`"]);
    one("#[remote(defualt)] x: u8", &["unknown argument `defualt`; did you mean `default`?"]);
    one("#[remote(default, default = 3)] x: u8", &["`default` specified more than once"]);
    one("#[remote(default = )] x: u8", &["`default =` needs a value"]);
    one("#[remote(rename)] x: u8", &["`rename` needs the name on the wire"]);
    one("#[remote] x: u8", &["`#[remote]` on a parameter needs an argument"]);
    one(
        "#[remote(default)] model: State<M>",
        &["parameter `model` is injected, so `default` has no meaning for it"],
    );
    one(
        "#[remote(inject, rename = \"y\")] x: X",
        &["parameter `x` is injected, so `rename` has no meaning for it"],
    );
    one(
        "#[cfg(unix)] x: u8",
        &["a remote function has the same parameters in every build, so `cfg` is not allowed here"],
    );
}

#[test]
fn the_help_says_what_to_write() {
    let help = |parameter: &str| {
        let errors = compile_errors(entry::remote(tokens(GOOD), &tokens(&function(parameter))));
        errors[0].lines().last().unwrap_or_default().to_owned()
    };
    assert_eq!(help("x: &str"), "help: use `String` instead of `&str`");
    assert_eq!(help("x: &mut [u8]"), "help: use `Vec<u8>` instead of `&mut [u8]`");
    assert_eq!(help("x: &[&str]"), "help: use `Vec<String>` instead of `&[&str]`");
    assert_eq!(help("x: Vec<&std::path::Path>"), "help: use `PathBuf` instead of `&std::path::Path`");
    assert_eq!(
        help("x: &'static HashMap<String, u8>"),
        "help: use `HashMap<String, u8>` instead of `&'static HashMap<String, u8>`"
    );
    assert_eq!(help("x: Cow<'_, str>"), "help: use a type without lifetimes");
}

#[test]
fn all_problems_at_once() {
    check(
        "resorce = GPU, method = \"GETT\", path = \"x\"",
        "const unsafe fn i64<T>((a, b): (T, &u8), c: impl Copy) { }",
        &[
            "unknown argument `resorce`; did you mean `resource`?",
            "remote function `i64` must not be `const`",
            "remote function `i64` must be safe: anyone may send it arguments",
            "a remote function cannot be named `i64`: its handle would hide the primitive type",
            "remote function `i64` must not have generics",
            "remote parameters are sent by name, so a pattern is not allowed here",
            "parameter `_` must be owned: it is deserialized from the request",
            "parameter `c` needs a concrete type: it is deserialized from the request",
            "remote functions must return a `Result`",
            "unknown method `GETT`; did you mean `GET`?",
            "path must start with `/`",
        ],
    );
}

#[test]
fn remote_errors() {
    check_derive("enum E { A, B(u8), C { x: u8 } }", &[]);
    check_derive("enum E {}", &[]);
    check_derive("struct E;", &[]);
    check_derive("#[remote(code = \"e\", status = 404)] struct E(u8);", &[]);
    check_derive(
        "enum E<T> { A(T) }",
        &["remote error `E` must not have generics: the caller decodes a concrete type"],
    );
    check_derive("union E { a: u8 }", &["a union cannot be a remote error"]);
    check_derive(
        "enum E { #[remote(code = \"Too Long\")] TooLong }",
        &["`Too Long` is not a code: a code has lower-case ASCII letters, digits and `_`"],
    );
    check_derive(
        "enum E { Größe }",
        &["`Größe` makes no code: a code has lower-case ASCII letters, digits and `_`"],
    );
    check_derive("enum E { A, #[remote(code = \"a\")] B }", &["`A` and `B` have the same code `a`"]);
    check_derive(
        "enum E { #[remote(status = 200)] A }",
        &["`status` is the status of a failure, from 400 to 599"],
    );
    check_derive(
        "enum E { #[remote(retryable, terminal)] A }",
        &["an error is `retryable` or `terminal`, not both"],
    );
    check_derive(
        "enum E { #[remote(retriable)] A }",
        &["unknown argument `retriable`; did you mean `retryable`?"],
    );
    check_derive("#[remote(code = \"e\")] enum E { A }", &["unknown argument `code`"]);
    check_derive("enum E { #[remote(call)] A }", &["`call` is for a variant with one unnamed field"]);
    check_derive("enum E { #[remote(call)] A(u8, u8) }", &["`call` is for a variant with one unnamed field"]);
    check_derive(
        "enum E { #[remote(call, opaque)] A(CallError<F>) }",
        &["`call` and `opaque` exclude each other: of a failed call only its code is sent anyway"],
    );
    check_derive(
        "enum E { #[remote(call)] A(#[from] CallError<F>) }",
        &["`#[remote(call)]` implements `From` already"],
    );
    check_derive(
        "enum E { #[remote(call)] A(CallError<F>), #[remote(call)] B(CallError<F>) }",
        &["two variants take the same failed call, so `?` could not choose"],
    );
    check_derive(
        "enum E { A(#[remote(call)] CallError<F>) }",
        &["`#[remote]` goes on the variant, not on its field"],
    );
    check_derive("enum E { #[remote] A }", &["`#[remote]` on an error needs an argument"]);
}

#[test]
fn stateful_workers() {
    let init = "#[remote(init)] async fn new() -> Result<Self, E> { b }";
    let good = "#[remote] async fn go(&self, x: u8) -> Result<u8, E> { b }";
    let class = |members: &str| format!("impl Worker {{ {members} fn helper(&self) -> &str {{ b }} }}");
    let route = "#[remote(method = \"POST\", path = \"/x\")] async fn route(&self) -> Result<u8, E> { b }";
    check(GOOD, &class(&format!("{init} {good}")), &[]);
    check(
        "",
        &class(&format!("{init} {good}")),
        &["missing `resource`: a stateful worker belongs to an endpoint"],
    );
    check(GOOD, &class(good), &["stateful worker `Worker` has no constructor"]);
    check(GOOD, &class(init), &["stateful worker `Worker` has no remote method"]);
    let second = init.replace("new", "other");
    check(GOOD, &class(&format!("{init} {good} {second}")), &["a stateful worker has one constructor"]);
    let exit = "#[remote(exit)] fn a(&self) { }";
    let two = format!("{init} {good} {exit} {}", exit.replace("fn a", "fn b"));
    check(GOOD, &class(&two), &["a stateful worker has one exit method"]);
    let exit_with = exit.replace("&self", "&self, why: u8");
    check(
        GOOD,
        &class(&format!("{init} {good} {exit_with}")),
        &["an exit method has no parameters: nobody calls it"],
    );
    let shared = "the worker is shared between concurrent jobs, so methods take `&self`";
    for receiver in ["&mut self", "self", "mut self", "self: Arc<Self>"] {
        let method = good.replace("&self", receiver);
        check(GOOD, &class(&format!("{init} {method}")), &[shared]);
        let exit = exit.replace("&self", receiver);
        check(GOOD, &class(&format!("{init} {good} {exit}")), &[shared]);
    }
    let free = good.replace("&self, ", "");
    check(GOOD, &class(&format!("{init} {free}")), &["method `go` needs `&self`"]);
    let key = good.replace("x: u8", "method: u8");
    check(GOOD, &class(&format!("{init} {key}")), &[]);
    check(
        GOOD,
        &class(&format!("{init} {key} {}", good.replace("go", "other"))),
        &["a parameter cannot be sent as `method` where a worker has several methods: the key selects one"],
    );
    check(
        GOOD,
        &class(&format!("{init} {}", good.replace("x: u8", "init: u8"))),
        &["a parameter of a method cannot be sent as `init`: the key holds the constructor arguments"],
    );
    check(
        GOOD,
        &class(&format!("{init} {}", good.replace("x: u8", "__flash: u8"))),
        &["a parameter cannot be sent as `__flash`: the key is reserved in a job's input"],
    );
    check(GOOD, &class(&format!("{init} {route}")), &[]);
    check(
        GOOD,
        &class(&format!("{init} {route} {good}")),
        &["method `go` needs a route, as the other methods have"],
    );
    let routed_init = init.replace("init", "init, status = 201");
    check(
        GOOD,
        &class(&format!("{routed_init} {good}")),
        &["a constructor is no route, so `status` has no meaning for it"],
    );
    let same = format!(
        "{init} {good} {}",
        good.replace("fn go", "fn other").replace("#[remote]", "#[remote(name = \"go\")]")
    );
    check(GOOD, &class(&same), &["two methods have the name `Worker-go` on the wire"]);
    check(
        GOOD,
        &class(&format!("{init} {good} fn remote() {{}}")),
        &["the name `remote` is taken: it gives the type's client"],
    );
    check(
        GOOD,
        &format!("impl<T> Worker<T> {{ {init} {good} }}"),
        &["a stateful worker must not have generics"],
    );
    check(
        GOOD,
        &format!("impl Work for Worker {{ {good} }}"),
        &["`#[remote]` is for a type's own methods, not for those of a trait"],
    );
    check(
        GOOD,
        &format!("impl [Worker] {{ {init} {good} }}"),
        &["a stateful worker is a type with a name and without arguments"],
    );
    check(
        GOOD,
        &class(&format!("{init} {} ", good.replace("go(", "go<T>("))),
        &["remote function `go` must not have generics"],
    );
    check(
        GOOD,
        &class(&format!("{init} {good} #[remote] const A: u8 = 1;")),
        &["`#[remote]` inside of an `impl` block is for functions"],
    );
    check("resource = GPU, path = \"/x\"", &class(&format!("{init} {good}")), &["unknown argument `path`"]);
}

#[test]
fn codes_of_the_platform_are_refused() {
    let own = "the code `timeout` is the platform's own: callers could not tell this error from its";
    check_derive("enum E { Timeout }", &[own]);
    check_derive("enum E { #[remote(code = \"timeout\")] Slow }", &[own]);
    check_derive("struct Timeout;", &[own]);
    check_derive("enum E { #[remote(code = \"model_timeout\")] Timeout }", &[]);
}
