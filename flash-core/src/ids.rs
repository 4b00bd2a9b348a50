//! Identifiers as types of their own, so that a worker id can not be passed where a job id belongs.
//!
//! All of them are cheap to clone (one shared string) and are plain strings on the wire.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{Builder, Uuid};

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
    /// A fresh id of a job that came in by `/run`: `<uuid>-u1`. Ids sort by the millisecond they were made in.
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
        let uuid: &str = fresh_uuid().hyphenated().encode_lower(&mut buffer);
        // On the stack, because the id needs exactly its own bytes in the end.
        let (mut text, mut end) = ([0; 64], 0);
        for part in [prefix, uuid, REGION] {
            text[end..end + part.len()].copy_from_slice(part.as_bytes());
            end += part.len();
        }
        Self(str::from_utf8(&text[..end]).unwrap_or_default().into())
    }
}

/// A version 7 UUID. Its random part comes from hashers whose secret keys the standard library takes from the system once
/// per thread and never uses twice: asking the system for each id costs as much as all the rest of queueing a job.
fn fresh_uuid() -> Uuid {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut random = [0; 16];
    let (low, high) = random.split_at_mut(8);
    low.copy_from_slice(&RandomState::new().build_hasher().finish().to_ne_bytes());
    high.copy_from_slice(&RandomState::new().build_hasher().finish().to_ne_bytes());
    let [bytes @ .., _, _, _, _, _, _] = random;
    Builder::from_unix_timestamp_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX), &bytes)
        .into_uuid()
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

    #[test]
    fn fresh_ids_are_version_7_and_do_not_repeat_across_threads() {
        let made = || (0..10_000).map(|_| fresh_uuid()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(made)).collect();
        let ids: std::collections::HashSet<_> =
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ids.len(), 40_000);
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        let set_bits: u32 = ids.iter().map(|id| id.as_u128().count_ones()).sum();
        assert!((50..70).contains(&(set_bits / 40_000)), "they look random");
    }
}
