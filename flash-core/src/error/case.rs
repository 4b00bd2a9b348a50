use serde_json::{Map, Value, json};

use crate::error::WireError;
use crate::openapi::{SchemaOf, Schemas};

/// One way in which an error type can be: what a caller can know of it before it happens.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ErrorCase {
    /// The stable code.
    pub code: &'static str,
    /// The HTTP status, where the error has one of its own.
    pub status: Option<u16>,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// Whether the same call can never succeed.
    pub terminal: bool,
    data: Data,
}

#[derive(Debug, Clone, Copy)]
enum Data {
    None,
    /// An object with these fields.
    Named(&'static [&'static str], &'static [Option<SchemaOf>]),
    /// The value itself where there is one, else an array of so many.
    Tuple(usize, &'static [Option<SchemaOf>]),
}

impl ErrorCase {
    /// The case with this code, neither retryable nor terminal.
    #[must_use]
    pub const fn new(code: &'static str) -> Self {
        Self { code, status: None, retryable: false, terminal: false, data: Data::None }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// The same call may succeed later.
    #[must_use]
    pub const fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// The same call can never succeed.
    #[must_use]
    pub const fn terminal(mut self) -> Self {
        self.terminal = true;
        self
    }

    /// The data is an object with these fields.
    #[must_use]
    pub const fn named(
        mut self,
        names: &'static [&'static str],
        schemas: &'static [Option<SchemaOf>],
    ) -> Self {
        self.data = Data::Named(names, schemas);
        self
    }

    /// The data is a value, or an array of `length`.
    #[must_use]
    pub const fn tuple(mut self, length: usize, schemas: &'static [Option<SchemaOf>]) -> Self {
        self.data = Data::Tuple(length, schemas);
        self
    }

    /// The HTTP status that the error is answered with.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        self.status.unwrap_or_else(|| WireError::new(self.code, "").http_status())
    }

    pub(crate) fn data_schema(&self, schemas: &mut Schemas) -> Option<Value> {
        let mut at = |all: &[Option<SchemaOf>], index: usize| {
            all.get(index).copied().flatten().map_or_else(|| json!({}), |schema| schemas.of(schema))
        };
        match self.data {
            Data::None => None,
            Data::Named(names, all) => {
                let fields: Map<String, Value> = names
                    .iter()
                    .enumerate()
                    .map(|(index, name)| ((*name).to_owned(), at(all, index)))
                    .collect();
                Some(json!({ "type": "object", "properties": fields }))
            }
            Data::Tuple(1, all) => Some(at(all, 0)),
            Data::Tuple(length, all) => {
                let items: Vec<_> = (0..length).map(|index| at(all, index)).collect();
                Some(json!({ "type": "array", "prefixItems": items }))
            }
        }
    }
}
