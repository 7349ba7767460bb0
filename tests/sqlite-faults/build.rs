//! Compiles the VFS against the header of the SQLite that the store is built with.

fn main() {
    println!("cargo:rerun-if-changed=src/dropping.c");
    // Set by the build script of libsqlite3-sys.
    println!("cargo:rerun-if-env-changed=DEP_SQLITE3_INCLUDE");
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo passes parameters to build scripts by environment variables"
    )]
    let include = std::env::var_os("DEP_SQLITE3_INCLUDE").expect("SQLite is bundled");
    cc::Build::new()
        .file("src/dropping.c")
        .include(include)
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .compile("sqlite_faults");
}
