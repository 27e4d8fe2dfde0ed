//! A Chromium for the tests: sizes, pictures, accessibility, keyboard, uploads.

mod driver;

use std::fmt::Write as _;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;
use fantoccini::wd::{TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, Locator};
use http::Method;
use serde_json::{Value, json};

use driver::Driver;

/// A window of a kind that our users have, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub width: u32,
    pub height: u32,
    /// Whether it is a phone: touch, and the width that the page itself asks for.
    pub phone: bool,
}

/// An officer's old desktop.
pub const DESKTOP: Size = Size { width: 1366, height: 768, phone: false };
/// A newer desktop, and the wall of the hall.
pub const LARGE: Size = Size { width: 1920, height: 1080, phone: false };
/// A citizen's phone.
pub const PHONE: Size = Size { width: 390, height: 844, phone: true };
/// Every size at which a page must be right.
pub const SIZES: [Size; 3] = [DESKTOP, LARGE, PHONE];

/// WCAG 2.2 at level AA, in axe's words.
const RULES: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
/// More stops of the Tab key than any page has.
const STOPS: usize = 300;

/// A path named from the folder of all crates, as cargo says it now: what was built may have been built by another clone.
pub fn beside(path: &str) -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    Path::new(&here).join("..").join(path)
}

/// A Chromium with a fresh profile, on one site. Dropping it ends the browser.
pub struct Browser {
    client: Client,
    site: String,
    // Last: the driver ends after its client.
    driver: Driver,
}

impl Deref for Browser {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Browser {
    /// Starts Chromium for a site such as `http://127.0.0.1:8080`, at the size of a desktop, nothing moving.
    pub async fn start(site: &str) -> Result<Self> {
        let driver = Driver::start()?;
        let client = driver.connect().await?;
        let patience = Some(Duration::from_secs(30));
        client.update_timeouts(TimeoutConfiguration::new(patience, patience, Some(Duration::ZERO))).await?;
        let browser = Self { client, site: site.trim_end_matches('/').to_owned(), driver };
        let still = json!([{ "name": "prefers-reduced-motion", "value": "reduce" }]);
        browser.devtools("Emulation.setEmulatedMedia", json!({ "features": still })).await?;
        browser.resize(DESKTOP).await?;
        Ok(browser)
    }

    /// Opens a page by its path.
    pub async fn visit(&self, path: &str) -> Result<()> {
        let address = format!("{}{path}", self.site);
        self.goto(&address).await.with_context(|| format!("打不开 {address}"))
    }

    /// Signs in by the form that a page asks for first, whatever its address: the fields that a browser's own
    /// password store would fill.
    pub async fn sign_in(&self, page: &str, account: &str, secret: &str) -> Result<()> {
        self.visit(page).await?;
        let form = self.form(Locator::Css("form:has(input[type=password])")).await.context("没有登录表单")?;
        form.set(Locator::Css("input[autocomplete=username]"), account).await?;
        form.set(Locator::Css("input[type=password]"), secret).await?;
        let password = self.find(Locator::Css("input[type=password]")).await?;
        self.turn_page(async { Ok(password.send_keys(&Key::Enter).await?) }).await?;
        let inside = Locator::Css("html:not(:has(input[type=password]))");
        self.wait().for_element(inside).await.with_context(|| format!("“{account}”没有登录成功"))?;
        Ok(())
    }

