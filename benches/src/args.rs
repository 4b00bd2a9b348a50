//! Arguments of the form `--name value`.

use std::fmt::Display;
use std::str::FromStr;

/// The arguments this process was started with.
#[derive(Debug)]
pub struct Args {
    words: Vec<String>,
}

impl Args {
    /// Reads them.
    #[must_use]
    pub fn of_process() -> Self {
        Self::new(std::env::args().skip(1))
    }

    /// Takes them from somewhere else.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { words: words.into_iter().map(Into::into).collect() }
    }

    /// The value after `--name`.
    ///
    /// # Errors
    /// When it is missing or cannot be read as a `T`.
    pub fn required<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, String> {
        self.optional(name)?.ok_or_else(|| format!("--{name} is required"))
    }

    /// The value after `--name`, if the name is there.
    ///
    /// # Errors
    /// When it cannot be read as a `T`.
    pub fn optional<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, String> {
        let flag = format!("--{name}");
        let Some(at) = self.words.iter().position(|word| *word == flag) else { return Ok(None) };
        let value = self.words.get(at + 1).ok_or_else(|| format!("--{name} needs a value"))?;
        value.parse().map(Some).map_err(|error| format!("--{name} {value}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_by_name() {
        let args = Args::new(["--port", "80", "--mode", "batch"]);
        assert_eq!(args.required::<u16>("port"), Ok(80));
        assert_eq!(args.optional::<usize>("absent"), Ok(None));
        assert!(args.required::<u16>("mode").is_err());
        assert!(args.required::<u16>("absent").is_err());
        assert!(Args::new(["--port"]).required::<u16>("port").is_err());
    }
}
