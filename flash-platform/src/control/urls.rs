use super::error::ControlError;

/// The platform's addresses, each without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Urls {
    /// Control plane: `RUNPOD_API_BASE_URL`, `https://api.runpod.io`. GraphQL is at `/graphql`.
    pub api: String,
    /// REST: `RUNPOD_REST_API_URL`, else `/v2` of the control plane.
    pub rest: String,
    /// Jobs: `RUNPOD_ENDPOINT_BASE_URL`, `https://api.runpod.ai/v2`.
    pub jobs: String,
    /// The web console: `RUNPOD_CONSOLE_URL`, `https://console.runpod.io`.
    pub console: String,
}

impl Default for Urls {
    fn default() -> Self {
        Self {
            api: "https://api.runpod.io".to_owned(),
            rest: "https://api.runpod.io/v2".to_owned(),
            jobs: "https://api.runpod.ai/v2".to_owned(),
            console: "https://console.runpod.io".to_owned(),
        }
    }
}

/// The variables that redirect hosts (platform contract E.4).
const VARIABLES: [&str; 4] =
    ["RUNPOD_API_BASE_URL", "RUNPOD_REST_API_URL", "RUNPOD_ENDPOINT_BASE_URL", "RUNPOD_CONSOLE_URL"];

impl Urls {
    /// A platform that has everything under one address, as the local one does.
    #[must_use]
    pub fn at(base: &str) -> Self {
        let base = base.trim_end_matches('/');
        let v2 = format!("{base}/v2");
        Self { api: base.to_owned(), rest: v2.clone(), jobs: v2, console: base.to_owned() }
    }

    /// The addresses that the environment says; blank counts as unset. `None` when it says nothing.
    ///
    /// # Errors
    /// A value that is no `http` or `https` address.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, ControlError> {
        let mut found = Vec::new();
        for name in VARIABLES {
            let value = lookup(name).map(|value| value.trim().trim_end_matches('/').to_owned());
            let value = value.filter(|value| !value.is_empty());
            if let Some(value) = &value {
                let is_http = reqwest::Url::parse(value)
                    .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
                if !is_http {
                    return Err(ControlError::Local {
                        what: format!("{name}=`{value}`"),
                        reason: "it is no http or https address\nhelp: it looks like https://api.runpod.io"
                            .to_owned(),
                    });
                }
            }
            found.push(value);
        }
        if found.iter().all(Option::is_none) {
            return Ok(None);
        }
        let mut found = found.into_iter();
        let mut next = || found.next().flatten();
        let default = Self::default();
        let (api, rest, jobs, console) = (next(), next(), next(), next());
        let rest = rest.or_else(|| api.as_ref().map(|api| format!("{api}/v2"))).unwrap_or(default.rest);
        Ok(Some(Self {
            api: api.unwrap_or(default.api),
            rest,
            jobs: jobs.unwrap_or(default.jobs),
            console: console.unwrap_or(default.console),
        }))
    }

    /// Every address, for the list of hosts that may see the key.
    #[must_use]
    pub fn all(&self) -> [&str; 3] {
        [&self.api, &self.rest, &self.jobs]
    }

    /// The jobs of an endpoint.
    #[must_use]
    pub fn endpoint(&self, id: &str) -> String {
        format!("{}/{id}", self.jobs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<Urls>, ControlError> {
        Urls::from_lookup(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn every_host_can_be_redirected_and_blank_is_unset() {
        assert_eq!(read(&[("RUNPOD_API_BASE_URL", "  ")]).unwrap(), None);
        let urls = read(&[("RUNPOD_API_BASE_URL", "http://127.0.0.1:1/")]).unwrap().unwrap();
        assert_eq!((urls.api.as_str(), urls.rest.as_str()), ("http://127.0.0.1:1", "http://127.0.0.1:1/v2"));
        assert_eq!(urls.jobs, Urls::default().jobs);
        let urls =
            read(&[("RUNPOD_REST_API_URL", "http://x:2"), ("RUNPOD_ENDPOINT_BASE_URL", "http://y:3/v2")]);
        let urls = urls.unwrap().unwrap();
        assert_eq!((urls.rest.as_str(), urls.jobs.as_str()), ("http://x:2", "http://y:3/v2"));
        for bad in ["ftp://x", "api.runpod.io", "http://"] {
            let text = read(&[("RUNPOD_CONSOLE_URL", bad)]).unwrap_err().to_string();
            assert!(text.contains("RUNPOD_CONSOLE_URL"), "{text}");
        }
    }
}
