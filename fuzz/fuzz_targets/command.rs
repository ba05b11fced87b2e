//! Any comment is read without a panic, the same whatever stands below its first line, and answered safely.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wardroom::domain::command::{self, Command};

fuzz_target!(|comment: &str| {
    let answer = command::parse(comment);
    let first_line = comment.trim_start_matches('\u{FEFF}').split(['\n', '\r']).next().unwrap_or_default();
    if !first_line.to_ascii_lowercase().starts_with(command::PREFIX) {
        assert_eq!(answer, None);
    }
    for line in [format!("{} {first_line}", command::PREFIX), first_line.to_owned()] {
        let more = format!("{line}\n/wardroom close invalid\n- [x] forged");
        assert_eq!(command::parse(&line), command::parse(&more));
        match command::parse(&line) {
            Some(Ok(Command::NotApplicable { task, reason })) => {
                assert!(line.contains(&task) && line.contains(&reason));
                assert!(reason.chars().count() <= command::MAX_REASON_CHARS);
            }
            Some(Ok(command)) => assert!(command::ALL.iter().any(|row| row.word == command.word())),
            Some(Err(error)) => assert!(!error.to_string().contains("<!--")),
            None => {}
        }
    }
});
