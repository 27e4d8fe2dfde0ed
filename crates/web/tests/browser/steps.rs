//! Steps that journeys have in common.

use fantoccini::Locator;
use serde_json::json;

use crate::site::PASSWORD;
use crate::support::Browser;

/// Presses what leads to another page.
pub async fn press(browser: &Browser, locator: Locator<'_>) {
    let pressed = browser.find(locator).await.unwrap_or_else(|error| panic!("{locator:?}: {error}"));
    browser.turn_page(async { Ok(pressed.click().await?) }).await.unwrap();
}

/// Fills in a field by its id.
pub async fn set(browser: &Browser, id: &str, value: &str) {
    let script = "document.getElementById(arguments[0]).value = arguments[1];";
    browser.execute(script, vec![json!(id), json!(value)]).await.unwrap();
}

/// As another person, on a page.
pub async fn become_other(browser: &Browser, who: &str, page: &str) {
    browser.delete_all_cookies().await.unwrap();
    browser.sign_in(page, who, PASSWORD).await.unwrap();
}

/// Of the page shown.
pub async fn path(browser: &Browser) -> String {
    browser.current_url().await.unwrap().path().to_owned()
}

/// The page came again with a sentence that says what was wrong; that the browser tells of the answer's status is right.
pub async fn refused(browser: &Browser, part: &str) {
    browser.reads("#faults", part).await.unwrap();
    browser.complaints().await.unwrap();
}

/// Nothing is wrong with the page at any size.
pub async fn looks_right(browser: &Browser, name: &str) {
    assert_eq!(browser.inspect(name).await.unwrap(), "", "{name}");
}
