//! The demo's page in a real browser: people file, label, tick, fill in, comment and break things, and the page says what
//! came of it. Demo, ChromeDriver and browser run where there is no network but loopback.
//!
//! Each state is judged by axe-core, and the console must stay silent: no error of a script, nothing that the content
//! security policy forbade, nothing that did not load. `WARDROOM_WRITE_DOCS=1` writes the pictures of the README anew;
//! else they go to `target/`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]
#![cfg(target_os = "linux")]

mod driver;
mod faults;
mod judge;
mod namespace;
#[path = "../support/mod.rs"]
mod support;
mod work;

use std::time::Instant;

use driver::Browser;
use judge::Judge;
use namespace::Tools;
use support::demo::Demo;
use support::npm;

/// A browser in front of a running demo.
pub(crate) struct Room {
    pub(crate) demo: Demo,
    pub(crate) browser: Browser,
    pub(crate) judge: Judge,
}

impl Room {
    /// Opens a page of the demo as this person.
    pub(crate) async fn open(&self, path: &str, who: &str) {
        self.browser.go(&format!("{}{path}?as={who}", self.demo.url)).await;
    }

    /// rita files a report and alice labels it, both on the page. Returns the path of the tracking issue, which is open
    /// as alice then.
    pub(crate) async fn incident(&self) -> String {
        let browser = &self.browser;
        self.open("/", "rita").await;
        browser.click("#file button[type=submit]").await;
        browser.until("document.querySelector('#issue-head h1')").await;
        let path = browser.text("location.pathname").await;
        let report: u64 = path.rsplit('/').next().unwrap().parse().unwrap();
        self.open(&path, "alice").await;
        browser.click("#label-report").await;
        let tracker = report + 1;
        browser.until(&format!("document.querySelector('#go-{tracker}')")).await;
        browser.click(&format!("#go-{tracker}")).await;
        browser.until("document.querySelector('article.status')").await;
        format!("/issues/{tracker}")
    }

    /// Lets Wardroom's waits pass until an expression is true.
    pub(crate) async fn let_time_pass_until(&self, expression: &str) {
        for _ in 0..60 {
            if self.browser.becomes(expression, 300).await {
                return;
            }
            if self.browser.text("Boolean(document.querySelector('#skip'))").await == "true" {
                // It may be gone by now, where Wardroom has just begun to look.
                self.browser.js("document.querySelector('#skip')?.click()").await;
            }
        }
        self.browser.until(expression).await;
    }

    /// A fresh demo, with an empty repository.
    async fn start_anew(&mut self) {
        // A page that is still open would ask the old one for news.
        self.browser.go("about:blank").await;
        self.demo = Demo::start();
    }

    /// Nothing was forbidden, nothing failed.
    pub(crate) async fn expect_a_silent_console(&self) {
        assert_eq!(self.browser.console().await, Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_page_in_a_browser() {
    let Some(tools) = Tools::find() else { return };
    // Installed while there still is a network.
    let Some(modules) = npm::packages_of("tests/browser") else { return };
    if !namespace::is_inside() {
        match namespace::run_inside("the_demo_page_in_a_browser") {
            Some(well) => assert!(well, "it failed inside; what it said stands above"),
            None => namespace::skip("no network namespace of its own can be had here (unshare --net)"),
        }
        return;
    }
    namespace::assert_alone();
    let began = Instant::now();
    let browser = Browser::start(&tools.chromedriver, &tools.chrome).await;
    let mut room = Room { demo: Demo::start(), browser, judge: Judge::new(&modules) };
    let told = |what: &str| eprintln!("{what}: {:.1} s so far", began.elapsed().as_secs_f32());
    work::a_report_becomes_an_incident_that_people_work_on(&room).await;
    told("an incident");
    work::people_get_what_their_rights_allow(&room).await;
    told("rights");
    work::without_scripts_plain_forms_are_enough(&room).await;
    told("plain forms");
    work::a_refusal_in_words_is_shown_as_words(&room).await;
    told("a refusal");
    work::the_keyboard_alone_is_enough(&room).await;
    told("the keyboard");
    work::what_a_hostile_report_says_stays_text(&room).await;
    told("a hostile report");
    room.start_anew().await;
    faults::every_fault_heals_and_loses_nothing(&room).await;
    told("faults");
    room.start_anew().await;
    work::pictures(&room).await;
    told("pictures");
}
