//! The live protocol of Python's Flash: a function is called by name, with positional and named arguments
//! (platform contract D.8). Only its JSON form is spoken here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;

use super::Raw;

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

    /// A call of a method of a class.
    #[must_use]
    pub fn method(class: impl Into<String>, method: impl Into<String>) -> Self {
        Self {
            class_name: Some(class.into()),
            method_name: Some(method.into()),
            execution_type: Some("class".to_owned()),
            serialization_format: Some(JSON.to_owned()),
            ..Self::default()
        }
    }

    /// Adds an argument in the order of the declaration.
    ///
    /// # Errors
    /// A value that JSON cannot hold.
    pub fn arg(mut self, value: impl Serialize) -> Result<Self, serde_json::Error> {
        self.args.push(to_raw_value(&value)?);
        Ok(self)
    }

    /// Adds an argument by its name.
    ///
    /// # Errors
    /// A value that JSON cannot hold.
    pub fn kwarg(
        mut self,
        name: impl Into<String>,
        value: impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        self.kwargs.insert(name.into(), to_raw_value(&value)?);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_by_name_has_the_keys_of_python() {
        let call = FunctionRequest::function("f").arg(1).unwrap().kwarg("b", "x").unwrap();
        assert_eq!(
            serde_json::to_string(&call).unwrap(),
            r#"{"function_name":"f","execution_type":"function","args":[1],"kwargs":{"b":"x"},"serialization_format":"json"}"#
        );
        let answer: FunctionResponse =
            serde_json::from_str(r#"{"success":true,"result":null,"json_result":[1],"stdout":""}"#).unwrap();
        assert!(answer.success && answer.json_result.unwrap().get() == "[1]");
    }
}
