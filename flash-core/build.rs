//! Tells the crate which target it is built for. The build script also makes `links` possible, and with it Cargo
//! refuses two copies of this crate, which would be two registries of which one is invisible.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = std::env::var("TARGET").unwrap_or_default();
    println!("cargo:rustc-env=FLASH_TARGET={target}");
}
