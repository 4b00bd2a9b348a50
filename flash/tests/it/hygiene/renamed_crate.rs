//! A user's Cargo.toml may give the crate another name.

mod flash {}

static GPU: ::renamed::Endpoint = ::renamed::Endpoint::queue("renamed");

#[derive(Debug, thiserror::Error, ::renamed::RemoteError)]
#[remote(crate = ::renamed)]
pub(crate) enum RenamedError {
    #[error("no")]
    No { because: String },
}

#[::renamed::remote(resource = GPU, crate = ::renamed)]
async fn under_another_name(x: u8) -> Result<u8, RenamedError> {
    if x == 0 { Err(RenamedError::No { because: "zero".to_owned() }) } else { Ok(x) }
}

mod nested {
    pub(crate) use ::renamed as sdk;

    #[sdk::remote(resource = super::GPU, crate = crate::hygiene::renamed_crate::nested::sdk)]
    pub(crate) fn through_a_re_export(x: u8) -> Result<u8, sdk::Error> {
        Ok(x)
    }
}

#[tokio::test]
async fn it_works_all_the_same() {
    assert_eq!(under_another_name::remote(1).await.unwrap(), 1);
    assert!(matches!(
        under_another_name::remote(0).await,
        Err(::renamed::CallError::Remote(RenamedError::No { because })) if because == "zero"
    ));
    assert_eq!(nested::through_a_re_export::remote(2).await.unwrap(), 2);
}
