//! A site of a small bureau with one person for each role, and clients that visit it as each of them.
#![allow(clippy::unwrap_used, dead_code)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, Response, StatusCode, header};
use tempfile::TempDir;
use tower::ServiceExt;
use xinheng_app::act::Act;
use xinheng_app::people::{NewStaff, UnitChange};
use xinheng_app::rules::{embedded, load};
use xinheng_app::sign_in::{Credentials, PasswordCost, SignIn};
use xinheng_app::{Bureau, Surroundings};
use xinheng_core::record::Moment;
use xinheng_core::rulebook::load::Rulebook;
use xinheng_core::staff::Role;
use xinheng_core::unit::UnitKind;
use xinheng_web::{Site, SiteOptions, router};

/// The unit of most people, and another.
pub const UNIT: &str = "SP";
pub const OTHER_UNIT: &str = "TS";

/// A password that every policy takes.
pub const PASSWORD: &str = "Mu7-plum&Kettle-rain";

/// The site, with what it stands on.
pub struct World {
    pub bureau: Arc<Bureau>,
    pub router: Router,
    pub folder: TempDir,
    site: Site,
    clock: Arc<AtomicI64>,
    /// Account → secret of its second factor.
    factors: BTreeMap<String, String>,
}

/// The moment at which worlds begin: 2026-11-25 10:00 in China.
const START: i64 = 1_795_572_000_000_000;
/// Microseconds after which a second factor shows another code.
const STEP: i64 = 30_000_000;

/// Who visits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    Stranger,
    Staff(Role),
    /// A handler of another unit.
    OtherHandler,
}

impl Who {
    pub fn all() -> Vec<Self> {
        let staff = Role::ALL.into_iter().map(Self::Staff);
        std::iter::once(Self::Stranger).chain(staff).chain([Self::OtherHandler]).collect()
    }

    pub fn account(&self) -> String {
        match self {
            Self::Stranger => "nobody".to_owned(),
            Self::Staff(role) => role.to_string().replace('_', "-"),
            Self::OtherHandler => "other-handler".to_owned(),
        }
    }
}

/// A browser: its cookies, and the token that its forms carry.
#[derive(Clone)]
pub struct Client {
    router: Router,
    cookie: Option<String>,
    pub csrf: String,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl World {
    /// An empty database with units and people, all signed up through the use cases.
    pub async fn new() -> Self {
        Self::with(load(&embedded()).unwrap()).await
    }

    /// As [`Self::new`], by other rules.
    pub async fn with(rulebook: Rulebook) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("sqlite:{}", folder.path().join("xinheng.db").display());
        let clock = Arc::new(AtomicI64::new(START));
        let moment = Arc::clone(&clock);
        let surroundings = Surroundings {
            now: Arc::new(move || Moment::from_micros(moment.load(Ordering::Relaxed)).unwrap()),
            password_cost: PasswordCost { memory: 64 },
            ..Surroundings::real()
        };
        let bureau = Bureau::open(&database, &folder.path().join("key"), rulebook, surroundings).await.unwrap();
        let act = Act::on_command_line("test.prepare");
        bureau.first_start(&act).await.unwrap();
        for (code, name) in [(UNIT, "食品生产股"), (OTHER_UNIT, "特种设备股")] {
            let unit = UnitChange { name, other_names: &[], kind: UnitKind::Division, in_use: true };
            bureau.add_unit(&act, code, &unit).await.unwrap();
        }
        let bureau = Arc::new(bureau);
        let mut factors = BTreeMap::new();
        for who in Who::all() {
            let (role, unit) = match &who {
                Who::Stranger => continue,
                Who::Staff(role) => (*role, UNIT),
                Who::OtherHandler => (Role::Handler, OTHER_UNIT),
            };
            let factor = add_person(&bureau, &act, &who.account(), role, unit).await;
            factors.extend(factor.map(|factor| (who.account(), factor)));
        }
        std::fs::create_dir_all(folder.path().join("uploads")).unwrap();
        let site = Site::new(Arc::clone(&bureau), options(&folder)).unwrap();
        Self { bureau, router: router(site.clone()), folder, site, clock, factors }
    }

    /// The site as it is after it was ended and started again.
    pub fn started_again(&self) -> Router {
        router(Site::new(Arc::clone(&self.bureau), options(&self.folder)).unwrap())
    }

    /// Listens on a free port, for a browser; gives the address.
    pub async fn listen(&self) -> String {
        let listen = "127.0.0.1:0".parse().unwrap();
        let options = xinheng_web::ServeOptions { listen, tls: None, metrics: None };
        let listening = xinheng_web::serve(self.site.clone(), &options).await.unwrap();
        format!("http://{}", listening.address)
    }

    /// Time passes.
    pub fn wait_minutes(&self, minutes: i64) {
        self.clock.fetch_add(minutes * 2 * STEP, Ordering::Relaxed);
    }

