//! Has this instance registered, or prints the cluster's peers, a list on a line.
//!
//!     peers CONTRACT tls|wireguard register|peers|watch [LISTS]
//!
//! Status 0: done; 1: the node is not there, or refuses; 2: it follows another contract, or in another mode.
//!
//!     rustc --edition 2021 --crate-type rlib dstack_p2p.rs
//!     rustc --edition 2021 --extern dstack_p2p=libdstack_p2p.rlib peers.rs

use dstack_p2p::{Error, Sdk};

fn run(args: &[String]) -> Result<(), Error> {
    let mut left: u64 = args.get(4).and_then(|lists| lists.parse().ok()).unwrap_or(0);
    let mut sdk = Sdk::new(&args[1], &args[2])?;
    match args[3].as_str() {
        "register" => sdk.register(),
        "peers" => sdk.get_peers().map(|peers| println!("{}", peers.join(" "))),
        _ => sdk.monitor_peers(|peers| {
            println!("{}", peers.join(" "));
            left = left.wrapping_sub(1);
            left != 0
        }),
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.len() < 4 {
        eprintln!("usage: peers CONTRACT MODE register|peers|watch [LISTS]");
        std::process::exit(64);
    }
    if let Err(error) = run(&args) {
        eprintln!("{}", error);
        std::process::exit(if matches!(error, Error::Other(_)) { 2 } else { 1 });
    }
}
