//! The `wardroom` binary: everything it does is in the library's `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    wardroom::cli::main()
}
