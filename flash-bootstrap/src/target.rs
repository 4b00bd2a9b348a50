use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::TargetError;
use crate::machine::Machine;

/// Version of what an app and the platform's worker protocol agree on; `flash-worker` starts apps of this version.
pub const WORKER_PROTOCOL: u32 = 1;

/// What a binary needs of the machine that runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Target {
    /// Target triple that it was built for.
    pub triple: String,
    /// Processor, as Rust names it: `x86_64` or `aarch64`.
    pub arch: String,
    /// The program that loads it, for a binary that is not static.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<String>,
    /// The oldest glibc that has all it needs; absent when it needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glibc: Option<GlibcVersion>,
    /// Version of the worker protocol.
    pub worker_protocol: u32,
}

impl Target {
    /// Reads from a binary what it needs.
    ///
    /// # Errors
    /// A file that is no 64-bit Linux program.
    pub fn of_binary(binary: &[u8], triple: &str, worker_protocol: u32) -> Result<Self, String> {
        let needs = crate::elf::needs(binary)?;
        Ok(Self {
            triple: triple.to_owned(),
            arch: needs.arch.to_owned(),
            interpreter: needs.interpreter,
            glibc: needs.glibc,
            worker_protocol,
        })
    }

    /// Whether a binary with these needs runs on `machine`.
    ///
    /// # Errors
    /// The first need that is not met, with what to do; otherwise the loader would say it, and nobody understands that.
    pub fn check(&self, machine: &Machine) -> Result<(), TargetError> {
        if self.arch != machine.arch {
            return Err(TargetError::Architecture {
                binary: self.arch.clone(),
                machine: machine.arch.clone(),
            });
        }
        if self.worker_protocol != WORKER_PROTOCOL {
            return Err(TargetError::Protocol { binary: self.worker_protocol, known: WORKER_PROTOCOL });
        }
        if let (Some(needed), Some(found)) = (&self.glibc, &machine.glibc)
            && found < needed
        {
            return Err(TargetError::Glibc { needed: *needed, found: *found });
        }
        if let Some(interpreter) = &self.interpreter
            && !machine.has_file(interpreter)
        {
            return Err(TargetError::Interpreter(interpreter.clone()));
        }
        Ok(())
    }
}

/// A version of glibc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GlibcVersion {
    /// Major version; 2 for decades.
    pub major: u32,
    /// Minor version.
    pub minor: u32,
}

impl GlibcVersion {
    /// The version behind a symbol version such as `GLIBC_2.34` or `GLIBC_2.2.5`.
    pub(crate) fn of_symbol(version: &str) -> Option<Self> {
        let mut parts = version.strip_prefix("GLIBC_")?.split('.');
        Some(Self { major: parts.next()?.parse().ok()?, minor: parts.next()?.parse().ok()? })
    }
}

impl fmt::Display for GlibcVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for GlibcVersion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::of_symbol(&format!("GLIBC_{text}"))
            .ok_or_else(|| format!("`{text}` is no glibc version such as 2.34"))
    }
}

impl TryFrom<String> for GlibcVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<GlibcVersion> for String {
    fn from(version: GlibcVersion) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        Target {
            triple: "x86_64-unknown-linux-gnu".to_owned(),
            arch: "x86_64".to_owned(),
            interpreter: Some("/lib64/ld-linux-x86-64.so.2".to_owned()),
            glibc: "2.34".parse().ok(),
            worker_protocol: WORKER_PROTOCOL,
        }
    }

    fn machine() -> Machine {
        Machine::new("x86_64", "2.36".parse().ok()).with_files(["/lib64/ld-linux-x86-64.so.2"])
    }

    #[test]
    fn each_need_that_is_not_met_has_its_own_words() {
        assert_eq!(target().check(&machine()), Ok(()));
        let other = Target { arch: "aarch64".to_owned(), ..target() };
        let text = other.check(&machine()).unwrap_err().to_string();
        assert!(text.contains("built for aarch64") && text.contains("is x86_64"), "{text}");
        let older = Machine::new("x86_64", "2.31".parse().ok());
        let text = target().check(&older).unwrap_err().to_string();
        assert!(text.contains("glibc 2.34") && text.contains("has 2.31"), "{text}");
        let without = Machine::new("x86_64", None).with_files([]);
        let text = target().check(&without).unwrap_err().to_string();
        assert!(text.contains("/lib64/ld-linux-x86-64.so.2"), "{text}");
        let newer = Target { worker_protocol: 2, ..target() };
        let text = newer.check(&machine()).unwrap_err().to_string();
        assert!(text.contains("worker protocol 2"), "{text}");
    }

    #[test]
    fn versions_are_numbers_and_no_text() {
        let [old, new]: [GlibcVersion; 2] = ["2.9", "2.34"].map(|text| text.parse().unwrap());
        assert!(old < new);
        assert_eq!(GlibcVersion::of_symbol("GLIBC_2.2.5").unwrap().to_string(), "2.2");
        assert_eq!(GlibcVersion::of_symbol("GLIBC_PRIVATE"), None);
        assert!("two".parse::<GlibcVersion>().is_err());
    }
}
