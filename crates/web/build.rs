//! The pages embed scripts that are not in git; without them the build says how to get them.

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=vendor");
    if !Path::new("vendor/htmx.min.js").exists() {
        println!("cargo::error=缺少网页的脚本库 crates/web/vendor：请先运行 cargo xtask assets（需要 Node.js 与 npm）");
    }
}
