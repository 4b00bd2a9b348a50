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
