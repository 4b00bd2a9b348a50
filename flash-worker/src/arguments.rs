/// What the command line of a Flash binary asks for. Deployed workers have none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Arguments {
    /// Play the role that the environment gives.
    Role,
    /// Run one function and print its result.
    Call { function: String, input: String },
    /// Run one job, as the Python worker's flag of this name does.
    TestInput(String),
    /// Print the OpenAPI document.
    OpenApi,
    /// Say what can be asked for.
    Help,
}

pub(crate) const USAGE: &str = "\
usage:
  (nothing)                 serve every endpoint on this machine, or play the role that the environment gives
  call FUNCTION [JSON]      run one function with this object as its arguments, and print the result
  --test_input JSON         run one job such as '{\"input\": {\"text\": \"hi\"}}', and print the result
  openapi                   print the OpenAPI document of every endpoint
  --help                    this text";

impl Arguments {
    /// Reads the arguments that follow the program's name.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments.into_iter();
        let Some(first) = arguments.next() else { return Ok(Self::Role) };
        let parsed = match first.as_str() {
            "call" => {
                let function = arguments.next().ok_or("`call` needs the name of a function")?;
                let input = arguments.next().unwrap_or_else(|| "{}".to_owned());
                Self::Call { function, input }
            }
            "--test_input" => Self::TestInput(arguments.next().ok_or("`--test_input` needs a job as JSON")?),
            "openapi" => Self::OpenApi,
            "--help" | "-h" => Self::Help,
            other => match other.strip_prefix("--test_input=") {
                Some(input) => Self::TestInput(input.to_owned()),
                None => return Err(format!("unknown argument `{other}`")),
            },
        };
        match arguments.next() {
            None => Ok(parsed),
            Some(extra) => Err(format!("unexpected argument `{extra}`; JSON with spaces needs quotes")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<Arguments, String> {
        Arguments::parse(line.iter().map(|word| (*word).to_owned()))
    }

    #[test]
    fn every_form_is_read() {
        assert_eq!(parse(&[]), Ok(Arguments::Role));
        assert_eq!(parse(&["call", "f"]), Ok(Arguments::Call { function: "f".into(), input: "{}".into() }));
        assert_eq!(parse(&["openapi"]), Ok(Arguments::OpenApi));
        assert_eq!(parse(&["--test_input", "{}"]), Ok(Arguments::TestInput("{}".into())));
        assert_eq!(parse(&["--test_input={}"]), Ok(Arguments::TestInput("{}".into())));
    }

    #[test]
    fn nonsense_is_named() {
        assert!(parse(&["serve"]).unwrap_err().contains("`serve`"));
        assert!(parse(&["call", "f", "{", "}"]).unwrap_err().contains("quotes"));
    }
}
