//! Files of the pages, embedded: our style sheet and script, and what `cargo xtask assets` brought from
//! npm. Their addresses carry a digest of their content, so that browsers keep them for good.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::error::PageError;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets"]
struct Own;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/vendor"]
#[allow_missing = true]
struct Vendor;

/// Digest and content of a file.
type Embedded = (String, Cow<'static, [u8]>);

/// Files by name.
static FILES: LazyLock<HashMap<String, Embedded>> = LazyLock::new(|| {
    let own = Own::iter().filter_map(|name| Some((name.clone(), Own::get(&name)?)));
    let vendor = Vendor::iter().filter_map(|name| Some((name.clone(), Vendor::get(&name)?)));
    own.chain(vendor)
        .map(|(name, file)| {
            let digest: String = file.metadata.sha256_hash()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
            (name.to_string(), (digest, file.data))
        })
        .collect()
});

/// Address of a file.
pub(crate) fn asset(name: &str) -> String {
    let digest = FILES.get(name).map_or("", |(digest, _)| digest.as_str());
    format!("/assets/{digest}/{name}")
}

/// The names of the files that pages need; all must be embedded.
pub const NEEDED: &[&str] =
    &["xinheng.css", "xinheng.js", "certificate.js", "htmx.min.js", "echarts.min.js", "sm3.min.js"];

/// Files that are needed and not there: the program was built without `cargo xtask assets`.
#[must_use]
pub fn missing() -> Vec<&'static str> {
    NEEDED.iter().copied().filter(|name| !FILES.contains_key(*name)).collect()
}

/// Serves a file.
pub(crate) async fn serve(Path((digest, name)): Path<(String, String)>) -> Response {
    match FILES.get(&name) {
        Some((known, data)) if *known == digest => {
            let kind = mime_guess::from_path(&name).first_or_octet_stream().to_string();
            let kind = if kind.starts_with("text/") { format!("{kind}; charset=utf-8") } else { kind };
            let kind = HeaderValue::from_str(&kind).unwrap_or(HeaderValue::from_static("application/octet-stream"));
            let keep = HeaderValue::from_static("public, max-age=31536000, immutable");
            ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)], data.clone()).into_response()
        }
        _ => PageError::NotFound.into_response(),
    }
}
