//! What people do on a good day.

use crate::Room;
use crate::driver::{ENTER, SPACE, TAB};

/// The record's line of this person's act, in the status comment.
fn recorded(who: &str, what: &str) -> String {
    format!(
        "[...document.querySelectorAll('.status tr')].some((row) => row.innerText.includes('{who}') && \
         row.innerText.includes('{what}'))"
    )
}

fn has_label(name: &str) -> String {
    format!("[...document.querySelectorAll('#issue-head .label')].some((one) => one.innerText === '{name}')")
}

pub(crate) async fn a_report_becomes_an_incident_that_people_work_on(room: &Room) {
    let browser = &room.browser;
    browser.size(1440, 1000, false).await;
    room.open("/", "rita").await;
    room.expect_accessible("the first page").await;
    let tracker = room.incident().await;
    browser.until(&has_label("phase/1-assessment")).await;
    // Two people tick; each act is in the record under its name, and what one does shows on the other's page.
    room.open(&tracker, "bob").await;
    browser.click("#box-1").await;
    browser.until("document.querySelector('#box-1').checked && document.body.innerText.includes('1 of 38')").await;
    room.open(&tracker, "alice").await;
    browser.click("label[for=box-2]").await;
    browser.until("document.body.innerText.includes('2 of 38 tasks settled')").await;
    room.let_time_pass_until(&recorded("alice", "ticked “Assess CVSS score")).await;
    browser.until(&recorded("bob", "ticked “Reproduce the vulnerability")).await;
    // A field: a vector gives score, severity and label.
    browser.click("#field-save").await;
    room.let_time_pass_until(&has_label("severity/critical")).await;
    room.let_time_pass_until("document.querySelector('#body').innerText.includes('CVSS Score: 9.8')").await;
    // The whole text, in the editor.
    browser.click("#editor summary").await;
    browser
        .js("const text = document.querySelector('#edit-text'); \
             text.value = text.value.replace('Brief technical explanation', 'a length that is not checked')")
        .await;
    room.expect_accessible("the editor").await;
    browser.click("#edit-save").await;
    browser.until("document.querySelector('#body').innerText.includes('a length that is not checked')").await;
    room.let_time_pass_until(&recorded("alice", "set “Root cause”")).await;
    // A command, by the hint.
    browser.click(".command:nth-of-type(2)").await;
    browser.click("#comment-send").await;
    room.let_time_pass_until("document.querySelector('.reaction')?.innerText.includes('rocket')").await;
    room.let_time_pass_until("document.querySelector('#body del')?.innerText.includes('LTS versions')").await;
    let calls = browser.text("document.querySelectorAll('#log .calls li').length").await;
    assert!(calls.parse::<usize>().unwrap() > 20, "{calls}");
    browser.click("#log details summary").await;
    room.expect_accessible("the incident").await;
    room.expect_a_silent_console().await;
}

pub(crate) async fn people_get_what_their_rights_allow(room: &Room) {
    let browser = &room.browser;
    let tracker = "/issues/2";
    // rita reads: no boxes, no editor, no labels; her command is answered and changes nothing.
    room.open(tracker, "rita").await;
    let none = "[...document.querySelectorAll('#body .task')].every((box) => box.disabled) && \
                !document.querySelector('#editor, #field-form, .add-label, .off, #close-send')";
    assert_eq!(browser.text(none).await, "true");
    room.expect_accessible("a reader's view").await;
    browser.fill("#comment-text", "/wardroom close invalid I was wrong").await;
    browser.click("#comment-send").await;
    room.let_time_pass_until("document.querySelector('#comments').innerText.includes('Nothing was changed')").await;
    assert_eq!(browser.text("document.querySelector('.state').innerText.trim()").await, "Open");
    // Another App ticks, and the record says so; its command is a comment.
    room.open(tracker, "sync%5Bbot%5D").await;
    browser.click("#box-3").await;
    room.let_time_pass_until(&recorded("sync[bot]", "ticked “Check if vulnerability affects current")).await;
    // A label is taken off and comes back; closing with open tasks is answered, and reopened it goes on.
    room.open(tracker, "alice").await;
    browser.click("button[aria-label='Take off phase/1-assessment']").await;
    browser.until(&format!("!{}", has_label("phase/1-assessment"))).await;
    room.let_time_pass_until(&has_label("phase/1-assessment")).await;
    browser.click("#close-send").await;
    browser.until("document.querySelector('.state.done')").await;
    room.let_time_pass_until("document.querySelector('#comments').innerText.includes('closed as completed')").await;
    browser.click("#reopen-send").await;
    browser.until("document.querySelector('.state.open')").await;
    room.expect_a_silent_console().await;
}

