use proptest::prelude::*;

use super::*;

/// Vectors with the scores of a second implementation; see `tests/data/cvss/generate.py`.
const ORACLE: &str = include_str!("../../../tests/data/cvss/vectors.tsv");

const LOG4J: &str = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H";
const HEARTBLEED: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N";

fn score(vector: &str) -> String {
    Vector::parse(vector).unwrap().score().to_string()
}

fn error(vector: &str) -> String {
    Vector::parse(vector).unwrap_err().to_string()
}

#[test]
fn scores_agree_with_a_second_implementation() {
    let mut counts = std::collections::BTreeMap::new();
    for line in ORACLE.lines() {
        let [text, score, severity] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("three columns: {line}") };
        let vector = Vector::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(vector.score().to_string(), score, "{text}");
        assert_eq!(vector.severity().word(), severity, "{text}");
        *counts.entry(vector.version()).or_insert(0) += 1;
    }
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("3.0", 100), ("3.1", 260), ("4.0", 500)]);
}

#[test]
fn the_examples_of_the_standard_give_its_scores() {
    // FIRST, "CVSS v3.1: Examples" and "CVSS v4.0: Examples".
    for (vector, expected) in [
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", "6.4"),
        ("CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", "3.1"),
        ("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H", "9.9"),
        ("CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L", "4.2"),
        ("CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "6.8"),
        ("CVSS:3.1/AV:A/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:H", "9.3"),
        (HEARTBLEED, "7.5"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "9.8"),
        ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:N/A:N", "0.0"),
        ("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "7.3"),
        ("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "7.7"),
        ("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U", "5.2"),
        ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N", "8.7"),
        (LOG4J, "10.0"),
    ] {
        assert_eq!(score(vector), expected, "{vector}");
    }
}

#[test]
fn temporal_metrics_leave_the_base_score() {
    assert_eq!(score(&format!("{HEARTBLEED}/E:U/RL:O/RC:U")), "7.5");
}

#[test]
fn every_value_of_the_tables_is_known_to_the_scorer() {
    for (start, table) in [(HEARTBLEED, metrics::V3), (LOG4J, metrics::V4)] {
        for metric in table {
            for value in metric.values {
                let kept = start.split('/').filter(|part| !part.starts_with(&format!("{}:", metric.name)));
                let text = format!("{}/{}:{value}", kept.collect::<Vec<_>>().join("/"), metric.name);
                let vector = Vector::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
                assert_eq!(vector.to_string().parse::<Vector>().unwrap(), vector, "{text}");
            }
        }
    }
}

#[test]
fn a_vector_is_read_in_any_order_and_case_and_written_in_the_standards() {
    let vector = Vector::parse(" cvss:3.1/a:n/i:n/c:h/s:u/ui:n/pr:n/ac:l/av:n/ ").unwrap();
    assert_eq!(vector.to_string(), HEARTBLEED);
    assert_eq!(vector.version(), "3.1");
    let urgent = Vector::parse(&format!("{LOG4J}/u:AMBER")).unwrap();
    assert_eq!(urgent.to_string(), format!("{LOG4J}/U:Amber"));
}

#[test]
fn the_attack_vector_is_a_word_of_the_checklist() {
    for (letter, word) in [("N", "Network"), ("A", "Adjacent"), ("L", "Local"), ("P", "Physical")] {
        for start in [HEARTBLEED, LOG4J] {
            // A modified attack vector does not change what the field says.
            let text = format!("{}/MAV:P", start.replace("AV:N", &format!("AV:{letter}")));
            assert_eq!(Vector::parse(&text).unwrap().attack_vector(), word);
        }
    }
}

#[test]
fn errors_name_the_metric_and_what_it_may_be() {
    let errors = [
        "",
        "7.5",
        "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
        "AV:N/AC:L/Au:N/C:P/I:P/A:P",
        "CVSS:2.0/AV:N/AC:L/Au:N/C:P/I:P/A:P",
        "CVSS:3.2/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
        "CVSS:3.1",
        "CVSS:3.1/AV:N/AC:M/PR:N/UI:N/S:U/C:H/I:N/A:N",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N/AV:L",
        "CVSS:3.1/AV:N/AC:L/AT:N/PR:N/UI:N/S:U/C:H/I:N/A:N",
        "CVSS:4.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N",
        "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:S/SA:H",
        "CVSS:3.1/AV:N/AC:L/PR:N/UI/S:U/C:H/I:N/A:N",
        "CVSS:3.1/AV:N/XY:L",
        &format!("CVSS:3.1/{}", "AV:N/".repeat(90)),
    ]
    .map(error)
    .join("\n");
    insta::assert_snapshot!(errors, @r#"
    the CVSS vector is empty; a vector looks like CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H
    "7.5" is not a CVSS vector: it must begin with CVSS:3.1/ or CVSS:4.0/
    "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" is not a CVSS vector: it must begin with CVSS:3.1/ or CVSS:4.0/
    CVSS 2.0 is not supported: GitHub's advisories take none; score it again with CVSS 3.1 or 4.0
    CVSS 2.0 is not supported: GitHub's advisories take none; score it again with CVSS 3.1 or 4.0
    CVSS version "3.2" is not known: write CVSS:3.1/ or CVSS:4.0/
    the CVSS 3.1 vector lacks AV (attack vector), AC (attack complexity), PR (privileges required), UI (user interaction), S (scope), C (confidentiality), I (integrity), A (availability); every base metric must be there
    AC (attack complexity) cannot be "M": it is one of L, H
    the CVSS 3.1 vector lacks A (availability); every base metric must be there
    AV (attack vector) stands twice in the CVSS vector; keep one
    CVSS 3.1 has no metric "AT"; it belongs to CVSS 4.0
    CVSS 4.0 has no metric "C"; it belongs to CVSS 3.1
    SI (integrity of subsequent systems) cannot be "S": it is one of H, L, N
    "UI" in the CVSS vector is not METRIC:VALUE, for example AV:N
    CVSS 3.1 has no metric "XY"
    this is too long for a CVSS vector: none has more than 178 characters
    "#);
}

#[test]
fn a_severity_is_read_in_any_case_and_compares() {
    for (text, severity) in [
        ("Critical", Severity::Critical),
        ("HIGH", Severity::High),
        ("moderate", Severity::Medium),
        (" medium ", Severity::Medium),
        ("low", Severity::Low),
        ("none", Severity::None),
    ] {
        assert_eq!(text.parse::<Severity>().unwrap(), severity);
    }
    assert!(Severity::Critical > Severity::High && Severity::Low > Severity::None);
    insta::assert_snapshot!("severe".parse::<Severity>().unwrap_err(), @r#""severe" is not a severity: write critical, high, medium, low or none"#);
}

#[test]
fn scores_turn_into_words_at_the_borders_of_the_scale() {
    // CVSS 3.1, section 5, table 14.
    for (score, word) in [
        ("0.0", "none"),
        ("0.1", "low"),
        ("3.9", "low"),
        ("4.0", "medium"),
        ("6.9", "medium"),
        ("7.0", "high"),
        ("8.9", "high"),
        ("9.0", "critical"),
        ("10.0", "critical"),
    ] {
        assert_eq!(score.parse::<Score>().unwrap().severity().word(), word, "{score}");
    }
}

#[test]
fn a_score_is_a_number_of_tenths() {
    for (text, shown) in [("7.5", "7.5"), ("10", "10.0"), ("0", "0.0"), (" 9.0 ", "9.0"), ("10.0", "10.0")] {
        assert_eq!(text.parse::<Score>().unwrap().to_string(), shown);
    }
    for text in ["11", "26", "99.9", "10.1", "7.55", "7,5", "-1", "+7", "", ".5", "7.", "1e1", "NaN", "٧.٥", "007"] {
        assert!(text.parse::<Score>().is_err(), "{text}");
    }
    assert_eq!(Score::from_tenths(101), None);
    insta::assert_snapshot!("7.55".parse::<Score>().unwrap_err(), @r#""7.55" is not a CVSS score: write a number from 0.0 to 10.0 with one decimal, for example 7.5"#);
}

proptest! {
    #[test]
    fn any_text_is_a_vector_or_an_error(text in "\\PC{0,80}") {
        if let Ok(vector) = Vector::parse(&text) {
            prop_assert_eq!(Vector::parse(&vector.to_string()).unwrap(), vector);
        }
    }

    #[test]
    fn a_broken_vector_is_a_vector_or_an_error(start in 0..2usize, cut in 0..80usize, insert in "[A-Z:/.0-9é]{0,6}") {
        let start = [HEARTBLEED, LOG4J][start];
        let cut = cut.min(start.len());
        let text = format!("{}{insert}{}", &start[..cut], &start[cut..]);
        if let Ok(vector) = Vector::parse(&text) {
            prop_assert_eq!(Vector::parse(&vector.to_string()).unwrap(), vector);
        }
    }

    #[test]
    fn any_text_is_a_score_or_an_error(text in "[0-9.+eE -]{0,5}|\\PC{0,6}") {
        if let Ok(score) = text.parse::<Score>() {
            prop_assert_eq!(score.to_string().parse::<Score>().unwrap(), score);
        }
    }
}
