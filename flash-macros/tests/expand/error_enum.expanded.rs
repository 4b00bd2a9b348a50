#[derive(Debug, thiserror::Error, RemoteError)]
#[remote(status = 422)]
pub enum ClassifyError {
    #[error("the text is empty")]
    Empty,
    #[error("the text has {got} letters, at most {max}")]
    #[remote(code = "too_long", status = 413, terminal)]
    TooLong { max: usize, r#got: Option<usize> },
    #[error("no such label: {0}")]
    UnknownLabel(String),
    #[error("{0} is not before {1}")]
    Range(u8, u8),
    #[error("preprocessing failed")]
    #[remote(call)]
    Preprocess(#[source] CallError<PreprocessError>),
    #[error("the disk is full")]
    #[remote(opaque, retryable)]
    Disk(std::io::Error),
}
const _: () = {
    use ::flash::__private as __flash;
    const __TEXT: &dyn __flash::Says<ClassifyError> = &__flash::Json;
    const __DATA: (
        __flash::Datum<usize>,
        __flash::Datum<Option<usize>>,
        __flash::Datum<String>,
        __flash::Datum<u8>,
        __flash::Datum<u8>,
    ) = (
        __flash::datum(&__flash::Json),
        __flash::datum(&__flash::Json),
        __flash::datum(&__flash::Json),
        __flash::datum(&__flash::Json),
        __flash::datum(&__flash::Json),
    );
    #[automatically_derived]
    impl __flash::RemoteError for ClassifyError {
        const CASES: &'static [__flash::ErrorCase] = &[
            __flash::ErrorCase::new("empty").status(422u16),
            __flash::ErrorCase::new("too_long")
                .status(413u16)
                .terminal()
                .named(&["max", "got"], __flash::schemas!([usize, Option < usize >])),
            __flash::ErrorCase::new("unknown_label")
                .status(422u16)
                .tuple(1, __flash::schemas!([String])),
            __flash::ErrorCase::new("range")
                .status(422u16)
                .tuple(2, __flash::schemas!([u8, u8])),
            __flash::ErrorCase::new("preprocess").status(422u16),
            __flash::ErrorCase::new("disk").status(422u16).retryable(),
        ];
        fn to_wire(&self) -> __flash::WireError {
            match self {
                Self::Empty {} => {
                    __flash::WireError::new("empty", __TEXT.text(self))
                        .with_status(422u16)
                }
                Self::TooLong { max: __f0, r#got: __f1 } => {
                    __flash::WireError::new("too_long", __TEXT.text(self))
                        .with_data(
                            __flash::object([
                                ("max", __DATA.0.write(__f0)),
                                ("got", __DATA.1.write(__f1)),
                            ]),
                        )
                        .with_status(413u16)
                        .terminal()
                }
                Self::UnknownLabel { 0: __f0 } => {
                    __flash::WireError::new("unknown_label", __TEXT.text(self))
                        .with_data(__DATA.2.write(__f0))
                        .with_status(422u16)
                }
                Self::Range { 0: __f0, 1: __f1 } => {
                    __flash::WireError::new("range", __TEXT.text(self))
                        .with_data([__DATA.3.write(__f0), __DATA.4.write(__f1)])
                        .with_status(422u16)
                }
                Self::Preprocess { 0: __f0 } => {
                    __flash::write_upstream("preprocess", __f0).with_status(422u16)
                }
                Self::Disk { .. } => {
                    __flash::WireError::new("disk", __TEXT.text(self))
                        .with_status(422u16)
                        .retryable()
                }
            }
        }
        fn from_wire(
            wire: __flash::WireError,
        ) -> ::core::result::Result<Self, __flash::WireError> {
            let value = match &*wire.code {
                "empty" => ::core::option::Option::Some(Self::Empty {}),
                "too_long" => {
                    match (
                        __DATA.0.read_at(&wire, "max"),
                        __DATA.1.read_at(&wire, "got"),
                    ) {
                        (
                            ::core::option::Option::Some(__f0),
                            ::core::option::Option::Some(__f1),
                        ) => {
                            ::core::option::Option::Some(Self::TooLong {
                                max: __f0,
                                r#got: __f1,
                            })
                        }
                        _ => ::core::option::Option::None,
                    }
                }
                "unknown_label" => {
                    match (__DATA.2.read(&wire),) {
                        (::core::option::Option::Some(__f0),) => {
                            ::core::option::Option::Some(Self::UnknownLabel { 0: __f0 })
                        }
                        _ => ::core::option::Option::None,
                    }
                }
                "range" => {
                    match (
                        __DATA.3.read_at(&wire, 0usize),
                        __DATA.4.read_at(&wire, 1usize),
                    ) {
                        (
                            ::core::option::Option::Some(__f0),
                            ::core::option::Option::Some(__f1),
                        ) => {
                            ::core::option::Option::Some(Self::Range {
                                0: __f0,
                                1: __f1,
                            })
                        }
                        _ => ::core::option::Option::None,
                    }
                }
                "preprocess" => {
                    match (__flash::read_upstream(&wire),) {
                        (::core::option::Option::Some(__f0),) => {
                            ::core::option::Option::Some(Self::Preprocess { 0: __f0 })
                        }
                        _ => ::core::option::Option::None,
                    }
                }
                _ => ::core::option::Option::None,
            };
            ::core::option::Option::ok_or(value, wire)
        }
    }
    #[automatically_derived]
    impl ::core::convert::From<CallError<PreprocessError>> for ClassifyError {
        fn from(error: CallError<PreprocessError>) -> Self {
            Self::Preprocess { 0: error }
        }
    }
};
