use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::{Serialize, Serializer, ser};

use super::canonical::canonical;
use super::declared::Class;
use super::instances::Instance;
use crate::app::App;
use crate::carry::{Carries, Needs, ReadAhead, Slot, slot};
use crate::encode::FieldWriter;
use crate::error::{Error, WireError, code};
use crate::fields::{Fields, Origin};
use crate::inject::{Building, Need};
use crate::scope::Scope;

/// Largest constructor arguments in bytes: they are kept as long as their instance, and sent with every call.
const MAX_INIT: usize = 1_000_000;

/// The constructor arguments that a caller chose, as canonical JSON: what selects the instance.
///
/// It does not name its class, which may be more private than the client that keeps this.
#[derive(Clone)]
pub struct InitArgs {
    json: Result<Arc<str>, Arc<str>>,
}

impl InitArgs {
    /// These arguments. What cannot be encoded is an error of each call.
    #[must_use]
    pub fn of<C: Class>(args: &C::Args) -> Self {
        Self { json: encode::<C>(args).map_err(Arc::from) }
    }

    /// The arguments as canonical JSON: sorted keys, no whitespace. `{}` where they could not be encoded.
    #[must_use]
    pub fn json(&self) -> &str {
        self.json.as_deref().unwrap_or("{}")
    }

    /// The arguments in which every parameter has its default.
    ///
    /// # Errors
    /// `invalid_input` that names the parameters without one.
    pub fn defaults<C: Class>() -> Result<Self, WireError> {
        Self::from_json::<C>("{}")
    }

    fn from_json<C: Class>(json: &str) -> Result<Self, WireError> {
        decode::<C>(json).map(|args| Self::of::<C>(&args))
    }

    /// The instance that these arguments select.
    ///
    /// # Errors
    /// Arguments that cannot be sent, or a constructor that failed.
    pub async fn instance<C: Class>(&self, scope: &Scope) -> Result<Instance<C>, Error> {
        match &self.json {
            Ok(json) => scope.app().instances().get(scope, json).await,
            Err(error) => Err(Error::new(code::INVALID_INPUT, &**error).terminal()),
        }
    }
}

/// The arguments behind their canonical text.
pub(super) fn decode<C: Class>(json: &str) -> Result<C::Args, WireError> {
    let mut fields = Fields::from_json(Origin::Init, json.as_bytes())?;
    let args = C::decode(&mut fields);
    fields.finish(C::META.params)?;
    args.ok_or_else(|| WireError::new(code::INTERNAL, "the constructor arguments could not be decoded"))
}

fn encode<C: Class>(args: &C::Args) -> Result<Arc<str>, String> {
    let mut fields = FieldWriter::new(MAX_INIT);
    C::encode(args, &mut fields);
    let json = fields.finish().map_err(|error| error.message)?;
    let json = String::from_utf8(json).map_err(|error| error.to_string())?;
    canonical(&json).map(Arc::from)
}

impl fmt::Debug for InitArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InitArgs")
    }
}

/// Carries constructor arguments in the field `init`.
pub struct InitCarrier<C>(PhantomData<fn() -> C>);

impl<C> fmt::Debug for InitCarrier<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InitCarrier")
    }
}

impl<C: Class> Carries<InitArgs> for InitCarrier<C> {
    fn read(&self, fields: &mut Fields<'_>, name: &'static str) -> Option<InitArgs> {
        // Read and written again, so that a default that is given and one that is left out select the same instance.
        match InitArgs::from_json::<C>(fields.remove(name).unwrap_or("{}")) {
            Ok(init) => Some(init),
            Err(error) => {
                fields.refuse(error);
                None
            }
        }
    }

    fn read_ahead(&self, _: &str) -> Option<ReadAhead> {
        None
    }

    fn write(&self, fields: &mut FieldWriter, name: &'static str, value: &InitArgs) {
        match &value.json {
            _ if C::META.params.is_empty() => {}
            Ok(json) => fields.put_raw(name, json.as_bytes()),
            Err(error) => fields.put(name, &Unsendable(error)),
        }
    }

    fn is_bytes(&self) -> bool {
        false
    }

    fn may_be_missing(&self) -> bool {
        InitArgs::defaults::<C>().is_ok()
    }
}

struct Unsendable<'a>(&'a str);

impl Serialize for Unsendable<'_> {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(ser::Error::custom(self.0))
    }
}

/// The place of the constructor arguments in a method's arguments.
#[must_use]
pub const fn init_slot<C: Class>() -> Slot<InitArgs> {
    slot("init", "Init", &InitCarrier::<C>(PhantomData)).of_init(C::META)
}

/// What a method needs before its first job: the default instance.
pub struct Instances<C> {
    is_required: bool,
    class: PhantomData<fn() -> C>,
}

impl<C: Class> Instances<C> {
    /// Of a class of a queue endpoint: there is a default instance where every parameter has a default.
    #[must_use]
    pub const fn by_arguments() -> Self {
        Self { is_required: false, class: PhantomData }
    }

    /// Of a class of an HTTP endpoint, whose one instance all requests share.
    #[must_use]
    pub const fn shared() -> Self {
        Self { is_required: true, class: PhantomData }
    }

    /// The instance that all requests share.
    ///
    /// # Errors
    /// A constructor that failed, or has a parameter without a default.
    pub async fn get(&self, scope: &Scope) -> Result<Instance<C>, Error> {
        defaults::<C>()?.instance::<C>(scope).await
    }
}

impl<C: Class> Needs for Instances<C> {
    fn need(&self) -> Option<Need> {
        let build: fn(App) -> Building = if self.is_required {
            |app| Box::pin(prepare::<C>(app))
        } else {
            |app| Box::pin(prepare_if_possible::<C>(app))
        };
        Some(Need::new(std::any::type_name::<C>, build))
    }
}

impl<C> fmt::Debug for Instances<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instances").field("is_required", &self.is_required).finish_non_exhaustive()
    }
}

fn defaults<C: Class>() -> Result<InitArgs, Error> {
    InitArgs::defaults::<C>().map_err(|error| {
        let text = format!(
            "class `{}` of an HTTP endpoint is built before its first request, from defaults: {}",
            C::META.name,
            error.message
        );
        Error::new(code::STATE_FAILED, "the worker could not be built").with_source(text)
    })
}

async fn prepare<C: Class>(app: App) -> Result<(), Error> {
    let scope = Scope::builder(app).request_id("init").build();
    let inner = scope.clone();
    scope.enter(async move { defaults::<C>()?.instance::<C>(&inner).await.map(drop) }).await
}

async fn prepare_if_possible<C: Class>(app: App) -> Result<(), Error> {
    if InitArgs::defaults::<C>().is_ok() { prepare::<C>(app).await } else { Ok(()) }
}
