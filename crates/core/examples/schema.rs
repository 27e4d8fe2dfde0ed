//! Writes the JSON Schemas of the rule files into a folder: `… --example schema -- regulations/schema`.

use std::path::PathBuf;
use std::{env, fs, io};

use xinheng_core::rulebook::schema;

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::other("usage: schema FOLDER"))?;
    fs::create_dir_all(&folder)?;
    for (name, text) in schema::files() {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}
