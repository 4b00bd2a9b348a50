//! Reads the fields of a body and collects everything that is wrong with them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::problem::Problem;

/// What was found to be wrong.
#[derive(Debug, Default)]
pub(super) struct Problems(RefCell<Vec<String>>);

impl Problems {
    pub(super) fn add(&self, problem: impl Into<String>) {
        self.0.borrow_mut().push(problem.into());
    }

    /// Fails when there are any.
    pub(super) fn check(self) -> Result<(), Problem> {
        let problems = self.0.into_inner();
        if problems.is_empty() { Ok(()) } else { Err(Problem::invalid(problems)) }
    }
}

/// The fields of one object. Fields that nobody asked for are a problem.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    path: String,
    map: Map<String, Value>,
    problems: &'a Problems,
}

impl<'a> Fields<'a> {
    /// The fields of the body itself.
    pub(super) fn of(body: Value, problems: &'a Problems) -> Self {
        Self::at(String::new(), body, problems)
    }

    fn at(path: String, value: Value, problems: &'a Problems) -> Self {
        let map = match value {
            Value::Object(map) => map,
            _ => {
                let name = if path.is_empty() { "body" } else { path.trim_end_matches('.') };
                problems.add(format!("{name} must be an object"));
                Map::new()
            }
        };
        Self { path, map, problems }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name)
    }

    pub(super) fn require(&self, names: &[&str]) {
        for name in names.iter().filter(|name| !self.has(name)) {
            self.problem(name, "is required");
        }
    }

    pub(super) fn string(&mut self, name: &str, min: usize) -> Option<String> {
        match self.map.remove(name)? {
            Value::String(text) if text.chars().count() >= min => Some(text),
            Value::String(_) => self.refuse(name, "must not be empty"),
            _ => self.refuse(name, "must be a string"),
        }
    }

    /// `Some(None)`: it is null.
    pub(super) fn nullable(&mut self, name: &str) -> Option<Option<String>> {
        match self.map.remove(name)? {
            Value::String(text) => Some(Some(text)),
            Value::Null => Some(None),
            _ => self.refuse(name, "must be a string or null"),
        }
    }

    pub(super) fn one_of(&mut self, name: &str, values: &[&str]) -> Option<String> {
        let value = self.map.remove(name)?;
        match value.as_str().filter(|value| values.contains(value)) {
            Some(value) => Some(value.to_owned()),
            None => self.refuse(name, &format!("must be one of {}", values.join(", "))),
        }
    }

    pub(super) fn boolean(&mut self, name: &str) -> Option<bool> {
        let value = self.map.remove(name)?;
        value.as_bool().or_else(|| self.refuse(name, "must be true or false"))
    }

    pub(super) fn integer(&mut self, name: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let value = self.map.remove(name)?;
        match whole(&value).filter(|number| range.contains(number)) {
            Some(number) => Some(number),
            None if *range.end() == u64::MAX || *range.end() == u64::from(u32::MAX) => {
                self.refuse(name, &format!("must be a whole number from {} on", range.start()))
            }
            None => self
                .refuse(name, &format!("must be a whole number from {} to {}", range.start(), range.end())),
        }
    }

    /// A whole number that fits into 32 bits.
    pub(super) fn small(&mut self, name: &str, range: RangeInclusive<u32>) -> Option<u32> {
        let number = self.integer(name, (*range.start()).into()..=(*range.end()).into())?;
        u32::try_from(number).ok()
    }

    pub(super) fn number(&mut self, name: &str, min: f64) -> Option<f64> {
        let value = self.map.remove(name)?;
        let number = value.as_f64().filter(|number| *number >= min && *number <= 1e9);
        number.or_else(|| self.refuse(name, &format!("must be a number from {min} on")))
    }

    /// `wrong` says what is wrong with one of them.
    pub(super) fn strings(
        &mut self,
        name: &str,
        wrong: impl Fn(&str) -> Option<&'static str>,
    ) -> Option<Vec<String>> {
        let Value::Array(list) = self.map.remove(name)? else { return self.refuse(name, "must be an array") };
        let mut strings = Vec::with_capacity(list.len());
        for (at, value) in list.into_iter().enumerate() {
            match value {
                Value::String(text) => match wrong(&text) {
                    None => strings.push(text),
                    Some(problem) => self.problem(&format!("{name}[{at}]"), problem),
                },
                _ => self.problem(&format!("{name}[{at}]"), "must be a string"),
            }
        }
        Some(strings)
    }

    pub(super) fn map(&mut self, name: &str) -> Option<BTreeMap<String, String>> {
        let Value::Object(map) = self.map.remove(name)? else {
            return self.refuse(name, "must be an object");
        };
        let mut strings = BTreeMap::new();
        for (key, value) in map {
            match value {
                Value::String(_) if key.is_empty() || key.contains(['=', '\0']) => {
                    self.problem(&format!("{name}[{key:?}]"), "is not a possible name of a variable");
                }
                Value::String(text) if text.contains('\0') => {
                    self.problem(&format!("{name}[{key:?}]"), "must not contain a null character");
                }
                Value::String(text) => drop(strings.insert(key, text)),
                _ => self.problem(&format!("{name}[{key:?}]"), "must be a string"),
            }
        }
        Some(strings)
    }

    pub(super) fn object(&mut self, name: &str) -> Option<Self> {
        let value = self.map.remove(name)?;
        Some(Self::at(format!("{}{name}.", self.path), value, self.problems))
    }

    pub(super) fn objects(&mut self, name: &str) -> Option<Vec<Self>> {
        let Value::Array(list) = self.map.remove(name)? else { return self.refuse(name, "must be an array") };
        if list.is_empty() {
            self.problem(name, "must not be empty");
        }
        if list.iter().enumerate().any(|(at, one)| list[..at].contains(one)) {
            self.problem(name, "must not have the same item twice");
        }
        let each = |(at, value)| Self::at(format!("{}{name}[{at}].", self.path), value, self.problems);
        Some(list.into_iter().enumerate().map(each).collect())
    }

    pub(super) fn problem(&self, name: &str, problem: &str) {
        self.problems.add(format!("{}{name} {problem}", self.path));
    }

    /// Nothing else may be there.
    pub(super) fn end(self) {
        for name in self.map.keys() {
            self.problem(name, "is not known");
        }
    }

    fn refuse<T>(&self, name: &str, problem: &str) -> Option<T> {
        self.problem(name, problem);
        None
    }
}

