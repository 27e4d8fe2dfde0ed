//! Forms (表单): fields in, and what was wrong with them back beside each.

use std::path::PathBuf;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

use crate::Site;
use crate::error::{PageError, PageResult};
use crate::visit::Visit;

/// Bytes of a form without a file.
pub const LARGEST_FORM: usize = 1024 * 1024;
/// Bytes of an upload: the largest file of a county's week is a few MB.
pub const LARGEST_UPLOAD: usize = 100 * 1024 * 1024;

/// The fields of a form, whose token the guard has checked. Unknown fields are passed over.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Site> for Form<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, site: &Site) -> Result<Self, PageError> {
        let form = axum::extract::Form::<T>::from_request(request, site).await;
        form.map(|form| Self(form.0)).map_err(|_| {
            PageError::WrongInput("表单缺少栏目或栏目格式不对，没有改动任何数据。请返回上一页，刷新后重新填写。".into())
        })
    }
}

/// A file that was uploaded, with the fields that came before it. Deleted with this value.
pub struct Upload {
    /// Name that the browser gave, without any folder; empty when no file was chosen.
    pub file_name: String,
    /// Where its bytes are.
    pub path: PathBuf,
    fields: Vec<(String, String)>,
    _folder: TempDir,
}

impl Upload {
    /// The value of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

impl FromRequest<Site> for Upload {
    type Rejection = PageError;

    async fn from_request(request: Request, site: &Site) -> Result<Self, PageError> {
        let visit = request.extensions().get::<Visit>().cloned().ok_or(PageError::Failed)?;
        let mut multipart = Multipart::from_request(request, site)
            .await
            .map_err(|_| PageError::WrongInput("没有收到文件，没有改动任何数据。请选择文件后再上传。".into()))?;
        let folder = tempfile::tempdir_in(&site.options.uploads).map_err(anyhow::Error::from)?;
        let mut upload =
            Self { file_name: String::new(), path: folder.path().join("file"), fields: Vec::new(), _folder: folder };
        let mut first = true;
        while let Some(field) = multipart.next_field().await.map_err(broken)? {
            let name = field.name().unwrap_or_default().to_owned();
            if first && name != "csrf" {
                return Err(PageError::Forged);
            }
            match field.file_name().map(plain_name) {
                Some(file_name) => {
                    // The part of a file keeps its ending: readers look at the bytes, people at the name.
                    upload.path.set_file_name(if file_name.is_empty() { "file" } else { &file_name });
                    save(field, &upload.path).await?;
                    upload.file_name = file_name;
                }
                None => {
                    let value = field.text().await.map_err(broken)?;
                    if first && !site.bureau.check_csrf(&visit.secret, &value) {
                        return Err(PageError::Forged);
                    }
                    upload.fields.push((name, value));
                }
            }
            first = false;
        }
        if first { Err(PageError::Forged) } else { Ok(upload) }
    }
}

/// The last part of what the browser calls the file, without what could lead elsewhere.
fn plain_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|letter| !letter.is_control()).collect();
    let plain = plain.trim_start_matches('.').trim();
    // A name in a file system has 255 bytes; a letter of Chinese takes three.
    let surplus = plain.chars().count().saturating_sub(80);
    plain.chars().skip(surplus).collect()
}

async fn save(mut field: Field<'_>, path: &std::path::Path) -> Result<(), PageError> {
    let mut file = tokio::fs::File::create(path).await.map_err(anyhow::Error::from)?;
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        file.write_all(&chunk).await.map_err(anyhow::Error::from)?;
    }
    file.flush().await.map_err(anyhow::Error::from)?;
    Ok(())
}

fn broken(error: MultipartError) -> PageError {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        PageError::TooLarge
    } else {
        PageError::WrongInput("文件没有完整传到，没有改动任何数据。请检查网络后重新上传。".into())
    }
}

/// The first field of that name, without white space around it; empty when there is none.
pub(crate) fn field(fields: &[(String, String)], name: &str) -> String {
    let found = fields.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
}

/// What follows a change: what `show` makes of it, be it the page again with the sentence that says what was wrong (422);
/// or the error, when it is not the person's to mend.
pub(crate) async fn outcome<T>(
    result: Result<T, impl Into<PageError>>,
    show: impl AsyncFnOnce(Result<T, String>) -> PageResult,
) -> PageResult {
    match result.map_err(Into::into) {
        Ok(value) => show(Ok(value)).await,
        Err(PageError::WrongInput(fault)) => {
            let page = show(Err(fault)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error),
    }
}

/// After a change: to the page that shows it, so that reading again does not send the form again.
pub fn see(address: impl AsRef<str>) -> Response {
    Redirect::to(address.as_ref()).into_response()
}

/// To another page, for a request that htmx made for a part of this one.
pub(crate) fn go(address: &str) -> Response {
    ([("hx-redirect", address.to_owned())], StatusCode::NO_CONTENT).into_response()
}
