//! Functions may be written by a macro of the user.

use flash::{Endpoint, Error, RemoteError, remote};

static GPU: Endpoint = Endpoint::queue("from-macros");

macro_rules! identity {
    ($name:ident, $type:ty, $resource:path, $default:expr, $wire:literal) => {
        #[remote(resource = $resource, name = $wire)]
        async fn $name(
            value: $type,
            #[remote(default = $default)] other: $type,
        ) -> Result<($type, $type), Error> {
            let local = (value, other);
            Ok(local)
        }
    };
}

identity!(identity_of_text, String, GPU, "x".to_owned(), "identity-of-text");
identity!(identity_of_numbers, Vec<(u8, Option<i64>)>, self::GPU, Vec::new(), "identity-of-numbers");

macro_rules! route {
    ($(#[$attribute:meta])* $visibility:vis fn $name:ident($($parameter:tt)*) -> $result:ty $body:block) => {
        $(#[$attribute])*
        #[remote(resource = $crate::hygiene::from_macros::GPU)]
        $visibility async fn $name($($parameter)*) -> $result $body
    };
}

route! {
    /// Has a context.
    pub(crate) fn forwarded(context: flash::Context, x: u8) -> Result<u8, Error> {
        let _ = context;
        Ok(x)
    }
}

macro_rules! failure {
    ($name:ident { $($variant:ident($type:ty)),* }) => {
        #[derive(Debug, thiserror::Error, RemoteError)]
        enum $name {
            $(#[error("{0:?}")] $variant($type),)*
        }
    };
}

failure!(MadeError { First(u8), Second(Vec<String>) });

#[tokio::test]
async fn they_work_like_written_ones() {
    let text = identity_of_text::remote("a".to_owned(), "b".to_owned()).await.unwrap();
    assert_eq!(text, ("a".to_owned(), "b".to_owned()));
    let json = crate::support::run::<identity_of_numbers>(r#"{"value":[[1,null]]}"#).await.unwrap();
    assert_eq!(json, "[[[1,null]],[]]");
    assert_eq!(crate::support::run::<forwarded>(r#"{"x":3}"#).await.unwrap(), "3");
    let wire = MadeError::Second(vec!["x".to_owned()]).to_wire();
    assert!(matches!(MadeError::from_wire(wire), Ok(MadeError::Second(list)) if list == ["x"]));
    assert_eq!(MadeError::First(1).to_wire().code, "first");
}
