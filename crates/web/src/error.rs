//! What a request that cannot be answered gets: a sentence that says what to do, never a path, a
//! statement or a version. [`crate::guard`] puts it into a page of the frame that the visitor is in.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use xinheng_app::act::NotPermitted;
use xinheng_app::{WrongInput, is_carried_out};

/// Why a request is not answered.
#[derive(Clone, Debug)]
pub enum PageError {
    /// There is no such thing, or it is not for this visitor to know.
    NotFound,
    /// The duties of the person do not permit it.
    Forbidden,
    /// The form was not made by us for this session.
    Forged,
    /// The very same form was carried out before.
    CarriedOut,
    /// The session is over.
    SignedOut,
    /// It is another's matter, with the sentence that says whose; answered as if it were not there.
    OutOfScope(String),
    /// What was given cannot be used, with the sentence that says why.
    WrongInput(String),
    /// Too much is asked at once.
    TooMany,
    /// The body is larger than the route takes.
    TooLarge,
    /// The system failed; the reason is in the log only.
    Failed,
}

/// What handlers return.
pub type PageResult<T = Response> = Result<T, PageError>;

impl PageError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::OutOfScope(_) => StatusCode::NOT_FOUND,
            Self::Forbidden | Self::Forged => StatusCode::FORBIDDEN,
            Self::CarriedOut => StatusCode::CONFLICT,
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::WrongInput(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn heading(&self) -> &'static str {
        match self {
            Self::NotFound => "没有找到这个页面",
            Self::Forbidden => "没有权限",
            Self::Forged => "这次提交没有被接受",
            Self::CarriedOut => "已经提交过了",
            Self::SignedOut => "登录已失效",
            Self::OutOfScope(_) => "不在您的范围内",
            Self::WrongInput(_) => "请检查所填内容",
            Self::TooMany => "操作太频繁",
            Self::TooLarge => "文件太大",
            Self::Failed => "系统出错",
        }
    }

    pub(crate) fn advice(&self) -> String {
        match self {
            Self::NotFound => "地址可能有误，或者内容已不再公开。请从首页重新查找。".into(),
            Self::Forbidden => {
                "您的岗位不含这项操作，本次访问已记入审计日志。确有需要，请联系安全管理员调整角色。".into()
            }
            Self::Forged => {
                "页面停留过久，或提交不是从本系统页面发出的，没有改动任何数据。请返回上一页刷新后再提交。".into()
            }
            Self::CarriedOut => {
                "这张表单刚才已经提交并办理，系统没有重复办理。请从左侧菜单打开相应列表，查看办理结果。".into()
            }
            Self::SignedOut => {
                "为安全起见，长时间未操作会自动退出。没有改动任何数据；重新登录后，刚才填写的内容会自动恢复。".into()
            }
            Self::WrongInput(sentence) | Self::OutOfScope(sentence) => sentence.clone(),
            Self::TooMany => "请稍候一分钟再试。".into(),
            Self::TooLarge => format!(
                "单个文件不能超过 {} MB，没有改动任何数据。请把表格按月份或乡镇拆成几个文件，分别上传。",
                crate::form::LARGEST_UPLOAD / 1024 / 1024
            ),
            Self::Failed => {
                "操作没有完成，没有改动任何数据。请稍后重试；若仍然出错，请把下面的请求编号告诉系统管理员。".into()
            }
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<anyhow::Error> for PageError {
    fn from(error: anyhow::Error) -> Self {
        if is_carried_out(&error) {
            return Self::CarriedOut;
        }
        let error = match error.downcast::<WrongInput>() {
            Ok(WrongInput(sentence)) => return Self::WrongInput(sentence),
            Err(error) => error,
        };
        match error.downcast::<NotPermitted>() {
            Ok(NotPermitted(sentence)) => Self::OutOfScope(sentence),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "request.failed");
                Self::Failed
            }
        }
    }
}

impl From<askama::Error> for PageError {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "template.failed");
        Self::Failed
    }
}
