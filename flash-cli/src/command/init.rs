use std::path::Path;

use crate::cli::InitArgs;
use crate::failure::{During, Failure, exit};
use crate::output::Output;
use crate::report::Initialised;

/// The `flash` crate of the sources that this command was built from.
const FLASH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../flash");

/// `flash init`: a library with functions, a thin main that links it, and settings.
pub(super) fn run(args: &InitArgs, output: Output) -> Result<u8, Failure> {
    let name = args.dir.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    check_name(&name)?;
    if args.dir.join("Cargo.toml").exists() {
        return Err(Failure::new(format!("`{}` is a package already", args.dir.display()))
            .help("choose another directory"));
    }
    let flash = args.flash.as_deref().unwrap_or(Path::new(FLASH));
    let flash = flash.canonicalize().map_err(|error| {
        Failure::new(format!("the `flash` crate is not at `{}`: {error}", flash.display()))
            .help("name its directory with --flash; it is not in the public registry")
    })?;
    let fill = |text: &str| {
        text.replace("@NAME@", &name)
            .replace("@LIB@", &name.replace('-', "_"))
            .replace("@FLASH@", &flash.display().to_string())
    };
    let files = [
        ("Cargo.toml", include_str!("../template/Cargo.toml.in")),
        ("src/lib.rs", include_str!("../template/lib.rs.in")),
        ("src/main.rs", include_str!("../template/main.rs.in")),
        ("flash.toml", include_str!("../template/flash.toml.in")),
        ("README.md", include_str!("../template/README.md.in")),
        (".gitignore", "/target\n/.flash\n.env\n"),
        (".flashignore", "# Files of declared assets that the artifact should not have, as in .gitignore.\n"),
    ];
    for (path, text) in files {
        let path = args.dir.join(path);
        let what = format!("`{}` cannot be written", path.display());
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).during(&what)?;
        }
        if !path.exists() {
            std::fs::write(&path, fill(text)).during(&what)?;
        }
    }
    let text = format!("created {}\n\nnext: cd {} && flash run", args.dir.display(), args.dir.display());
    output.result(&text, &Initialised { dir: args.dir.clone(), name });
    Ok(0)
}

/// What cargo takes as a name and the platform as an app.
fn check_name(name: &str) -> Result<(), Failure> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if plain && begins && name.len() <= 63 && name != "flash" && name != "test" {
        return Ok(());
    }
    Err(Failure::of(exit::USAGE, format!("`{name}` cannot be the name of an app"))
        .help("use letters, digits, `-` and `_`, beginning with a letter; `flash` and `test` are taken"))
}
