//! The whole test runs where there is no network but the machine's own loopback: whatever the page, the demo or the
//! browser asked of anybody else would fail, and be seen.

use std::env;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Set for the process inside.
const INSIDE: &str = "WARDROOM_TEST_ALONE";

/// What it takes to run the test.
pub(crate) struct Tools {
    pub(crate) chromedriver: PathBuf,
    pub(crate) chrome: PathBuf,
}

impl Tools {
    /// Looks for ChromeDriver and its browser. What is missing is said aloud; under `CI=true` it fails.
    pub(crate) fn find() -> Option<Tools> {
        let on_path = |name: &str| {
            let path = env::var_os("PATH").unwrap_or_default();
            env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
        };
        // GitHub's runners name the folder.
        let of_runner = env::var_os("CHROMEWEBDRIVER").map(|folder| Path::new(&folder).join("chromedriver"));
        let chromedriver = on_path("chromedriver").or_else(|| of_runner.filter(|file| file.is_file()));
        let chrome = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(on_path);
        let (Some(chromedriver), Some(chrome)) = (chromedriver, chrome) else {
            skip("chromedriver and chromium (or google-chrome) are not both on the PATH");
            return None;
        };
        Some(Tools { chromedriver, chrome })
    }
}

/// Says that the test is skipped; under `CI=true` fails it.
pub(crate) fn skip(why: &str) {
    assert!(env::var("CI").as_deref() != Ok("true"), "{why}, and CI=true demands this test");
    // Not `eprintln!`, which the test harness keeps to itself where a test passes.
    std::io::stderr().write_all(format!("skipped: {why}.\n").as_bytes()).unwrap();
}

/// Whether this process is the one inside.
pub(crate) fn is_inside() -> bool {
    env::var_os(INSIDE).is_some()
}

/// The ways into a network namespace of one's own: as root, as anyone where the kernel lets them, or by sudo and then as
/// oneself again.
fn ways() -> Vec<Vec<String>> {
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let id = |flag: &str| {
        let output = Command::new("id").arg(flag).output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).trim().to_owned()
    };
    let back = format!("setpriv --reuid={} --regid={} --clear-groups", id("-u"), id("-g"));
    let up = "sh -c ip\u{a0}link\u{a0}set\u{a0}lo\u{a0}up\u{a0}&&\u{a0}exec\u{a0}\"$@\" sh";
    ["unshare --net", "unshare --map-root-user --net", "sudo -n --preserve-env unshare --net"]
        .iter()
        .map(|way| {
            let mut line = words(&format!("{way} {up}"));
            line.iter_mut().for_each(|word| *word = word.replace('\u{a0}', " "));
            if way.starts_with("sudo") {
                line.extend(words(&back));
            }
            line
        })
        .collect()
}

/// Runs one test of this binary inside a namespace with loopback only. Returns whether it succeeded; `None` where none of
/// the ways is open.
pub(crate) fn run_inside(test: &str) -> Option<bool> {
    let way = ways().into_iter().find(|way| {
        let mut tried = Command::new(&way[0]);
        tried
            .args(&way[1..])
            .arg("true")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    })?;
    let mut command = Command::new(&way[0]);
    command.args(&way[1..]).arg(env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]).env(INSIDE, "1");
    Some(command.status().unwrap().success())
}

/// Fails unless nothing but this machine can be reached.
pub(crate) fn assert_alone() {
    // TEST-NET-1 and the documentation prefix (RFC 5737, RFC 3849) belong to nobody; without a route an attempt ends at
    // once, and says so.
    for outside in ["192.0.2.1:80", "[2001:db8::1]:80"] {
        let address: SocketAddr = outside.parse().unwrap();
        let tried = TcpStream::connect_timeout(&address, Duration::from_secs(5));
        let why = tried.unwrap_err();
        let unreachable = matches!(why.kind(), ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable);
        assert!(unreachable, "{outside}: {why}");
    }
}