pub(crate) async fn without_scripts_plain_forms_are_enough(room: &Room) {
    let browser = &room.browser;
    browser.scripts(false).await;
    room.open("/issues/2", "alice").await;
    assert_eq!(browser.text("document.querySelector('.command').hidden").await, "true", "the page's script ran");
    browser.fill("#comment-text", "Sent by a plain form.").await;
    browser.click("#comment-send").await;
    browser.until_asked("document.querySelector('#comments').innerText.includes('Sent by a plain form.')").await;
    assert_eq!(browser.text("location.pathname + location.search").await, "/issues/2?as=alice");
    browser.scripts(true).await;
    room.expect_a_silent_console().await;
}

pub(crate) async fn a_refusal_in_words_is_shown_as_words(room: &Room) {
    let browser = &room.browser;
    room.open("/issues/2", "alice").await;
    let notice = "document.querySelector('#notice').innerText";
    let long = "document.querySelector('#comment-text').value = 'x'.repeat(600000)";
    let old = "document.querySelector('#comment-form [name=token]').value = '0'";
    for (spoil, status, words) in [(long, "413", "That is longer than an issue may be"), (old, "403", "an earlier run")]
    {
        browser.fill("#comment-text", "Never sent.").await;
        browser.js(spoil).await;
        browser.click("#comment-send").await;
        browser.until(&format!("{notice}.includes('{words}')")).await;
        // What is drawn meanwhile leaves it.
        browser.js("look().then(() => document.body.dataset.looked = 'yes')").await;
        browser.until("document.body.dataset.looked === 'yes'").await;
        browser.js("delete document.body.dataset.looked").await;
        browser.until(&format!("{notice}.includes('{words}')")).await;
        let text = browser.text("document.body.innerText").await;
        assert!(!text.contains("The demo has ended") && text.contains("Incident 2026-001"), "{text}");
        let console = browser.console().await;
        assert!(console.len() == 1 && console[0].contains(status), "{console:?}");
    }
    room.expect_accessible("a refusal").await;
    // It goes when something else came of it.
    browser.click("#box-4").await;
    browser.until(&format!("{notice} === ''")).await;
    browser.click("#box-4").await;
    browser.until("document.body.innerText.includes('4 of 38 tasks settled')").await;
    room.expect_a_silent_console().await;
}

pub(crate) async fn the_keyboard_alone_is_enough(room: &Room) {
    let browser = &room.browser;
    room.open("/issues/2", "bob").await;
    browser.press(TAB).await;
    assert_eq!(browser.text("document.activeElement.innerText").await, "Skip to the issue");
    browser.press(ENTER).await;
    browser.until("document.activeElement.id === 'main'").await;
    // On through everything that can be reached, to the first open box.
    let first = browser.text("document.querySelector('#body .task:not(:checked)').id").await;
    let mut steps = 0;
    while browser.text("document.activeElement.id").await != first {
        steps += 1;
        assert!(steps < 60, "the box was never reached");
        let outline = "getComputedStyle(document.activeElement).outlineStyle";
        browser.press(TAB).await;
        assert_ne!(browser.text(outline).await, "none", "a focus that cannot be seen, step {steps}");
    }
    browser.press(SPACE).await;
    // The page is drawn anew around the box, which keeps the focus.
    browser.until("[...document.querySelectorAll('#log strong')].some((one) => one.innerText === 'bob')").await;
    room.let_time_pass_until(&format!(
        "document.querySelector('#{first}').checked && document.activeElement.id === '{first}' && \
         document.querySelector('#said').innerText.includes('Wardroom looked')"
    ))
    .await;
    room.expect_a_silent_console().await;
}

