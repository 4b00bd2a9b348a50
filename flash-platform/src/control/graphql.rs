use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::ControlError;
use super::sender::{Again, Sender};

/// The platform's GraphQL API. Queries are plain text and answers are typed: the SDL is not published, so generated types
/// would be checked against nothing but our own guess of it.
#[derive(Debug, Clone)]
pub struct GraphQl {
    sender: Sender,
    url: String,
}

/// Messages that mean "later" (platform contract D.1).
const LATER: [&str; 5] = [
    "try again later",
    "internal server error",
    "service unavailable",
    "too many requests",
    "temporarily unavailable",
];

impl GraphQl {
    /// The API under the control plane's address.
    #[must_use]
    pub fn new(sender: Sender, api: &str) -> Self {
        Self { sender, url: format!("{api}/graphql") }
    }

    /// Asks; may be asked again.
    ///
    /// # Errors
    /// See [`ControlError`]; a message that contains `not found` is [`ControlError::NotFound`].
    pub async fn query<T: DeserializeOwned>(
        &self,
        what: &str,
        query: &str,
        variables: Value,
    ) -> Result<T, ControlError> {
        self.post(what, query, variables, Again::Safe).await
    }

    /// Changes something to a state that the request names in full, so doing it twice is as good as once.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn set<T: DeserializeOwned>(
        &self,
        what: &str,
        query: &str,
        variables: Value,
    ) -> Result<T, ControlError> {
        self.post(what, query, variables, Again::Safe).await
    }

    /// Creates something; sent once.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn create<T: DeserializeOwned>(
        &self,
        what: &str,
        query: &str,
        variables: Value,
    ) -> Result<T, ControlError> {
        self.post(what, query, variables, Again::Once).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        what: &str,
        query: &str,
        variables: Value,
        again: Again,
    ) -> Result<T, ControlError> {
        let body = json!({"query": query, "variables": variables});
        let mut tried = 0;
        loop {
            tried += 1;
            let answer = self.sender.send(what, Method::POST, &self.url, Some(&body), again).await?;
            let error = match self.read(what, &answer.body, tried) {
                Err(error @ ControlError::Unreachable { .. }) if again == Again::Safe => error,
                done => return done,
            };
            let Some(pause) = self.sender.backoff().after(tried) else { return Err(error) };
            tokio::time::sleep(pause).await;
        }
    }

    fn read<T: DeserializeOwned>(&self, what: &str, body: &[u8], tries: u32) -> Result<T, ControlError> {
        #[derive(Deserialize)]
        struct Envelope {
            #[serde(default)]
            data: Value,
            #[serde(default)]
            errors: Option<Vec<Message>>,
        }
        #[derive(Deserialize)]
        struct Message {
            #[serde(default)]
            message: String,
        }
        let what = || what.to_owned();
        let bad =
            |error: serde_json::Error| ControlError::BadAnswer { what: what(), reason: error.to_string() };
        let envelope: Envelope = serde_json::from_slice(body).map_err(bad)?;
        if let Some(errors) = envelope.errors.filter(|errors| !errors.is_empty()) {
            let reason = errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; ");
            let lower = reason.to_ascii_lowercase();
            return Err(if lower.contains("not found") {
                ControlError::NotFound { what: what(), reason }
            } else if LATER.iter().any(|text| lower.contains(text)) {
                ControlError::Unreachable { what: what(), reason, tries }
            } else if lower.contains("unauthorized") || lower.contains("not authenticated") {
                let reason = self.sender.refused_key(reqwest::StatusCode::UNAUTHORIZED, &reason);
                ControlError::Unauthorized { what: what(), reason }
            } else {
                ControlError::Refused { what: what(), status: 200, reason }
            });
        }
        serde_json::from_value(envelope.data).map_err(bad)
    }
}
