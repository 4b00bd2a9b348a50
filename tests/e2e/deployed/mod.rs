//! From sources to endpoints of a local platform, by the commands that the pages of the examples show.

mod commands;
mod develop;
mod documents;
mod examples;
mod images;
mod interrupted;
mod killed;
mod load;
mod machine;
mod page;
mod project;
mod promises;
mod proxy;
mod rollback;
mod running;
mod seen;
mod story;
mod upkeep;
mod waits;

pub(crate) use machine::Machine;
pub(crate) use page::Page;
