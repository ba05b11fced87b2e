use super::*;

const AROUND: Around<'static> = Around { repository: "octo/security", me: "bob" };

fn html(text: &str) -> String {
    to_html(text, Boxes::Fixed("c1"), AROUND)
}

#[test]
fn html_stays_text_but_for_what_folds_and_shrinks() {
    for (written, shown) in [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("a <img src=x onerror=alert(1)> b", "&lt;img src=x onerror=alert(1)&gt;"),
        ("<details open ontoggle=x>", "&lt;details open ontoggle=x&gt;"),
        ("a <b onclick=\"x\">b</b>", "&lt;b onclick=&quot;x&quot;&gt;"),
        ("[x](javascript:alert(1))", "<a>x</a>"),
        ("[x](data:text/html,hi)", "<a>x</a>"),
        ("<JaVaScRiPt:alert(1)>", "<a>JaVaScRiPt:alert(1)</a>"),
        ("![alt \"words\"](https://x.test/p.png)", "[picture: alt"),
        ("a <!-- b --> c", "<p>a  c</p>"),
        ("<form action=//x.test><button>", "&lt;form action=//x.test&gt;&lt;button&gt;"),
    ] {
        let html = html(written);
        assert!(html.contains(shown), "{written}: {html}");
        assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<form"), "{html}");
    }
}

#[test]
fn a_tag_that_closes_nothing_closes_nothing_of_the_page() {
    assert!(!html("</details></summary></sub>\n\nwords").contains("</details>"));
    let html = html("<details><summary>Earlier</summary>\n\n- a\n");
    assert!(html.contains("<details><summary>Earlier</summary>") && html.ends_with("</details>"), "{html}");
    assert_eq!(html.matches("<details>").count(), html.matches("</details>").count());
}

#[test]
fn a_box_has_a_label_and_belongs_to_its_form() {
    let html =
        to_html("- [ ] one **two** <!-- wardroom:T1 -->\n- [x] three\n  - [ ] four", Boxes::Of("f", true), AROUND);
    assert_eq!(html.matches("<label").count(), 3);
    assert_eq!(html.matches("</label>").count(), 3);
    assert_eq!(html.matches("form=\"f\"").count(), 3);
    assert!(html.contains("checked> <label for=\"box-2\">three</label>"), "{html}");
    let no = to_html("- [ ] one", Boxes::Of("f", false), AROUND);
    assert!(no.contains("form=\"f\" disabled>"), "{no}");
}

#[test]
fn a_box_is_found_again_where_lines_came_before_it() {
    let text = "- [ ] a\r\n- [ ] b\r\n\r\n~~~\r\n- [ ] no box\r\n~~~\r\n- [x] c\r\n";
    let all = boxes(text);
    let lines: Vec<(&str, bool)> = all.iter().map(|found| (found.line.as_str(), found.done)).collect();
    assert_eq!(lines, [("a", false), ("b", false), ("c", true)]);
    let b = &all[1].key;
    assert_eq!(set_box(text, b, true).unwrap(), text.replace("[ ] b", "[x] b"));
    let later = format!("- [ ] new\r\n- [ ] newer\r\n{text}");
    assert_eq!(set_box(&later, b, true).unwrap(), later.replace("[ ] b", "[x] b"));
    assert_eq!(set_box(text, b, false), None, "it is so already");
    for gone in ["", "1", "x-y", "1-0000"] {
        assert_eq!(set_box(text, gone, true), None, "{gone}");
    }
}

#[test]
fn boxes_that_look_alike_are_told_apart_by_their_place() {
    let text = "- [ ] a\n- [ ] a\n- [ ] a\n";
    let keys: Vec<String> = boxes(text).into_iter().map(|found| found.key).collect();
    assert_eq!(set_box(text, &keys[1], true).unwrap(), "- [ ] a\n- [x] a\n- [ ] a\n");
}

#[test]
fn mentions_and_numbers_are_drawn_outside_code_only() {
    let html = html(
        "@alice, see #12, a@b.test, x#1 and `@bob #3`\n\n[octo/security#1](https://github.test/octo/security/issues/1)",
    );
    assert!(html.contains("<strong class=\"mention\">@alice</strong>"), "{html}");
    assert!(html.contains("<a href=\"/issues/12?as=bob\">#12</a>"), "{html}");
    assert!(html.contains("a@b.test") && html.contains("x#1") && html.contains("<code>@bob #3</code>"), "{html}");
    assert!(html.contains("<a href=\"/issues/1?as=bob\">octo/security#1</a>"), "{html}");
}

#[test]
fn what_is_nested_by_the_thousand_is_drawn_flat() {
    let html = html(&"> ".repeat(5000).replace("> > ", "> - "));
    assert!(html.matches("<blockquote>").count() + html.matches("<ul>").count() <= DEEPEST, "{}", html.len());
    assert_eq!(html.matches("<blockquote>").count(), html.matches("</blockquote>").count());
}

#[test]
fn lines_break_where_their_writer_broke_them() {
    assert_eq!(html("one\ntwo\n\nthree"), "<p>one<br />\ntwo</p>\n<p>three</p>\n");
    assert!(html("- [ ] one\n  two").contains("one<br />\ntwo</label>"), "{}", html("- [ ] one\n  two"));
}

#[test]
fn a_comment_hides_all_of_its_lines_and_nothing_else() {
    for (written, shown) in [
        ("<!-- one\ntwo <b>\n\nthree\n-->\n\nseen", "<p>seen</p>"),
        ("<!-- one\ntwo --> <sub>seen</sub>\n\nalso", "<sub>seen</sub>\n<p>also</p>"),
        ("<div> <!-- one\ntwo -->\nseen", "&lt;div&gt; \nseen"),
        ("a <!-- one\ntwo --> b", "<p>a  b</p>"),
        ("a <!--> b <!---> c --> d", "<p>a  b  c --&gt; d</p>"),
        ("> <!-- one\n\nseen", "<blockquote>\n</blockquote>\n<p>seen</p>"),
        ("> <!-- one\n\na <sub>b</sub>", "<blockquote>\n</blockquote>\n<p>a <sub>b</sub></p>"),
    ] {
        assert_eq!(html(written).trim(), shown, "{written}");
    }
}

#[test]
fn a_tag_is_searched_no_further_than_the_longest_that_is_kept() {
    assert!(
        html("a <sub  >b").contains("a <sub>b") && html(&format!("a <sub{}>b", " ".repeat(20))).contains("&lt;sub ")
    );
    let signs = "<".repeat(400_000);
    for line in [format!("<div {signs}"), format!("<details>{signs}>"), format!("a {signs}")] {
        let html = html(&line);
        assert!(html.matches("&lt;").count() >= 400_000 && html.len() < line.len() * 5, "{}", html.len());
    }
}