/// JSON knows one kind of number: `1.0` is whole.
fn whole(value: &Value) -> Option<u64> {
    if let Some(number) = value.as_u64() {
        return Some(number);
    }
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && (0.0..=9e15).contains(number))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "just checked")]
    Some(number as u64)
}

/// What is wrong with a CUDA version, which is `major.minor`.
pub(super) fn cuda(version: &str) -> Option<&'static str> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = version.split_once('.').is_some_and(|(major, minor)| digits(major) && digits(minor));
    (!fits).then_some("must be a CUDA version like 12.8")
}

/// Anything will do.
pub(super) fn any(_: &str) -> Option<&'static str> {
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_that_is_wrong_is_named_with_its_place() {
        let problems = Problems::default();
        let body = json!({"a": "", "b": 0, "c": {"d": 1.5, "e": 1.0}, "f": ["1", 2], "g": 1, "h": {"X=": "1", "Y": 2}});
        let mut fields = Fields::of(body, &problems);
        fields.require(&["z"]);
        assert_eq!(fields.string("a", 1), None);
        assert_eq!(fields.integer("b", 1..=4), None);
        let mut inner = fields.object("c").unwrap();
        assert_eq!((inner.integer("d", 0..=9), inner.integer("e", 0..=9)), (None, Some(1)));
        inner.end();
        assert_eq!(fields.strings("f", cuda), Some(vec![]));
        fields.map("h");
        fields.end();
        let found = problems.0.into_inner();
        assert_eq!(
            found,
            [
                "z is required",
                "a must not be empty",
                "b must be a whole number from 1 to 4",
                "c.d must be a whole number from 0 to 9",
                "f[0] must be a CUDA version like 12.8",
                "f[1] must be a string",
                "h[\"X=\"] is not a possible name of a variable",
                "h[\"Y\"] must be a string",
                "g is not known",
            ]
        );
    }
}
