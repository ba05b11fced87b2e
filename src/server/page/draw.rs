//! The scene as HTML.

use jiff::Timestamp;
use minijinja::{Environment, Value, context};
use serde::Serialize;

use super::markdown::{self, Boxes};
use super::scene::{Scene, Someone};

/// The sheet, before the labels' colours.
const STYLE: &str = include_str!("../../../templates/page/style.css");

/// The script.
pub(super) const SCRIPT: &str = include_str!("../../../templates/page/script.js");

/// The whole page, and the parts that it includes.
const TEMPLATES: [(&str, &str); 4] = [
    ("page.html", include_str!("../../../templates/page/page.html")),
    ("home.html", include_str!("../../../templates/page/home.html")),
    ("issue.html", include_str!("../../../templates/page/issue.html")),
    ("work.html", include_str!("../../../templates/page/work.html")),
];

/// The id of the form to which the boxes of an issue belong.
const BOX_FORM: &str = "boxes";

/// The templates, read once.
pub(super) struct Draw {
    templates: Environment<'static>,
    style: String,
    colours: Vec<String>,
}

/// What a page needs besides the scene.
pub(super) struct Around<'a> {
    pub(super) cast: &'a [Someone],
    pub(super) me: &'a str,
    pub(super) token: &'a str,
    pub(super) version: u64,
    /// The number that was asked for, also where there is no such issue.
    pub(super) number: Option<u64>,
    /// Which example fills the form of a new report.
    pub(super) example: &'a str,
    /// Why something could not be done.
    pub(super) notice: Option<&'a str>,
}

/// A comment, drawn.
#[derive(Serialize)]
struct Comment {
    html: Value,
}

impl Draw {
    pub(super) fn new(colours: &[String]) -> Result<Draw, minijinja::Error> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        templates.set_trim_blocks(true);
        templates.set_lstrip_blocks(true);
        templates.add_filter("time", time);
        templates.add_filter("clock", clock);
        templates.add_filter("query", query);
        for (name, text) in TEMPLATES {
            templates.add_template(name, text)?;
        }
        let colours: Vec<String> = colours.iter().filter(|color| rgb(color).is_some()).cloned().collect();
        let style = colours.iter().fold(STYLE.to_owned(), |style, color| style + &label_rule(color));
        Ok(Draw { templates, style, colours })
    }

    pub(super) fn style(&self) -> &str {
        &self.style
    }

    pub(super) fn page(&self, scene: &Scene, around: &Around<'_>) -> Result<String, minijinja::Error> {
        let me = around.cast.iter().find(|someone| someone.login == around.me);
        let may_edit = |by: &str| me.is_some_and(|me| me.writes || me.login == by);
        let links = markdown::Around { repository: &scene.repository, me: around.me };
        let mut shown = Value::UNDEFINED;
        if let Some(issue) = &scene.issue {
            let edits = may_edit(&issue.line.by);
            let body = markdown::to_html(&issue.body, Boxes::Of(BOX_FORM, edits), links);
            let boxes = markdown::boxes(&issue.body);
            let was: Vec<&str> = boxes.iter().filter(|found| found.done).map(|found| found.key.as_str()).collect();
            let drawn: Vec<Comment> = issue
                .comments
                .iter()
                .map(|comment| {
                    let prefix = format!("c{}", comment.id);
                    let html = markdown::to_html(&comment.text, Boxes::Fixed(&prefix), links);
                    Comment { html: Value::from_safe_string(html) }
                })
                .collect();
            shown = context! {
                body => Value::from_safe_string(body), drawn, was, edits, boxes => boxes.len(),
                closes => me.is_some_and(|me| me.labels || me.login == issue.line.by),
            };
        }
        let page = self.templates.get_template("page.html")?;
        let context = context! {
            scene, me, shown, cast => around.cast, token => around.token, version => around.version,
            number => around.number, example => around.example, notice => around.notice, box_form => BOX_FORM,
            colours => self.colours,
        };
        page.render(context)
    }
}

/// Text as it stands in a query.
fn query(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, super::QUERY).to_string()
}

/// `2026-03-02 09:00:42 UTC`.
fn time(at: &str) -> String {
    let at: Option<Timestamp> = at.parse().ok();
    at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// `09:00:42`.
fn clock(at: &str) -> String {
    let at: Option<Timestamp> = at.parse().ok();
    at.map_or_else(String::new, super::scene::clock)
}

/// The rule for labels of one colour: inline styles are forbidden here, so each colour has a class. The words are black or
/// white, whichever differs more.
fn label_rule(color: &str) -> String {
    format!(".label-{color} {{ background: #{color}; color: {}; }}\n", words_on(color))
}

fn words_on(color: &str) -> &'static str {
    if luminance(color) > 0.179 { "#000" } else { "#fff" }
}

fn rgb(color: &str) -> Option<[u8; 3]> {
    let digits = color.len() == 6 && color.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(color, 16).ok().filter(|_| digits)?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some([red, green, blue])
}

/// The relative luminance (WCAG 2.2, "relative luminance"); above 0.179 black differs more than white.
fn luminance(color: &str) -> f64 {
    let channel = |byte: u8| {
        let part = f64::from(byte) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = rgb(color).unwrap_or_default().map(channel);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_every_label_can_be_read() {
        for number in 0..=0xfff_u32 {
            let color: String = format!("{number:03x}").chars().flat_map(|c| [c, c]).collect();
            let of = luminance(&color);
            let contrast = if words_on(&color) == "#000" { (of + 0.05) / 0.05 } else { 1.05 / (of + 0.05) };
            assert!(contrast >= 4.5, "{color}: {contrast}");
        }
    }

    #[test]
    fn a_colour_that_is_none_makes_no_rule() {
        let draw = Draw::new(&["0e8a16".to_owned(), "} body { color: red".to_owned(), "12345".to_owned()]).unwrap();
        assert_eq!(draw.colours, ["0e8a16"]);
        assert!(draw.style().ends_with(".label-0e8a16 { background: #0e8a16; color: #000; }\n"));
    }

    #[test]
    fn times_are_absolute_and_in_utc() {
        assert_eq!(time("2026-03-02T09:00:42Z"), "2026-03-02 09:00:42 UTC");
        assert_eq!((clock("2026-03-02T09:00:42.5Z"), clock("")), ("09:00:42".to_owned(), String::new()));
    }
}