    /// Does what leads to another page, and waits until that page is there whole: what is looked for next can no
    /// longer be found on the page that is going.
    pub async fn turn_page(&self, act: impl Future<Output = Result<()>>) -> Result<()> {
        self.execute("window.isLeft = true;", vec![]).await?;
        act.await?;
        let arrived = "return !window.isLeft && document.readyState === 'complete';";
        for _ in 0..600 {
            // Between two pages there is nothing to ask.
            if self.execute(arrived, vec![]).await.is_ok_and(|there| there == true) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("no other page came after {}", self.current_url().await?)
    }

    /// Waits until what `selector` matches says `part`, and gives all that it says.
    pub async fn reads(&self, selector: &str, part: &str) -> Result<String> {
        let script = "const at = document.querySelector(arguments[0]); return at && at.innerText;";
        let mut said = Value::Null;
        for _ in 0..600 {
            said = self.execute(script, vec![json!(selector)]).await.unwrap_or_default();
            if let Some(text) = said.as_str().filter(|text| text.contains(part)) {
                return Ok(text.to_owned());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("{selector} does not say “{part}” but {said}")
    }

    /// Makes the window's inside exactly this large; a page that is open is laid out anew.
    pub async fn resize(&self, size: Size) -> Result<()> {
        let Size { width, height, phone } = size;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await?;
        self.devtools("Emulation.setTouchEmulationEnabled", json!({ "enabled": phone })).await?;
        Ok(())
    }

    /// The whole page as a PNG, below the fold too.
    pub async fn picture(&self) -> Result<Vec<u8>> {
        let full = json!({ "format": "png", "captureBeyondViewport": true, "clip": self.extent().await? });
        let answer = self.devtools("Page.captureScreenshot", full).await?;
        let data = answer["data"].as_str().context("Chromium 没有交出截图")?;
        STANDARD.decode(data).context("截图的编码有误")
    }

    /// Keeps a picture of the whole page as `target/screenshots/NAME.png`.
    pub async fn keep_picture(&self, name: &str) -> Result<PathBuf> {
        let folder = artefacts()?;
        let path = folder.join(name).with_extension("png");
        std::fs::create_dir_all(&folder)?;
        std::fs::write(&path, self.picture().await?)?;
        Ok(path)
    }

    /// Everything that is wrong with the page that is open, at each size, as text; empty when nothing is. Keeps a
    /// picture of each size as `NAME-WIDTH.png`.
    pub async fn inspect(&self, name: &str) -> Result<String> {
        let mut faults = String::new();
        for size in SIZES {
            self.resize(size).await?;
            self.keep_picture(&format!("{name}-{}", size.width)).await?;
            let barriers = self.barriers().await?;
            let wide = self.overflow().await?;
            for fault in [barriers, wide].concat() {
                writeln!(faults, "{name} {}×{}: {fault}", size.width, size.height)?;
            }
        }
        for fault in [self.foreign_requests().await?, self.complaints().await?].concat() {
            writeln!(faults, "{name}: {fault}")?;
        }
        self.resize(DESKTOP).await?;
        Ok(faults)
    }

    /// What axe-core finds on the page against WCAG 2.2 AA: rule, element, how to mend it.
    pub async fn barriers(&self) -> Result<Vec<String>> {
        let path = beside("web/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&path)
            .with_context(|| format!("缺少 {}：请先运行 cargo xtask assets", path.display()))?;
        self.execute(&axe, vec![]).await?;
        let run = "const done = arguments[1];
            axe.run(document, { runOnly: { type: 'tag', values: arguments[0] }, resultTypes: ['violations'] })
               .then((found) => done({ found: found.violations }), (error) => done({ error: String(error) }));";
        let answer = self.execute_async(run, vec![json!(RULES)]).await?;
        let Some(violations) = answer["found"].as_array() else { bail!("axe-core 没有运行：{}", answer["error"]) };
        let nodes = |violation: &Value| violation["nodes"].as_array().cloned().unwrap_or_default();
        let told = violations.iter().flat_map(|violation| {
            nodes(violation).into_iter().map(move |node| {
                let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let target = node["target"].to_string();
                let mend = word(&node["failureSummary"]).replace('\n', " ");
                format!("{} {target}: {mend} {}", word(&violation["id"]), word(&node["html"]))
            })
        });
        Ok(told.collect())
    }

    /// Addresses outside of the site that the page asked for.
    pub async fn foreign_requests(&self) -> Result<Vec<String>> {
        let script = "return performance.getEntries().filter((entry) => entry.initiatorType)
            .map((entry) => new URL(entry.name, location.href))
            .filter((url) => url.origin !== location.origin && !['data:', 'blob:'].includes(url.protocol))
            .map((url) => 'a request left the server: ' + url.href);";
        Ok(serde_json::from_value(self.execute(script, vec![]).await?)?)
    }

    /// Bytes that the page and everything it needs took on the wire, compressed, headers included. What an earlier
    /// page of this browser has fetched counts nothing.
    pub async fn weight(&self) -> Result<u64> {
        let script = "return performance.getEntries().filter((entry) => entry.transferSize)
            .reduce((sum, entry) => sum + entry.transferSize, 0);";
        self.execute(script, vec![]).await?.as_u64().context("Chromium 没有交出字节数")
    }

    /// The elements that make the page scroll sideways, if it does.
    pub async fn overflow(&self) -> Result<Vec<String>> {
        let script = "const edge = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= edge) return [];
            const out = [...document.body.querySelectorAll('*')]
                .filter((element) => element.getBoundingClientRect().right > edge + 0.5)
                .map((element) => element.cloneNode(false).outerHTML);
            return ['the page scrolls sideways, ' + document.documentElement.scrollWidth + ' > ' + edge + ': '
                + out.slice(0, 3).join(' ')];";
        Ok(serde_json::from_value(self.execute(script, vec![]).await?)?)
    }

    /// What the browser's console said since it was asked last: errors of scripts, files not found, what the content
    /// security policy refused.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        let log = Command { path: "se/log", body: json!({ "type": "browser" }) };
        let said = self.issue_cmd(log).await?;
        let serious = said.as_array().into_iter().flatten().filter(|entry| entry["level"] != "INFO");
        Ok(serious.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect())
    }

    /// Presses and releases one key.
    pub async fn press(&self, key: Key) -> Result<()> {
        self.chord(&[], key).await
    }

    /// Presses one key while others are held, such as Shift and Tab.
    pub async fn chord(&self, held: &[Key], key: Key) -> Result<()> {
        let down = |key: &Key| KeyAction::Down { value: (*key).into() };
        let up = |key: &Key| KeyAction::Up { value: (*key).into() };
        let presses = held.iter().map(down).chain([down(&key), up(&key)]).chain(held.iter().rev().map(up));
        let actions = presses.fold(KeyActions::new("keyboard".to_owned()), KeyActions::then);
        Ok(self.perform_actions(actions).await?)
    }

    /// Types text into what has the focus, as a keyboard does.
    pub async fn type_text(&self, text: &str) -> Result<()> {
        Ok(self.active_element().await?.send_keys(text).await?)
    }

    /// Presses Tab until an element that `selector` matches has the focus, and sees that the focus shows.
    pub async fn tab_to(&self, selector: &str) -> Result<()> {
        let script = "const at = document.activeElement; const style = getComputedStyle(at);
            const seen = style.outlineStyle !== 'none' || style.boxShadow !== 'none';
            return { there: at.matches(arguments[0]), seen, what: at.cloneNode(false).outerHTML };";
        let mut passed = Vec::new();
        for _ in 0..STOPS {
            self.press(Key::Tab).await?;
            let at = self.execute(script, vec![json!(selector)]).await?;
            let what = at["what"].as_str().unwrap_or_default().to_owned();
            if at["there"] == true {
                ensure!(at["seen"] == true, "the focus cannot be seen on {what}");
                return Ok(());
            }
            passed.push(what);
            // Past the last stop the focus comes back to the first.
            if passed.len() > 1 && passed.first() == passed.last() {
                break;
            }
        }
        bail!("the Tab key does not reach {selector}; it passed {passed:#?}")
    }

    /// Puts files into the `<input type="file">` that `selector` matches.
    pub async fn upload(&self, selector: &str, files: &[&Path]) -> Result<()> {
        let paths: Vec<String> = files
            .iter()
            .map(|file| Ok(file.canonicalize().with_context(|| file.display().to_string())?.display().to_string()))
            .collect::<Result<_>>()?;
        Ok(self.find(Locator::Css(selector)).await?.send_keys(&paths.join("\n")).await?)
    }

    /// Follows the link to a file and gives the path where it has landed, in this folder.
    pub async fn download(&self, path: &str, folder: &Path) -> Result<PathBuf> {
        let rule = json!({ "behavior": "allow", "downloadPath": folder.canonicalize()? });
        self.devtools("Browser.setDownloadBehavior", rule).await?;
        let script = "const link = document.createElement('a'); link.href = arguments[0]; link.download = '';
            document.body.append(link); link.click(); link.remove();";
        self.execute(script, vec![json!(path)]).await?;
        for _ in 0..300 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let landed = std::fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
            // Chromium gives a file its name when it is whole.
            let whole = |path: &PathBuf| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                !name.starts_with('.') && !name.ends_with(".crdownload")
            };
            if let Some(file) = landed.iter().map(std::fs::DirEntry::path).find(whole) {
                return Ok(file);
            }
        }
        bail!("{path} was not downloaded")
    }

    /// Scripts off or on, for pages opened from here on.
    pub async fn scripts(&self, on: bool) -> Result<()> {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !on })).await?;
        Ok(())
    }

    /// Everything the page extends over.
    async fn extent(&self) -> Result<Value> {
        let metrics = self.devtools("Page.getLayoutMetrics", json!({})).await?;
        let size = &metrics["cssContentSize"];
        Ok(json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 }))
    }

    /// One command of Chromium's own protocol, for what WebDriver has no words.
    async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        let body = json!({ "cmd": command, "params": parameters });
        let answer = self.issue_cmd(Command { path: "goog/cdp/execute", body }).await;
        answer.with_context(|| format!("Chromium 不接受 {command}"))
    }

    /// The folder of the profile, which is gone when the browser is.
    pub fn profile(&self) -> &Path {
        self.driver.profile()
    }
}

/// The folder `screenshots` beside what cargo builds.
fn artefacts() -> Result<PathBuf> {
    // target/debug/deps/browser-… and target/debug/examples/… alike.
    let this = std::env::current_exe()?;
    Ok(this.ancestors().nth(3).context("无法得知构建目录")?.join("screenshots"))
}

/// A command of chromedriver that WebDriver does not have.
#[derive(Debug)]
struct Command {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
