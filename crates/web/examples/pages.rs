//! Writes every page with every sample in every language, and the assets, to a folder: for eyes and screenshots.
//!
//! `cargo run --release -p grantor-web --example pages -- FOLDER`, then serve FOLDER: `python3 -m http.server -d FOLDER`.

use std::{error::Error, fs, path::PathBuf};

use grantor_web::{
    locale::LOCALES,
    pages::{self, assets},
    render::Pages,
};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(
        std::env::args_os()
            .nth(1)
            .ok_or("give a folder to write to")?,
    );
    let pages = Pages::new(None)?;
    for locale in LOCALES {
        let folder = folder.join(locale.tag());
        fs::create_dir_all(&folder)?;
        for sample in pages::samples() {
            let name = sample.template.trim_end_matches(".html");
            let file = folder.join(format!("{name}-{}.html", sample.number));
            fs::write(&file, sample.render(&pages, *locale)?)?;
            println!("{}", file.display());
        }
    }
    fs::create_dir_all(folder.join("assets"))?;
    for asset in assets::all() {
        fs::write(folder.join(asset.path.trim_start_matches('/')), asset.body)?;
    }
    Ok(())
}
