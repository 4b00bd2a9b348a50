#[derive(Debug, thiserror::Error, RemoteError)]
pub enum StartError {
    #[error("{0}")]
    #[remote(opaque)]
    Io(std::io::Error),
}
const _: () = {
    use ::flash::__private as __flash;
    const __TEXT: &dyn __flash::Says<StartError> = &__flash::Json;
    #[automatically_derived]
    impl __flash::RemoteError for StartError {
        const CASES: &'static [__flash::ErrorCase] = &[__flash::ErrorCase::new("io")];
        fn to_wire(&self) -> __flash::WireError {
            match self {
                Self::Io { .. } => __flash::WireError::new("io", __TEXT.text(self)),
            }
        }
        fn from_wire(
            wire: __flash::WireError,
        ) -> ::core::result::Result<Self, __flash::WireError> {
            ::core::result::Result::Err(wire)
        }
    }
};
