//! The live protocol of Python's Flash: a function is called by name, with positional and named arguments
//! (platform contract D.8). Only its JSON form is spoken here; code and pickles are refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Raw;
use crate::encode::FieldWriter;
use crate::error::{WireError, code};
use crate::meta::{Meta, Param};

/// The one format that is understood.
const JSON: &str = "json";

/// A call by name, as a job's `input`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionRequest {
    /// The function, where none of a class is meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_name: Option<String>,
    /// `function` or `class`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_type: Option<String>,
    /// The class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_name: Option<String>,
    /// Its method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method_name: Option<String>,
    /// Arguments in the order of the declaration.
    pub args: Vec<Raw>,
    /// Arguments by name.
    pub kwargs: BTreeMap<String, Raw>,
    /// Arguments of the class's constructor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub constructor_args: Vec<Raw>,
    /// Arguments of the class's constructor, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub constructor_kwargs: BTreeMap<String, Raw>,
    /// How arguments and result are written. Python reads an absent one as `cloudpickle`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serialization_format: Option<String>,
    /// Source code, which is never run here.
    #[serde(skip_serializing)]
    function_code: Option<Raw>,
    /// Source code, which is never run here.
    #[serde(skip_serializing)]
    class_code: Option<Raw>,
}

/// The answer to a [`FunctionRequest`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FunctionResponse {
    /// Whether the function succeeded.
    pub success: bool,
    /// Its result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_result: Option<Raw>,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The parts of an input that tell a call by name from the arguments of a function.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Signs<'a> {
    #[serde(borrow)]
    function_name: Option<&'a RawValue>,
    #[serde(borrow)]
    class_name: Option<&'a RawValue>,
    #[serde(borrow)]
    serialization_format: Option<&'a RawValue>,
    #[serde(borrow)]
    execution_type: Option<&'a RawValue>,
    #[serde(borrow)]
    function_code: Option<&'a RawValue>,
    #[serde(borrow)]
    class_code: Option<&'a RawValue>,
}

impl FunctionRequest {
    /// A call of a function.
    #[must_use]
    pub fn function(name: impl Into<String>) -> Self {
        Self {
            function_name: Some(name.into()),
            execution_type: Some("function".to_owned()),
            serialization_format: Some(JSON.to_owned()),
            ..Self::default()
        }
    }

    /// Whether an input is a call by name.
    #[must_use]
    pub fn is_one(input: &str) -> bool {
        // Nearly no input is one, and none is parsed to find that out.
        if !input.contains("_name\"") {
            return false;
        }
        let signs: Signs<'_> = serde_json::from_str(input).unwrap_or_default();
        (signs.function_name.is_some() || signs.class_name.is_some())
            && (signs.serialization_format.is_some()
                || signs.execution_type.is_some()
                || signs.function_code.is_some()
                || signs.class_code.is_some())
    }

    /// Reads one.
    ///
    /// # Errors
    /// Code, a pickle, or a wrong shape: what to send instead.
    pub fn read(input: &str) -> Result<Self, WireError> {
        let request: Self = serde_json::from_str(input)
            .map_err(|error| refused(format!("the call by name has a wrong shape: {error}")))?;
        for (sent, name) in [(&request.function_code, "function_code"), (&request.class_code, "class_code")] {
            if sent.as_ref().is_some_and(|code| code.get() != "null" && code.get() != "\"\"") {
                return Err(refused(format!(
                    "`{name}` is refused: this worker runs its own functions and no code that is sent to it\nhelp: leave \
                     `{name}` out, and deploy the function"
                )));
            }
        }
        match request.serialization_format.as_deref() {
            Some(JSON) => Ok(request),
            None => Err(refused(
                "`serialization_format` is missing, which means cloudpickle, and that is refused\nhelp: add \
                 \"serialization_format\": \"json\" and send the arguments as JSON",
            )),
            Some(other) => Err(refused(format!(
                "`serialization_format` `{other}` is refused\nhelp: send \"serialization_format\": \"json\" and the \
                 arguments as JSON"
            ))),
        }
    }

