//! Jobs in the form of Python's live protocol: `FunctionRequest` with `serialization_format: "json"` (platform contract
//! D.8). They become the plain form, and their answers a `FunctionResponse`.

use std::borrow::Cow;

use flash_core::{Encoded, Fields, Meta, Param, Registration, WireError, code};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The keys that only a `FunctionRequest` has.
const MARKS: [&str; 4] = ["function_name", "class_name", "function_code", "class_code"];

/// A function and its arguments in the plain form.
#[derive(Debug)]
pub(crate) struct Plain {
    pub(crate) function: &'static Registration,
    /// The input of a job, as JSON.
    pub(crate) input: String,
}

/// Whether the fields are a `FunctionRequest`, and not the arguments of a function that happens to have such parameters.
pub(crate) fn is_one(fields: &Fields<'_>, functions: &[&'static Registration]) -> bool {
    let is_param = |name: &str| {
        functions.iter().any(|function| function.meta().params.iter().any(|param| param.name == name))
    };
    MARKS.iter().any(|mark| fields.contains(mark) && !is_param(mark))
}

/// Reads a request for one of these functions.
///
/// # Errors
/// Code instead of a name, another format than JSON, an unknown function, arguments that do not bind.
pub(crate) fn read(fields: &mut Fields<'_>, functions: &[&'static Registration]) -> Result<Plain, WireError> {
    for key in ["function_code", "class_code", "modules"] {
        let code = fields.remove(key);
        if !matches!(code, None | Some("null" | "{}" | "\"\"")) {
            return Err(invalid(
                key,
                "code is never run; this endpoint runs the functions that it was built with\nhelp: send the name only",
            ));
        }
    }
    match text(fields, "serialization_format")?.as_deref() {
        Some("json") => {}
        Some("cloudpickle") | None => {
            return Err(invalid(
                "serialization_format",
                "arguments in Python's cloudpickle format cannot be read\nhelp: send \"serialization_format\": \"json\" \
                 with plain values in `args` and `kwargs`",
            ));
        }
        Some(other) => {
            return Err(invalid("serialization_format", format!("unknown format `{other}`; it is `json`")));
        }
    }
    let request = Request::take(fields)?;
    let (function, init) = match request.execution.as_deref() {
        None | Some("function") => {
            let name = request.function.ok_or_else(|| invalid("function_name", "missing field"))?;
            (by_name(functions, &name)?, None)
        }
        Some("class") => {
            let class = request.class.ok_or_else(|| invalid("class_name", "missing field"))?;
            let function = method(functions, &class, request.method.as_deref())?;
            let params = function.meta().class.map_or(&[][..], |method| method.class.params);
            (function, Some(bind("constructor_", &request.init_args, request.init_kwargs.as_ref(), params)?))
        }
        Some(other) => {
            return Err(invalid(
                "execution_type",
                format!("unknown type `{other}`; it is `function` or `class`"),
            ));
        }
    };
    let mut input = bind("", &request.args, request.kwargs.as_ref(), function.meta().params)?;
    if let Some(init) = init.filter(|init| init != "{}") {
        input.pop();
        let comma = if input.len() > 1 { "," } else { "" };
        input.push_str(&format!("{comma}\"init\":{init}}}"));
    }
    Ok(Plain { function, input })
}

/// The answer to a request that succeeded, as Python's workers send it: with every key.
pub(crate) fn success(result: &Encoded) -> Encoded {
    let json = RawValue::from_string(String::from_utf8_lossy(&result.json).into_owned());
    Response { success: true, json_result: json.ok(), ..Response::default() }.encode()
}

/// The answer to a request that failed: the job succeeds with it, as with Python's workers.
pub(crate) fn failure(error: &WireError) -> Encoded {
    let text = format!("{} ({})", error.message, error.code);
    Response { error: Some(text), ..Response::default() }.encode()
}

#[derive(Serialize, Default)]
struct Response {
    success: bool,
    result: Option<()>,
    json_result: Option<Box<RawValue>>,
    error: Option<String>,
    stdout: Option<()>,
    instance_id: Option<()>,
    instance_info: Option<()>,
}

impl Response {
    fn encode(&self) -> Encoded {
        // Texts and JSON always encode.
        Encoded::of_json(serde_json::to_vec(self).unwrap_or_default())
    }
}

/// What the fields of a request say.
struct Request<'a> {
    execution: Option<String>,
    function: Option<String>,
    class: Option<String>,
    method: Option<String>,
    args: Vec<&'a RawValue>,
    kwargs: Option<Fields<'a>>,
    init_args: Vec<&'a RawValue>,
    init_kwargs: Option<Fields<'a>>,
}

