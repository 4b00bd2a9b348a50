//! A handle is visible where its function is, and both come with one `use`.

use flash::{Endpoint, Error, remote};

static GPU: Endpoint = Endpoint::queue("visibility");

mod outer {
    use super::*;

    #[remote(resource = GPU)]
    async fn private_to_outer(x: u8) -> Result<u8, Error> {
        Ok(x)
    }

    #[remote(resource = GPU)]
    pub(super) async fn visible_above(x: u8) -> Result<u8, Error> {
        // A private handle is for its own module.
        private_to_outer::remote(x).await.map_err(Error::from)
    }

    pub(crate) mod inner {
        use super::*;

        /// A type that nobody outside can name.
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Hidden(u8);

        #[remote(resource = GPU)]
        pub(in crate::hygiene) async fn visible_in_hygiene(x: u8) -> Result<u8, Error> {
            let hidden = with_hidden::remote(Hidden(x)).await.map_err(Error::from)?;
            super::private_to_outer::remote(hidden.0).await.map_err(Error::from)
        }

        #[remote(resource = GPU)]
        async fn with_hidden(hidden: Hidden) -> Result<Hidden, Error> {
            Ok(Hidden(hidden.0 + 1))
        }
    }
}

#[tokio::test]
async fn one_use_brings_function_and_handle() {
    use outer::inner::visible_in_hygiene;
    use outer::visible_above;
    assert_eq!(visible_above(3).await.unwrap(), visible_above::remote(3).await.unwrap());
    assert_eq!(visible_in_hygiene(3).await.unwrap(), 4);
    assert_eq!(visible_in_hygiene::remote(3).await.unwrap(), 4);
}

#[tokio::test]
async fn a_function_inside_of_a_function_is_remote_too() {
    const STEP: u8 = 2;

    #[remote(resource = GPU)]
    async fn nested(#[remote(default = STEP)] x: u8) -> Result<u8, Error> {
        Ok(x)
    }
    assert_eq!(crate::support::run::<nested>("{}").await.unwrap(), "2");
}
