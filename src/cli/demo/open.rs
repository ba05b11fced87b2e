//! Opening the page in the person's browser, by whatever their system has for it.

use std::process::{Command, Stdio};

/// Asks the system to show an address in a browser. Returns whether something took it.
pub(super) fn in_browser(url: &str) -> bool {
    openers(url).into_iter().any(|mut opener| {
        opener.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Some openers stay for as long as the browser does, so nobody waits for them.
        opener.spawn().is_ok()
    })
}

#[cfg(target_os = "macos")]
fn openers(url: &str) -> Vec<Command> {
    let mut open = Command::new("open");
    open.arg(url);
    vec![open]
}

#[cfg(target_os = "windows")]
fn openers(url: &str) -> Vec<Command> {
    let mut open = Command::new("rundll32");
    open.args(["url.dll,FileProtocolHandler", url]);
    vec![open]
}

#[cfg(not(any(target_os = "macos", target_os = "windows")))]
fn openers(url: &str) -> Vec<Command> {
    ["xdg-open", "gio", "wslview"]
        .into_iter()
        .map(|name| {
            let mut open = Command::new(name);
            if name == "gio" {
                open.arg("open");
            }
            open.arg(url);
            open
        })
        .collect()
}
