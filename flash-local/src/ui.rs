//! The web page of the platform: `/ui/`.
//!
//! The page is plain files that are part of the binary, and loads nothing from anywhere else. What it shows comes from one
//! stream of server-sent events; what it does goes through the same routes that every client has. Where the platform asks for
//! keys the page asks its reader for one, keeps it in its tab and sends it in `Authorization`; there is no cookie that another
//! site could use. Other sites are kept out by [`browser`](crate::browser).

mod assets;
mod endpoint;
mod feed;
mod history;
mod job;
mod payload;
mod routes;
mod worker;

pub(crate) use routes::{Ui, routes};