pub(crate) async fn what_a_hostile_report_says_stays_text(room: &Room) {
    let browser = &room.browser;
    room.open("/", "rita").await;
    browser.click(".examples a:last-of-type").await;
    browser.until("document.querySelector('#file-text').value.includes('<script>')").await;
    room.expect_accessible("the hostile example").await;
    browser.click("#file button[type=submit]").await;
    browser.until("document.querySelector('#issue-head h1')").await;
    let report = browser.text("location.pathname").await;
    room.open(&report, "alice").await;
    browser.click("#label-report").await;
    let tracker: u64 = report.rsplit('/').next().unwrap().parse::<u64>().unwrap() + 1;
    browser.until(&format!("document.querySelector('#go-{tracker}')")).await;
    for (path, shown) in [(report, "<script>document.title"), (format!("/issues/{tracker}"), "0 of 38 tasks settled")] {
        room.open(&path, "alice").await;
        room.let_time_pass_until("document.querySelector('#comments article')").await;
        let text = browser.text("document.body.innerText").await;
        assert!(text.contains("<script>document.title") && text.contains(shown), "{text}");
        let inert = "!document.title.startsWith('taken over') && !document.querySelector('main img, main script, \
                     main a[href^=javascript]') && document.querySelectorAll('main').length === 1";
        assert_eq!(browser.text(inert).await, "true", "{path}");
        room.expect_accessible("a hostile report").await;
    }
    let mentions = browser.text("[...document.querySelectorAll('#body .mention')].map((one) => one.innerText)").await;
    assert!(!mentions.contains("@alice") && !mentions.contains("@bob"), "{mentions}");
    room.expect_a_silent_console().await;
}

/// The pictures of the README: an incident at work, in light and dark, and on a phone.
pub(crate) async fn pictures(room: &Room) {
    let browser = &room.browser;
    browser.size(1440, 1000, false).await;
    browser.scheme("light").await;
    let tracker = room.incident().await;
    browser.click("#box-1").await;
    browser.click("#field-save").await;
    room.let_time_pass_until(&has_label("severity/critical")).await;
    room.let_time_pass_until("document.querySelector('#body').innerText.includes('CVSS Score: 9.8')").await;
    browser.click("#fault-collide").await;
    browser.until("document.querySelector('.trial.going')").await;
    room.let_time_pass_until("document.querySelector('.trial.healed')").await;
    room.let_time_pass_until("document.querySelector('.looks.idle')").await;
    room.open(&tracker, "alice").await;
    browser.until("document.querySelector('.trial.healed')").await;
    browser
        .js("scrollTo(0, 0); const aside = document.querySelector('.aside'); \
             aside.scrollBy(0, document.querySelector('.trial').getBoundingClientRect().top - 230)")
        .await;
    room.picture("demo-light").await;
    browser.scheme("dark").await;
    browser
        .js("const at = document.querySelector('article.status').getBoundingClientRect().top; \
             scrollBy(0, at - 24); const aside = document.querySelector('.aside'); \
             aside.scrollBy(0, document.querySelector('#log-title').getBoundingClientRect().top - 60)")
        .await;
    room.picture("demo-dark").await;
    browser.size(390, 844, true).await;
    browser.scheme("light").await;
    room.open(&tracker, "alice").await;
    browser.until("document.querySelector('article.status')").await;
    room.expect_accessible("on a phone").await;
    let wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    assert_eq!(browser.text(wide).await, "true", "the phone has to scroll sideways");
    room.picture("demo-phone").await;
    room.expect_a_silent_console().await;
}
