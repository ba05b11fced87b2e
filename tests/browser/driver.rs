//! A small WebDriver client (W3C WebDriver, and ChromeDriver's way to DevTools): just what these tests need.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use http::StatusCode;
use serde_json::{Value, json};

use crate::support::demo::Http;

/// The name under which WebDriver hands out elements (W3C WebDriver, "Elements").
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The longest wait for something on the page. The slowest is a person's quiet of 30 s, which is let pass.
const PATIENCE_MS: u64 = 20_000;

/// Keys as WebDriver writes them (W3C WebDriver, "Keyboard actions").
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const SPACE: &str = " ";

/// A browser with one window. It ends with the value.
pub(crate) struct Browser {
    http: Http,
    session: String,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        // ChromeDriver takes its browser with it.
        let _ended_already = self.driver.kill();
        let _ended_already = self.driver.wait();
    }
}

impl Browser {
    /// Starts ChromeDriver and a browser without a window.
    pub(crate) async fn start(chromedriver: &Path, chrome: &Path) -> Browser {
        let mut driver = Command::new(chromedriver)
            .args(["--port=0", "--log-level=WARNING"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut out = BufReader::new(driver.stdout.take().unwrap());
        while !said.contains("started successfully on port ") {
            assert!(out.read_line(&mut said).unwrap() > 0, "ChromeDriver ended: {said}");
        }
        let port: String =
            said.split("successfully on port ").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
        let profile = tempfile::tempdir().unwrap();
        let mut args = vec![
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            "--hide-scrollbars".to_owned(),
        ];
        args.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": args, "binary": chrome },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": PATIENCE_MS + 10_000, "pageLoad": PATIENCE_MS },
        } } });
        let http = Http::new();
        let session = format!("http://127.0.0.1:{port}/session");
        let mut browser = Browser { http, session, driver, _profile: profile };
        let started = browser.call("POST", "", &wanted).await.unwrap();
        browser.session = format!("{}/{}", browser.session, started["sessionId"].as_str().unwrap());
        browser
    }

    /// A command. An error's name and words where it fails.
    async fn call(&self, method: &str, command: &str, body: &Value) -> Result<Value, String> {
        let body = if method == "GET" { Vec::new() } else { serde_json::to_vec(body).unwrap() };
        let url = format!("{}{command}", self.session);
        let answer = self.http.send(method, &url, &[("content-type", "application/json")], body).await;
        let value: Value = serde_json::from_str(&answer.text).unwrap();
        let value = value["value"].clone();
        if answer.status == StatusCode::OK {
            return Ok(value);
        }
        let message = value["message"].as_str().unwrap_or_default();
        Err(format!("{}: {}", value["error"].as_str().unwrap_or_default(), message.lines().next().unwrap_or_default()))
    }

    async fn must(&self, command: &str, body: Value) -> Value {
        self.call("POST", command, &body).await.unwrap_or_else(|error| panic!("{command} {body}: {error}"))
    }

    /// Opens an address.
    pub(crate) async fn go(&self, url: &str) {
        self.must("/url", json!({ "url": url })).await;
    }

    /// Runs a script in the page: `return …`.
    pub(crate) async fn js(&self, script: &str) -> Value {
        self.must("/execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// An expression's text.
    pub(crate) async fn text(&self, expression: &str) -> String {
        self.js(&format!("return String({expression})")).await.as_str().unwrap().to_owned()
    }

    /// Whether an expression becomes true within so many milliseconds. It is asked again at every change of the page.
    pub(crate) async fn becomes(&self, expression: &str, within_ms: u64) -> bool {
        let script = format!(
            "const done = arguments[arguments.length - 1];
             const holds = () => {{ try {{ return Boolean({expression}); }} catch {{ return false; }} }};
             if (holds()) {{ done(true); return; }}
             const watch = new MutationObserver(() => {{ if (holds()) {{ watch.disconnect(); done(true); }} }});
             watch.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
             setTimeout(() => {{ watch.disconnect(); done(holds()); }}, {within_ms});"
        );
        // A page that is left takes the script with it, which ends in one of these errors: the next page is asked then. The
        // script itself always ends in time.
        for _ in 0..5 {
            match self.call("POST", "/execute/async", &json!({ "script": script, "args": [] })).await {
                Ok(value) => return value == json!(true),
                Err(error) if ["javascript error", "script timeout"].iter().any(|name| error.starts_with(name)) => {}
                Err(error) => panic!("{expression}: {error}"),
            }
        }
        false
    }

    /// Waits until an expression is true, and fails the test otherwise.
    pub(crate) async fn until(&self, expression: &str) {
        if !self.becomes(expression, PATIENCE_MS).await {
            let page = self.text("document.body.innerText").await;
            panic!("{expression} never came true on\n{page}");
        }
    }

    /// As `until`, where pages run no scripts and so cannot call back: it is asked again and again.
    pub(crate) async fn until_asked(&self, expression: &str) {
        let script = json!({ "script": format!("return Boolean({expression})"), "args": [] });
        let end = Instant::now() + Duration::from_millis(PATIENCE_MS);
        // A page that is left takes the script with it.
        while self.call("POST", "/execute/sync", &script).await != Ok(json!(true)) {
            if Instant::now() > end {
                panic!("{expression} never came true on\n{}", self.text("document.body.innerText").await);
            }
        }
    }

    async fn element(&self, selector: &str) -> String {
        let found = self.must("/element", json!({ "using": "css selector", "value": selector })).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Clicks as a person does: it must be seen, and nothing may lie over it.
    pub(crate) async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.must(&format!("/element/{element}/click"), json!({})).await;
    }

    /// Empties a field and types into it.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let element = self.element(selector).await;
        self.must(&format!("/element/{element}/clear"), json!({})).await;
        self.must(&format!("/element/{element}/value"), json!({ "text": text })).await;
    }

    /// Presses and releases a key, wherever the focus is.
    pub(crate) async fn press(&self, key: &str) {
        let actions = json!([{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }]);
        self.must("/actions", json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] })).await;
    }

    /// A command of DevTools.
    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.must("/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// Whether pages may run scripts. WebDriver's own still run.
    pub(crate) async fn scripts(&self, on: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !on })).await;
    }

    /// The window's size in CSS pixels, and whether it is a phone's.
    pub(crate) async fn size(&self, width: u32, height: u32, phone: bool) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// `light` or `dark`, and no movement.
    pub(crate) async fn scheme(&self, scheme: &str) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme }, { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// A picture of the window, as PNG.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        let picture = self.call("GET", "/screenshot", &Value::Null).await.unwrap();
        base64::engine::general_purpose::STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }

    /// What the console said since the last time: errors of scripts, what the policy forbade, what did not load. What the
    /// browser says of pages of its own is left out.
    pub(crate) async fn console(&self) -> Vec<String> {
        let said = self.must("/se/log", json!({ "type": "browser" })).await;
        let lines = said.as_array().unwrap().iter().map(|entry| (&entry["level"], entry["message"].as_str().unwrap()));
        let lines = lines.filter(|(_, message)| !message.starts_with("chrome://"));
        lines.map(|(level, message)| format!("{level} {message}")).collect()
    }
}
