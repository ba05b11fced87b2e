//! What goes wrong on purpose, and what the page says came of it.

use crate::Room;

/// The newest fault's report, as a part of a selector.
const NEWEST: &str = "#trials > article:first-of-type";

impl Room {
    async fn newest(&self) -> String {
        self.browser.text(&format!("document.querySelector('{NEWEST}').innerText")).await
    }

    /// Waits until the newest fault is healed; the report must say that nothing was lost.
    async fn expect_healed(&self, title: &str, acts: &str) {
        let healed = format!(
            "document.querySelector('{NEWEST}').innerText.startsWith('{title}') && document.querySelector('{NEWEST}.healed')"
        );
        self.let_time_pass_until(&healed).await;
        let report = self.newest().await;
        assert!(report.contains("Nothing was lost") && report.contains(acts), "{report}");
        assert!(report.contains("How it healed") && report.contains("everything was as it should be"), "{report}");
        let failed =
            self.browser.text(&format!("document.querySelectorAll('{NEWEST} .no, {NEWEST} .wait').length")).await;
        assert_eq!(failed, "0", "{report}");
    }
}

pub(crate) async fn every_fault_heals_and_loses_nothing(room: &Room) {
    let browser = &room.browser;
    browser.size(1440, 1000, false).await;
    browser.scheme("light").await;
    room.incident().await;
    room.let_time_pass_until("document.querySelector('.looks.idle')").await;
    two_people(room).await;
    lost_webhook(room).await;
    down(room).await;
    collision(room).await;
    restart(room).await;
    restart_while_down(room).await;
    room.expect_accessible("after all faults").await;
    room.expect_a_silent_console().await;
}

async fn two_people(room: &Room) {
    room.browser.click("#fault-two-ticks").await;
    room.expect_healed("Two people tick at once", "2 of 2 acts").await;
    let report = room.newest().await;
    assert!(report.contains("the record names alice") && report.contains("the record names bob"), "{report}");
}

async fn lost_webhook(room: &Room) {
    let browser = &room.browser;
    browser.click("#fault-lose-webhook").await;
    browser.until(&format!("document.querySelector('{NEWEST}.going')?.innerText.startsWith('A lost webhook')")).await;
    browser.click("#box-3").await;
    browser.until(&format!("document.querySelector('{NEWEST}.behind')")).await;
    let report = room.newest().await;
    assert!(report.contains("webhook never arrived: issues edited"), "{report}");
    assert!(report.contains("Nothing was lost") && report.contains("Sweep now"), "{report}");
    room.expect_accessible("a lost webhook").await;
    // Nobody told Wardroom: nothing is due, and it does not know.
    assert_eq!(browser.text("Boolean(document.querySelector('.looks.idle'))").await, "true");
    assert_eq!(browser.text(&format!("document.querySelectorAll('{NEWEST} .wait').length")).await, "1");
    browser.click("#fault-sweep").await;
    room.expect_healed("A lost webhook", "1 of 1 acts").await;
}

async fn down(room: &Room) {
    let browser = &room.browser;
    browser.click("#fault-down").await;
    browser.until("document.querySelector('#fault-up')").await;
    browser.click("#box-4").await;
    browser.fill("#comment-text", "/wardroom severity high").await;
    browser.click("#comment-send").await;
    room.let_time_pass_until("document.querySelector('#log .failed')").await;
    let report = room.newest().await;
    assert!(report.starts_with("GitHub is down") && report.contains("2 of 2 acts"), "{report}");
    room.expect_accessible("GitHub is down").await;
    browser.click("#fault-up").await;
    room.expect_healed("GitHub is down", "2 of 2 acts").await;
    let report = room.newest().await;
    let struck: usize =
        report.split(" of Wardroom’s calls failed").next().unwrap().rsplit('\n').next().unwrap().parse().unwrap();
    assert!(struck >= 1, "{report}");
}

async fn collision(room: &Room) {
    room.browser.click("#fault-collide").await;
    room.expect_healed("Somebody saves while Wardroom writes", "2 of 2 acts").await;
    let report = room.newest().await;
    assert!(report.contains("between Wardroom’s last read and its write, bob ticked"), "{report}");
    assert!(report.contains("had overwritten that"), "{report}");
    assert!(report.contains("It read the edit history just after, and looks again."), "{report}");
}

async fn restart(room: &Room) {
    let browser = &room.browser;
    let before = browser.text("document.querySelectorAll('#body .task:checked').length").await;
    // In the middle of things: there is something that Wardroom has not looked at yet.
    browser.click("#box-7").await;
    browser.click("#fault-restart").await;
    room.expect_healed("A restart with an empty store", "Nothing was lost").await;
    let report = room.newest().await;
    assert!(report.contains("rows of work") && report.contains("report #1 has one tracking issue (1)"), "{report}");
    let after = browser.text("document.querySelectorAll('#body .task:checked').length").await;
    assert_eq!(after.parse::<usize>().unwrap(), before.parse::<usize>().unwrap() + 1);
}

async fn restart_while_down(room: &Room) {
    let browser = &room.browser;
    browser.click("#box-8").await;
    browser.click("#fault-down").await;
    browser.until("document.querySelector('#fault-up')").await;
    browser.click("#fault-restart").await;
    let restart = format!("document.querySelector('{NEWEST}').innerText.startsWith('A restart')");
    browser.until(&format!("{restart} && document.querySelector('{NEWEST}.going')")).await;
    let report = room.newest().await;
    assert!(
        report.contains("Its first sweep failed") && !report.contains("everything was as it should be"),
        "{report}"
    );
    // Another sweep fails as well, and ends nothing.
    browser.click("#fault-sweep").await;
    browser.until("document.querySelectorAll('#log li.failed').length > 1").await;
    assert_eq!(browser.text(&format!("Boolean(document.querySelector('{NEWEST}.going'))")).await, "true");
    browser.click("#fault-up").await;
    room.expect_healed("A restart with an empty store", "Nothing was lost").await;
    let report = room.newest().await;
    assert!(report.contains("The next sweep went well and found 1 to look at."), "{report}");
    room.let_time_pass_until("!document.querySelector('.trial.going, .trial.behind')").await;
}
