//! Which functions an app has: all that are linked, or those that are named.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

use flash::{Endpoint, Error, Registry, remote};

static Q: Endpoint = Endpoint::queue("registry-queue");

/// Named twice is linked once.
mod mentioned {
    flash::link!(serde_json, serde,);
}

#[remote(resource = Q)]
async fn registry_one() -> Result<u8, Error> {
    Ok(1)
}

#[remote(resource = Q)]
async fn registry_two() -> Result<u8, Error> {
    Ok(2)
}

mod other {
    use super::{Error, Q, remote};

    #[remote(resource = Q, name = "registry_three")]
    pub(super) async fn first() -> Result<u8, Error> {
        Ok(3)
    }
}

#[test]
fn a_built_registry_has_the_named_functions_and_no_others() {
    let registry = Registry::builder().register::<registry_two>().register::<other::first>().build().unwrap();
    let names: Vec<_> = registry.functions().map(|function| function.meta().name).collect();
    assert_eq!(names, ["registry_three", "registry_two"]);
    assert!(registry.get("registry_one").is_none());
    assert_eq!(registry.resources().count(), 1);

    let linked = Registry::linked().unwrap();
    for name in ["registry_one", "registry_two", "registry_three"] {
        assert!(linked.get(name).is_some(), "{name}");
    }
}

#[test]
fn a_function_that_is_named_twice_is_registered_once() {
    let registry = Registry::builder().register::<registry_one>().register::<registry_one>().build().unwrap();
    assert_eq!(registry.functions().count(), 1);
    assert!(Registry::builder().build().unwrap().is_empty());
}