    /// Whether this function is meant.
    #[must_use]
    pub fn means(&self, meta: &Meta) -> bool {
        match (meta.class, &self.class_name) {
            (Some(method), Some(class)) => {
                class == method.class.name
                    && self.method_name.as_deref().is_none_or(|name| name == method.key)
            }
            (None, None) => {
                self.function_name.as_deref().is_some_and(|name| name == meta.name || name == meta.ident)
            }
            _ => false,
        }
    }

    /// What it calls, in words.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.class_name, &self.method_name, &self.function_name) {
            (Some(class), Some(method), _) => format!("{class}.{method}"),
            (Some(class), None, _) => class.clone(),
            (None, _, function) => function.clone().unwrap_or_default(),
        }
    }

    /// The arguments by name, as the function reads them.
    ///
    /// # Errors
    /// More arguments than parameters, or one that is given twice.
    pub fn bind(&self, meta: &Meta) -> Result<String, WireError> {
        let mut writer = FieldWriter::new(usize::MAX);
        bind(&mut writer, &self.args, &self.kwargs, meta.params)?;
        if let Some(method) = meta.class
            && (!self.constructor_args.is_empty() || !self.constructor_kwargs.is_empty())
        {
            let mut init = FieldWriter::new(usize::MAX);
            bind(&mut init, &self.constructor_args, &self.constructor_kwargs, method.class.params)?;
            writer.put_raw("init", &init.finish()?);
        }
        String::from_utf8(writer.finish()?).map_err(|error| refused(error.to_string()))
    }
}

fn bind(
    writer: &mut FieldWriter,
    args: &[Raw],
    kwargs: &BTreeMap<String, Raw>,
    params: &[Param],
) -> Result<(), WireError> {
    if args.len() > params.len() {
        let text = format!("{} arguments are too many: there are {} parameters", args.len(), params.len());
        return Err(refused(text));
    }
    for (arg, param) in args.iter().zip(params) {
        if kwargs.contains_key(param.name) {
            return Err(refused(format!(
                "argument `{}` is given twice, in `args` and in `kwargs`",
                param.name
            )));
        }
        writer.put_raw(param.name, arg.get().as_bytes());
    }
    for (name, value) in kwargs {
        writer.put_raw(name, value.get().as_bytes());
    }
    Ok(())
}

fn refused(text: impl Into<String>) -> WireError {
    WireError::new(code::INVALID_REQUEST, text).terminal()
}

impl FunctionResponse {
    /// The answer with a result, as JSON text.
    #[must_use]
    pub fn success(result: &[u8]) -> Vec<u8> {
        [br#"{"success":true,"json_result":"#.as_slice(), result, b"}"].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_by_name_is_told_from_arguments() {
        for (input, is_one) in [
            (r#"{"function_name":"f","args":[],"serialization_format":"json"}"#, true),
            (r#"{"class_name":"C","execution_type":"class"}"#, true),
            (r#"{"function_name":"f","function_code":"def f(): pass"}"#, true),
            (r#"{"function_name":"f"}"#, false),
            (r#"{"text":"function_name\" serialization_format"}"#, false),
            (r#"[1]"#, false),
        ] {
            assert_eq!(FunctionRequest::is_one(input), is_one, "{input}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused_with_what_to_send() {
        let error = |input: &str| FunctionRequest::read(input).unwrap_err().message;
        assert!(error(r#"{"function_name":"f"}"#).contains(r#"add "serialization_format": "json""#));
        assert!(error(r#"{"serialization_format":"cloudpickle"}"#).contains("`cloudpickle` is refused"));
        assert!(
            error(r#"{"serialization_format":"json","function_code":"x"}"#)
                .contains("`function_code` is refused")
        );
        assert!(
            error(r#"{"serialization_format":"json","class_code":{}}"#).contains("`class_code` is refused")
        );
        assert!(error(r#"{"serialization_format":"json","args":{}}"#).contains("wrong shape"));
        assert!(
            FunctionRequest::read(r#"{"serialization_format":"json","function_code":null,"x":1}"#).is_ok()
        );
    }
}
