//! The table of numbers, as it is published.

use flash_queue::{Limits, limits};

#[test]
fn the_published_table_is_the_one_in_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/parity.md");
    let page = format!(
        "# The numbers of the local platform\n\n\
         Every limit, time and switch, as `flash platform parity` prints it. A name can be given another value: the table below\n\
         is the code's own (`cargo test -p flash-queue parity` compares it; `FLASH_UPDATE_DOCS=1` rewrites it).\n\n```text\n{}```\n",
        limits::render(&Limits::default())
    );
    if std::env::var_os("FLASH_UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        published == page,
        "docs/parity.md is old\nhelp: FLASH_UPDATE_DOCS=1 cargo test -p flash-queue parity"
    );
}
