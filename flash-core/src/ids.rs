//! Identifiers as types of their own, so that a worker id can not be passed where a job id belongs.
//!
//! All of them are cheap to clone (one shared string) and are plain strings on the wire.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is; nothing is checked.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), &self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a string")
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        Ok($name(text.into()))
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

id! {
    /// A job of a queue endpoint, for example `60902e6c-…-u1` or `sync-60902e6c-…-u1`.
    JobId
}
id! {
    /// A deployed endpoint: the part of its URL that names it.
    EndpointId
}
id! {
    /// A worker (RunPod: the pod id, `RUNPOD_POD_ID`).
    WorkerId
}
id! {
    /// The name of a resource as its declaration and the manifest spell it.
    ResourceName
}

/// The suffix that job ids of RunPod end with (it names the region there).
const REGION: &str = "-u1";

impl JobId {
    /// A fresh id of a job that came in by `/run`: `<uuid>-u1`. Ids of one process sort by their time.
    pub fn random() -> Self {
        Self::fresh("")
    }

    /// A fresh id of a job that came in by `/runsync`: `sync-<uuid>-u1`.
    pub fn random_sync() -> Self {
        Self::fresh("sync-")
    }

    /// Whether this is the id of a `/runsync` job, whose result is kept for a shorter time.
    pub fn is_sync(&self) -> bool {
        self.0.starts_with("sync-")
    }

    fn fresh(prefix: &str) -> Self {
        let mut buffer = Uuid::encode_buffer();
        let uuid: &str = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
        let mut text = String::with_capacity(prefix.len() + uuid.len() + REGION.len());
        text.push_str(prefix);
        text.push_str(uuid);
        text.push_str(REGION);
        Self(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_plain_strings_on_the_wire() {
        let id = JobId::from("j1-u1");
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""j1-u1""#);
        assert_eq!(serde_json::from_str::<JobId>(r#""j1-u1""#).unwrap(), id);
        assert_eq!(serde_json::from_str::<JobId>(r#""a\u0062""#).unwrap().as_str(), "ab");
        assert!(serde_json::from_str::<JobId>("1").is_err());
        assert_eq!(id.to_string(), "j1-u1");
    }

    #[test]
    fn fresh_ids_differ_and_say_how_the_job_came_in() {
        let (run, sync) = (JobId::random(), JobId::random_sync());
        assert_ne!(JobId::random(), run);
        assert!(run.as_str().ends_with("-u1") && run.as_str().len() == 36 + 3, "{run}");
        assert!(sync.as_str().starts_with("sync-") && sync.is_sync() && !run.is_sync(), "{sync}");
    }
}
