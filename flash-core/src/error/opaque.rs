//! Errors that carry any cause. Their own message travels, as for any error; what stands behind it is logged.

use crate::error::{WireError, code};
use crate::remote::RemoteError;

macro_rules! opaque {
    ($feature:literal, $error:ty, $from_text:expr) => {
        #[cfg(feature = $feature)]
        impl RemoteError for $error {
            fn to_wire(&self) -> WireError {
                let causes: Vec<String> = self.chain().skip(1).map(ToString::to_string).collect();
                WireError::new(code::FAILED, self.to_string())
                    .with_internal((!causes.is_empty()).then(|| causes.join(": ")))
            }

            fn from_wire(wire: WireError) -> Result<Self, WireError> {
                if wire.code == code::FAILED { Ok($from_text(wire.message)) } else { Err(wire) }
            }
        }
    };
}

opaque!("anyhow", anyhow::Error, anyhow::Error::msg);
opaque!("eyre", eyre::Report, eyre::Report::msg);