impl<'a> Request<'a> {
    fn take(fields: &mut Fields<'a>) -> Result<Self, WireError> {
        let request = Self {
            execution: text(fields, "execution_type")?,
            function: text(fields, "function_name")?,
            class: text(fields, "class_name")?,
            method: text(fields, "method_name")?,
            args: list(fields, "args")?,
            kwargs: object(fields, "kwargs")?,
            init_args: list(fields, "constructor_args")?,
            init_kwargs: object(fields, "constructor_kwargs")?,
        };
        // What Python installs or keeps for a request is built into this binary, or there is no need for it.
        for key in [
            "dependencies",
            "system_dependencies",
            "instance_id",
            "create_new_instance",
            "accelerate_downloads",
        ] {
            fields.remove(key);
        }
        match fields.json_entries().next() {
            Some((name, _)) => Err(invalid(name, "unknown field of a FunctionRequest")),
            None => Ok(request),
        }
    }
}

fn text(fields: &mut Fields<'_>, key: &str) -> Result<Option<String>, WireError> {
    let Some(json) = fields.remove(key).filter(|json| *json != "null") else { return Ok(None) };
    serde_json::from_str(json).map(Some).map_err(|_| invalid(key, "expected a string"))
}

fn list<'a>(fields: &mut Fields<'a>, key: &str) -> Result<Vec<&'a RawValue>, WireError> {
    let Some(json) = fields.remove(key).filter(|json| *json != "null") else { return Ok(Vec::new()) };
    serde_json::from_str(json).map_err(|_| invalid(key, "expected a list"))
}

fn object<'a>(fields: &mut Fields<'a>, key: &str) -> Result<Option<Fields<'a>>, WireError> {
    let Some(json) = fields.remove(key).filter(|json| *json != "null") else { return Ok(None) };
    let origin = flash_core::Origin::Input;
    Fields::from_json(origin, json.as_bytes()).map(Some).map_err(|_| invalid(key, "expected an object"))
}

/// Arguments by the order of the declaration, and by name, as one JSON object.
fn bind(
    prefix: &str,
    args: &[&RawValue],
    kwargs: Option<&Fields<'_>>,
    params: &'static [Param],
) -> Result<String, WireError> {
    // What selects the instance of a class is no argument of its method.
    let params: Vec<_> = params.iter().filter(|param| !(prefix.is_empty() && is_init(param))).collect();
    if args.len() > params.len() {
        let text = format!("{} values for {} parameters", args.len(), params.len());
        return Err(invalid(&format!("{prefix}args"), text));
    }
    let mut bound: Vec<(Cow<'_, str>, &str)> =
        params.iter().zip(args).map(|(param, json)| (param.name.into(), json.get())).collect();
    for (name, json) in kwargs.into_iter().flat_map(Fields::json_entries) {
        if bound.iter().any(|(known, _)| known == name) {
            let text = "the argument is given twice, by position and by name";
            return Err(invalid(&format!("{prefix}kwargs.{name}"), text));
        }
        bound.push((name.to_owned().into(), json));
    }
    let mut object = String::from("{");
    for (index, (name, json)) in bound.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        object.push_str(&format!("{comma}{}:{json}", Value::from(&**name)));
    }
    object.push('}');
    Ok(object)
}

fn is_init(param: &Param) -> bool {
    param.name == "init" && param.type_text == "Init"
}

fn by_name(functions: &[&'static Registration], name: &str) -> Result<&'static Registration, WireError> {
    let is_it = |meta: &Meta| meta.class.is_none() && (meta.name == name || meta.ident == name);
    let plain = || functions.iter().copied().filter(|function| function.meta().class.is_none());
    plain().find(|function| is_it(function.meta())).ok_or_else(|| {
        let known =
            plain().map(|function| format!("`{}`", function.meta().name)).collect::<Vec<_>>().join(", ");
        unknown(format!("no function `{name}` on this endpoint; known functions: {known}"))
    })
}

/// `__call__` is what Python says where a class has one method.
fn method(
    functions: &[&'static Registration],
    class: &str,
    method: Option<&str>,
) -> Result<&'static Registration, WireError> {
    let methods: Vec<_> = functions
        .iter()
        .copied()
        .filter(|function| function.meta().class.is_some_and(|method| method.class.name == class))
        .collect();
    if methods.is_empty() {
        return Err(unknown(format!("no class `{class}` on this endpoint")));
    }
    let named = methods.iter().find(|function| method.is_some_and(|name| function.meta().key() == name));
    match (named, &methods[..], method) {
        (Some(named), ..) => Ok(named),
        (None, [only], None | Some("__call__")) => Ok(only),
        _ => {
            let known = methods
                .iter()
                .map(|function| format!("`{}`", function.meta().key()))
                .collect::<Vec<_>>()
                .join(", ");
            let name = method.unwrap_or("__call__");
            Err(unknown(format!("class `{class}` has no method `{name}`; known methods: {known}")))
        }
    }
}

fn invalid(field: &str, text: impl std::fmt::Display) -> WireError {
    WireError::new(code::INVALID_INPUT, format!("input.{field}: {text}")).with_status(422).terminal()
}

fn unknown(text: String) -> WireError {
    WireError::new(code::UNKNOWN_FUNCTION, text).terminal()
}
