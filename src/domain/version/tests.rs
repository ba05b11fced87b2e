use proptest::prelude::*;

use super::*;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

#[test]
fn people_write_ranges_in_many_ways_and_github_gets_its_own() {
    for (written, github) in [
        ("0.11.0 to 0.15.5", ">= 0.11.0, <= 0.15.5"),
        ("v0.11.0 - v0.15.5", ">= 0.11.0, <= 0.15.5"),
        (">= 0.11.0, < 0.15.6", ">= 0.11.0, < 0.15.6"),
        ("< 0.15.6, >= 0.11.0", ">= 0.11.0, < 0.15.6"),
        (">=1.0 <1.4.3", ">= 1.0, < 1.4.3"),
        (">= 1.0 and <= 1.0", "= 1.0"),
        ("< 1.0", "< 1.0"),
        ("before 2.1", "< 2.1"),
        ("all versions before 1.4.3", "< 1.4.3"),
        ("until 1.4.2", "<= 1.4.2"),
        ("≤ 1.4.2", "<= 1.4.2"),
        ("1.4.2 and earlier", "<= 1.4.2"),
        ("1.4.2 or Earlier", "<= 1.4.2"),
        ("1.4.2 and below", "<= 1.4.2"),
        ("2.0 and later", ">= 2.0"),
        ("After 2.0", "> 2.0"),
        ("from 1.0 to 1.4", ">= 1.0, <= 1.4"),
        ("1.0.0–1.4.2", ">= 1.0.0, <= 1.4.2"),
        ("1.0.0 to latest", ">= 1.0.0"),
        ("0.15.x", ">= 0.15.0, < 0.16.0"),
        ("1.x.x", ">= 1.0.0, < 2.0.0"),
        ("0.15.0 to 0.15.x", ">= 0.15.0, < 0.16.0"),
        ("<= 0.15.*", "< 0.16.0"),
        ("> 0.15.x", ">= 0.16.0"),
        ("all versions", ">= 0"),
        ("*", ">= 0"),
        (">= 0.0", ">= 0"),
        ("1.2.3", "= 1.2.3"),
        ("5.3.0.RELEASE to 5.3.2.RELEASE", ">= 5.3.0.RELEASE, <= 5.3.2.RELEASE"),
        ("1.0.0-rc.1 to 1.0.0", ">= 1.0.0-rc.1, <= 1.0.0"),
        ("1.9 to 1.10", ">= 1.9, <= 1.10"),
        ("1.3.1, 1.3.2 and 1.4.0", "= 1.3.1 | = 1.3.2 | = 1.4.0"),
        ("1.0.0 to 1.4.2, 2.0.0 to 2.1.0", ">= 1.0.0, <= 1.4.2 | >= 2.0.0, <= 2.1.0"),
        ("1.0.0 to 1.4.2 and 2.0.0 to 2.1.0", ">= 1.0.0, <= 1.4.2 | >= 2.0.0, <= 2.1.0"),
        (">= 1.0, < 1.2, >= 2.0, < 2.3", ">= 1.0, < 1.2 | >= 2.0, < 2.3"),
        ("none", ""),
    ] {
        let read = ranges(written).unwrap_or_else(|why| panic!("{written}: {why}"));
        let shown: Vec<String> = read.iter().map(Range::github).collect();
        assert_eq!(shown.join(" | "), github, "{written}");
    }
}

#[test]
fn empty_and_unreadable_ranges_are_named() {
    for bad in [
        "1.4.0 to 1.2.0",
        "1.0 to 1.1, 2.1 to 2.0",
        ">=2.0 <1.0",
        "< 1.2, >= 2.0, < 2.3",
        "1.4 and some",
        ">= 2.0, < 2.0",
        "1.10 to 1.9",
        "some of them",
        "",
        "1.0,",
        "> ",
        "éé to 1",
        "1.x.3",
        "18446744073709551615.x",
    ] {
        assert!(check_range(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_field_has_lines_by_line_ends_semicolons_and_bars() {
    let lines: Vec<&str> = field_lines("- `0.11.0 to 0.15.5`\n* 1.0; 1.1 || 1.2\n\n").collect();
    assert_eq!(lines, ["0.11.0 to 0.15.5", "1.0", "1.1", "1.2"]);
    assert_eq!(versions("`v0.15.6`, 0.16.1 and 0.15.6").unwrap(), [version("0.15.6"), version("0.16.1")]);
    for bad in ["", "soon", "0.15.x", "0.15.6, ", "all"] {
        assert!(versions(bad).is_err(), "{bad}");
    }
}

#[test]
fn versions_are_in_order() {
    let ordered = ["0.9", "0.10", "1.0.0-alpha", "1.0.0-rc.2", "1.0.0-rc.10", "1.0.0", "1.0.1", "2"];
    for pair in ordered.windows(2) {
        assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
    }
    assert_eq!(version("v1.0+build"), version("1.0.0"));
}

#[test]
fn a_range_knows_what_is_in_it_and_what_comes_after() {
    let range = &ranges(">= 0.11.0, < 0.15.6").unwrap()[0];
    assert!(range.contains(&version("0.15.5")) && range.contains(&version("0.11")));
    assert!(!range.contains(&version("0.15.6")) && !range.contains(&version("0.10.9")));
    assert!(range.is_before(&version("0.15.6")) && !range.is_before(&version("0.15.5")));
    assert!(!range.is_before(&version("0.10.0")));
}

#[test]
fn the_line_of_a_version_begins_where_the_lines_part() {
    let line = |of: &str, from: &str| version(of).line_from(&version(from)).map(|version| version.to_string());
    assert_eq!(line("0.16.3", "0.15.7").as_deref(), Some("0.16.0"));
    assert_eq!(line("2.0.1", "1.4.2").as_deref(), Some("2.0.0"));
    assert_eq!(line("0.15.9", "0.15.7"), None);
    assert_eq!(line("1.0", "1.0.0"), None);
    assert_eq!(line("1.0.0-rc.1", "1.0.0-rc.2"), None);
}

fn any_version() -> impl Strategy<Value = Version> {
    "[0-9]{1,3}([.][0-9]{1,3}){0,3}(-rc[.][0-9])?".prop_map(|text| Version::parse(&text).unwrap())
}

fn any_range() -> impl Strategy<Value = Range> {
    let bound = || proptest::option::of((any_version(), any::<bool>()));
    (bound(), bound()).prop_map(|(low, high)| {
        let end = |end: Option<(Version, bool)>| end.map(|(version, included)| Bound { version, included });
        Range { lowest: end(low), highest: end(high) }
    })
}

proptest! {
    #[test]
    fn what_github_gets_reads_back_as_the_same_range(range in any_range()) {
        prop_assume!(!range.is_empty());
        let endless_from_zero = range.is_endless() && range.lowest.as_ref().is_some_and(|low| low.included && low.version.is_zero());
        let expected = if endless_from_zero { Range::default() } else { range.clone() };
        prop_assert_eq!(ranges(&range.github()).unwrap(), vec![expected]);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}|[0-9vx.<>= ,-]{0,30}") {
        for range in ranges(&text).unwrap_or_default() {
            prop_assert!(!range.is_empty());
            prop_assert_eq!(ranges(&range.github()).unwrap(), vec![range]);
        }
        drop(versions(&text));
    }
}