    pub fn stranger(&self) -> Client {
        Client { router: self.router.clone(), cookie: None, csrf: String::new() }
    }

    /// Signs in through the use case, as many at a time as a test needs.
    pub async fn client(&self, who: &Who) -> Client {
        let mut client = self.stranger();
        if *who == Who::Stranger {
            let answer = client.get("/sign-in").await;
            client.remember(&answer);
            return client;
        }
        let act =
            Act { event: "session.sign_in", actor: None, source: who.account(), request: String::new(), form: None };
        self.clock.fetch_add(STEP, Ordering::Relaxed);
        let code = self.factors.get(&who.account()).map(|secret| code(secret, self.bureau.now()));
        let credentials = Credentials { account: &who.account(), password: PASSWORD, code: code.as_deref() };
        let signed_in = self.bureau.sign_in(&act, &credentials, "test").await.unwrap();
        let SignIn::Welcome(welcome) = signed_in else { panic!("{who:?}: {signed_in:?}") };
        client.csrf = self.bureau.csrf_token(&welcome.token, "page");
        client.cookie = Some(format!("xinheng={}", welcome.token));
        client
    }

    /// One client for each.
    pub async fn clients(&self) -> BTreeMap<Who, Client> {
        let mut clients = BTreeMap::new();
        for who in Who::all() {
            clients.insert(who.clone(), self.client(&who).await);
        }
        clients
    }
}

fn options(folder: &TempDir) -> SiteOptions {
    SiteOptions { secure: false, proxies: Vec::new(), uploads: folder.path().join("uploads"), daily: false }
}

/// A person with a role, who has chosen a password and, as an administrator, a second factor.
async fn add_person(bureau: &Bureau, act: &Act, account: &str, role: Role, unit: &str) -> Option<String> {
    let new = NewStaff { account, name: "某某", unit, proposed: Vec::new() };
    let secret = bureau.add_staff(act, &new).await.unwrap();
    let number = bureau.staff_by_account(account).await.unwrap().unwrap().number;
    bureau.grant_roles(act, number, [role]).await.unwrap();
    let credentials = Credentials { account, password: &secret.secret, code: None };
    let act =
        Act { event: "session.sign_in", actor: None, source: account.to_owned(), request: String::new(), form: None };
    let SignIn::Welcome(welcome) = bureau.sign_in(&act, &credentials, "test").await.unwrap() else {
        panic!("the one-time secret of {account} is refused")
    };
    let own = Act { actor: Some(welcome.session.actor), ..act };
    bureau.change_password(&own, None, PASSWORD).await.unwrap();
    if !role.is_administrator() {
        return None;
    }
    let enrolment = bureau.enrol_second_factor(&own).await.unwrap();
    bureau.confirm_second_factor(&own, &code(&enrolment.secret, bureau.now())).await.unwrap();
    Some(enrolment.secret)
}

/// What a telephone with the secret shows.
pub fn code(secret: &str, moment: Moment) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    totp.generate(u64::try_from(moment.micros() / 1_000_000).unwrap()).to_string()
}

impl Client {
    /// The same on another site.
    pub fn at(self, router: &Router) -> Self {
        Self { router: router.clone(), ..self }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// The token of the session.
    pub fn token(&self) -> &str {
        self.cookie.as_deref().and_then(|cookie| cookie.strip_prefix("xinheng=")).unwrap()
    }

    /// Sends a form as our pages do, with the token.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("csrf", self.csrf.as_str())];
        all.extend_from_slice(fields);
        self.post_raw(path, &all).await
    }

    /// Sends a form with just these fields.
    pub async fn post_raw(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = serde_urlencoded::to_string(fields).unwrap();
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// Sends a file as our pages do.
    pub async fn upload(&self, path: &str, fields: &[(&str, &str)], file_name: &str, bytes: &[u8]) -> Answer {
        let mut body = Vec::new();
        for (name, value) in [("csrf", self.csrf.as_str())].iter().chain(fields) {
            body.extend_from_slice(
                format!("--limit\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").as_bytes(),
            );
        }
        body.extend_from_slice(
            format!("--limit\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{file_name}\"\r\n\r\n")
                .as_bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--limit--\r\n");
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=limit")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        if let Some(cookie) = &self.cookie {
            request.headers_mut().insert(header::COOKIE, cookie.parse().unwrap());
        }
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    /// Keeps the cookie and the token of a page, as a browser does.
    pub fn remember(&mut self, answer: &Answer) {
        if let Some(cookie) = answer.headers.get(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            self.cookie = Some(cookie);
        }
        let text = answer.text();
        if let Some((_, rest)) = text.split_once("name=\"csrf\" value=\"") {
            self.csrf = rest.split('"').next().unwrap().to_owned();
        }
    }
}
