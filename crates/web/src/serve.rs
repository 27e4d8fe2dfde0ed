//! Serving (运行): listening with or without TLS, the layers that every answer passes, stopping gently,
//! and the local address for health and metrics.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::{Site, router};

/// Where and how the site listens.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Address of the pages.
    pub listen: SocketAddr,
    /// Certificate chain and key, PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Address of health and metrics; must be local.
    pub metrics: Option<SocketAddr>,
}

/// How long requests under way may take when the site stops.
const GENTLE: Duration = Duration::from_secs(20);

/// What pages may load: nothing but our own files, no inline script, no frame around us.
const CONTENT_SECURITY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
                                frame-ancestors 'none'; form-action 'self'";

/// A site that listens.
pub struct Listening {
    /// The address, with the port that the system chose where none was given.
    pub address: SocketAddr,
    handle: Handle<SocketAddr>,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Listening {
    /// Until the site has stopped.
    ///
    /// # Errors
    /// When it could not go on listening.
    pub async fn stopped(self) -> anyhow::Result<()> {
        self.server.await?.context("网站停止运行")
    }

    /// Takes no more requests, and ends those under way within a short time.
    pub fn stop(&self) {
        self.handle.graceful_shutdown(Some(GENTLE));
    }

    /// Stops gently as soon as the future is ready, such as on a signal.
    pub fn stop_on(&self, signal: impl Future<Output = ()> + Send + 'static) {
        let handle = self.handle.clone();
        tokio::spawn(async move {
            signal.await;
            handle.graceful_shutdown(Some(GENTLE));
        });
    }
}

/// Starts the site.
///
/// # Errors
/// When the address cannot be had, or the certificate cannot be read.
pub async fn serve(site: Site, options: &ServeOptions) -> anyhow::Result<Listening> {
    if let Some(local) = options.metrics {
        anyhow::ensure!(local.ip().is_loopback(), "健康检查与指标只能在本机地址上提供，例如 127.0.0.1:9180");
        let recorder = PrometheusBuilder::new().install_recorder().context("指标无法启用")?;
        let listener = tokio::net::TcpListener::bind(local).await.with_context(|| format!("地址 {local} 无法监听"))?;
        let metrics = Router::new()
            .route("/health", get(health))
            .route("/metrics", get(async move || metrics_text(&recorder)))
            .with_state(site.clone());
        tokio::spawn(async move { axum::serve(listener, metrics).await });
    }
    let pages = router(site).into_make_service_with_connect_info::<SocketAddr>();
    let listener = std::net::TcpListener::bind(options.listen)
        .with_context(|| format!("地址 {} 无法监听：可能已被占用，请换一个端口（--listen）", options.listen))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let handle = Handle::new();
    let server = match &options.tls {
        None => {
            let server = axum_server::from_tcp(listener)?.handle(handle.clone());
            tokio::spawn(server.serve(pages))
        }
        Some((certificate, key)) => {
            // The only provider that is compiled in; a second installation is none.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let config = RustlsConfig::from_pem_file(certificate, key).await.with_context(|| {
                format!("证书“{}”或私钥“{}”读不出。请提供 PEM 格式的证书链和私钥", certificate.display(), key.display())
            })?;
            let server = axum_server::from_tcp_rustls(listener, config)?.handle(handle.clone());
            tokio::spawn(server.serve(pages))
        }
    };
    Ok(Listening { address, handle, server })
}

fn metrics_text(recorder: &PrometheusHandle) -> String {
    recorder.run_upkeep();
    recorder.render()
}

/// Whether the database answers.
async fn health(State(site): State<Site>) -> Response {
    match site.bureau.head().await {
        Ok(head) => format!("{{\"status\":\"ok\",\"seq\":{}}}\n", head.seq).into_response(),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "health.failed");
            (StatusCode::SERVICE_UNAVAILABLE, "{\"status\":\"failed\"}\n").into_response()
        }
    }
}

/// What every answer gets, errors too.
pub(crate) fn layered(router: Router, secure: bool) -> Router {
    let always = |name: &'static str, value: &'static str| {
        SetResponseHeaderLayer::overriding(HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    let router = router
        .layer(CatchPanicLayer::custom(|_| {
            tracing::error!("request.panicked");
            crate::error::PageError::Failed.into_response()
        }))
        .layer(from_fn(told))
        .layer(CompressionLayer::new())
        .layer(always("content-security-policy", CONTENT_SECURITY))
        .layer(always("x-content-type-options", "nosniff"))
        .layer(always("referrer-policy", "same-origin"))
        .layer(always("cross-origin-opener-policy", "same-origin"))
        .layer(always("permissions-policy", "camera=(), microphone=(), geolocation=()"));
    match secure {
        true => router.layer(always("strict-transport-security", "max-age=31536000")),
        false => router,
    }
}

/// The log and the metrics of a request: which route, how it ended, how long it took. Never an
/// address with its query, a name or a value.
async fn told(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let start = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let taken = start.elapsed();
    tracing::info!(%method, route, status, duration_ms = taken.as_millis() as u64, "request.answered");
    let labels = [("route", route), ("status", status.to_string())];
    metrics::counter!("xinheng_requests_total", &labels).increment(1);
    metrics::histogram!("xinheng_request_seconds", &labels[..1]).record(taken.as_secs_f64());
    response
}

/// Answers that carry a file to be kept.
pub(crate) fn download(file_name: &str, kind: &'static str, bytes: impl Into<axum::body::Body>) -> Response {
    let name = crate::visit::encoded(file_name).replace('/', "%2F");
    let disposition = HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{name}"))
        .unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, disposition)];
    (headers, bytes.into()).into_response()
}

/// Type of a workbook.
pub(crate) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
