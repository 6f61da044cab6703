//! Peers of a cluster, as the node beside this program proves them: the DStack P2P SDK's three calls.
//!
//! ```no_run
//! let mut sdk = dstack_p2p::Sdk::new("0x…", "tls")?;
//! sdk.register()?;
//! let peers = sdk.get_peers()?;
//! sdk.monitor_peers(|peers| true)?; // until the callback says false
//! # Ok::<(), dstack_p2p::Error>(())
//! ```
//!
//! The node (kettle run, with the key `membership`) holds the key, sends the transactions and reads the list on state
//! that it proved; this file only speaks to it, HTTP over the Unix socket KETTLE_P2P_SOCKET (/run/kettle/p2p.sock).
//! Standard library only, Rust 1.63 or newer: copy the file, or `rustc --edition 2021 --crate-type rlib dstack_p2p.rs`.
//! A list that cannot be had is an error, never an empty list.

use std::fmt;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const SOCKET: &str = "/run/kettle/p2p.sock";
const ANSWER_MAX: usize = 1 << 20; // bytes, head included
const PEERS_MAX: usize = 1024;
const PEER_MAX: usize = 253; // characters
const CURSOR_MAX: usize = 128;
const DEPTH_MAX: usize = 32; // of JSON
const WAIT_S: u64 = 60; // the node answers a question for changes after so long without one
const ANSWER_S: u64 = 30;
const REGISTER_S: u64 = 600;
const PAUSES_S: [u64; 6] = [1, 2, 4, 8, 15, 30]; // after failures in a row

/// Why a call failed.
#[derive(Debug)]
pub enum Error {
    /// The node is not there, refuses, or answers what it must not.
    Failed(String),
    /// Contract or mode cannot be one, or are others than the node's.
    Other(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Failed(why) | Error::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

fn failed<T>(why: impl Into<String>) -> Result<T, Error> {
    Err(Error::Failed(why.into()))
}

/// One cluster, named by its contract and mode.
pub struct Sdk {
    contract: String,
    mode: String,
    checked: bool,
}

impl Sdk {
    /// Names a cluster; mode is "tls" or "wireguard". Whether they are the node's own, the first call tells.
    pub fn new(contract: &str, mode: &str) -> Result<Sdk, Error> {
        let digits = contract.strip_prefix("0x").unwrap_or("");
        if digits.len() != 40 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Error::Other(format!("not an address: {:?}", contract)));
        }
        if mode != "tls" && mode != "wireguard" {
            return Err(Error::Other(format!("mode must be tls or wireguard, not {:?}", mode)));
        }
        Ok(Sdk { contract: contract.to_ascii_lowercase(), mode: mode.to_string(), checked: false })
    }

    /// Has this instance registered, and kept so; waits until the chain shows it, 10 minutes at most.
    pub fn register(&mut self) -> Result<(), Error> {
        self.check()?;
        let answer = ask("POST", "/v1/p2p/register", REGISTER_S);
        match self.known(answer)?.get("registered") {
            Some(Json::Bool(true)) => Ok(()),
            _ => failed("the node does not say that it registered"),
        }
    }

    /// The endpoints of the active peers, in order of their tokens.
    pub fn get_peers(&mut self) -> Result<Vec<String>, Error> {
        self.check()?;
        let answer = ask_peers(None);
        Ok(self.known(answer)?.0)
    }

    /// Calls changed with the list, then again with each other list, until it says false; while there is no list, it is
    /// not called.
    pub fn monitor_peers(&mut self, mut changed: impl FnMut(&[String]) -> bool) -> Result<(), Error> {
        self.check()?;
        let mut known: Option<Vec<String>> = None;
        let mut cursor: Option<String> = None;
        let mut failures = 0;
        loop {
            let answer = match self.check() {
                Err(error @ Error::Other(_)) => return Err(error),
                Err(error) => Err(error),
                Ok(()) => ask_peers(cursor.as_deref()),
            };
            match self.known(answer) {
                Ok((peers, place)) => {
                    failures = 0;
                    cursor = Some(place);
                    if known.as_ref() != Some(&peers) {
                        if !changed(&peers) {
                            return Ok(());
                        }
                        known = Some(peers);
                    }
                }
                Err(_) => {
                    cursor = None;
                    std::thread::sleep(Duration::from_secs(PAUSES_S[failures.min(PAUSES_S.len() - 1)]));
                    failures += 1;
                }
            }
        }
    }

    /// Behind an answer that fails another node may answer on the socket: the next call asks whether it is ours.
    fn known<T>(&mut self, answer: Result<T, Error>) -> Result<T, Error> {
        self.checked &= answer.is_ok();
        answer
    }

    /// Whether contract and mode are the node's.
    fn check(&mut self) -> Result<(), Error> {
        if self.checked {
            return Ok(());
        }
        let status = ask("GET", "/v1/p2p/status", ANSWER_S)?;
        match (status.text("contract"), status.text("mode")) {
            (Some(contract), Some(mode)) if contract.to_ascii_lowercase() == self.contract && mode == self.mode => {
                self.checked = true;
                Ok(())
            }
            (Some(contract), Some(mode)) => {
                Err(Error::Other(format!("the node follows {} in mode {}", contract, mode)))
            }
            _ => failed("the node does not say which contract it follows"),
        }
    }
}

fn is_made_of(text: &str, max: usize, good: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.len() <= max && text.bytes().all(good)
}

/// A list and the place behind it; with a place: when another list is there, or after WAIT_S.
fn ask_peers(after: Option<&str>) -> Result<(Vec<String>, String), Error> {
    let answer = match after {
        None => ask("GET", "/v1/p2p/peers", ANSWER_S)?,
        Some(place) => ask("GET", &format!("/v1/p2p/peers?after={}&wait_s={}", place, WAIT_S), WAIT_S + ANSWER_S)?,
    };
    let list = match answer.get("peers") {
        Some(Json::Array(list)) if list.len() <= PEERS_MAX => list,
        _ => return failed("the node's list of peers is none"),
    };
    let cursor = answer.text("cursor").unwrap_or("");
    let is_of_cursor = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if !is_made_of(cursor, CURSOR_MAX, is_of_cursor) {
        return failed("the node's list of peers has no place");
    }
    let mut peers = Vec::with_capacity(list.len());
    for peer in list {
        match peer {
            Json::Text(text) if is_made_of(text, PEER_MAX, |b| b.is_ascii_graphic()) => peers.push(text.clone()),
            _ => return failed("a peer in the node's list is none"),
        }
    }
    Ok((peers, cursor.to_string()))
}

/// One question to the node; the object that it answers with status 200.
fn ask(method: &str, path: &str, limit_s: u64) -> Result<Json, Error> {
    let given = std::env::var("KETTLE_P2P_SOCKET").ok().filter(|path| !path.is_empty());
    let socket = given.unwrap_or_else(|| SOCKET.to_string());
    let raw = match exchange(&socket, method, path, Duration::from_secs(limit_s)) {
        Ok(raw) => raw,
        Err(error) => return failed(format!("{}: {}", socket, error)),
    };
    let (status, body) = split(&raw)?;
    let answer = match std::str::from_utf8(body).ok().and_then(Json::parse) {
        Some(answer @ Json::Object(_)) => answer,
        _ => return failed(format!("status {} with a body that is no object", status)),
    };
    if status != 200 {
        let why = answer.text("detail").or_else(|| answer.text("title")).unwrap_or("refused");
        return failed(format!("{} (status {})", why, status));
    }
    Ok(answer)
}

fn exchange(socket: &str, method: &str, path: &str, limit: Duration) -> std::io::Result<Vec<u8>> {
    let until = Instant::now() + limit;
    let mut stream = UnixStream::connect(socket)?;
    stream.set_write_timeout(Some(limit))?;
    let fields = "Host: kettle\r\nConnection: close\r\nContent-Length: 0\r\n";
    let question = format!("{} {} HTTP/1.1\r\n{}\r\n", method, path, fields);
    stream.write_all(question.as_bytes())?;
    let mut raw = Vec::new();
    let mut part = [0u8; 16384];
    while raw.len() <= ANSWER_MAX {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(n) => raw.extend_from_slice(&part[..n]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(raw)
}

/// Status and body of a whole HTTP/1.1 answer that has a Content-Length.
fn split(raw: &[u8]) -> Result<(u16, &[u8]), Error> {
    const NONE: &str = "an answer that is no HTTP with a length";
    if raw.len() > ANSWER_MAX {
        return failed(format!("an answer of more than {} bytes", ANSWER_MAX));
    }
    let end = match raw.windows(4).position(|four| four == b"\r\n\r\n") {
        Some(end) => end,
        None => return failed(NONE),
    };
    let body = &raw[end + 4..];
    let head = match std::str::from_utf8(&raw[..end]) {
        Ok(head) => head,
        Err(_) => return failed(NONE),
    };
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or("");
    let rest = first.strip_prefix("HTTP/1.1 ").or_else(|| first.strip_prefix("HTTP/1.0 ")).unwrap_or("");
    let code = rest.split(' ').next().unwrap_or("");
    let is_number = |text: &str, max: usize| is_made_of(text, max, |b| b.is_ascii_digit());
    let lengths: Vec<&str> = lines
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map(|(_, value)| value.trim())
        .collect();
    if code.len() != 3 || !is_number(code, 3) || lengths.len() != 1 || !is_number(lengths[0], 7) {
        return failed(NONE);
    }
    if lengths[0].parse::<usize>().ok() != Some(body.len()) {
        return failed(format!("an answer that ends early or late: {} bytes of {}", body.len(), lengths[0]));
    }
    Ok((code.parse().unwrap_or(0), body))
}

/// What is read of an answer: numbers are only skipped.
enum Json {
    Null,
    Bool(bool),
    Number,
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    fn parse(text: &str) -> Option<Json> {
        let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
        let value = reader.value(0)?;
        reader.blank();
        if reader.at == reader.bytes.len() {
            Some(value)
        } else {
            None
        }
    }

    fn get(&self, member: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().rev().find(|(name, _)| name == member).map(|(_, value)| value),
            _ => None,
        }
    }

    fn text(&self, member: &str) -> Option<&str> {
        match self.get(member) {
            Some(Json::Text(text)) => Some(text),
            _ => None,
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn blank(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn takes(&mut self, text: &[u8]) -> Option<()> {
        if self.bytes[self.at..].starts_with(text) {
            self.at += text.len();
            return Some(());
        }
        None
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.blank();
        match self.bytes.get(self.at)? {
            b'n' => self.takes(b"null").map(|_| Json::Null),
            b't' => self.takes(b"true").map(|_| Json::Bool(true)),
            b'f' => self.takes(b"false").map(|_| Json::Bool(false)),
            b'"' => self.string().map(Json::Text),
            b'[' => self.list(b"]", |reader| reader.value(depth + 1)).map(Json::Array),
            b'{' => self.list(b"}", |reader| reader.member(depth + 1)).map(Json::Object),
            _ => self.number(),
        }
    }

    fn list<T>(&mut self, end: &[u8], one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::new();
        self.at += 1;
        self.blank();
        if self.takes(end).is_some() {
            return Some(all);
        }
        loop {
            all.push(one(self)?);
            self.blank();
            if self.takes(end).is_some() {
                return Some(all);
            }
            self.takes(b",")?;
        }
    }

    fn member(&mut self, depth: usize) -> Option<(String, Json)> {
        self.blank();
        let name = self.string()?;
        self.blank();
        self.takes(b":")?;
        Some((name, self.value(depth)?))
    }

    fn number(&mut self) -> Option<Json> {
        let from = self.at;
        while matches!(self.bytes.get(self.at), Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.bytes[from..self.at]).ok()?;
        text.parse::<f64>().ok().map(|_| Json::Number)
    }

    fn string(&mut self) -> Option<String> {
        self.takes(b"\"")?;
        let mut text = Vec::new();
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            match byte {
                b'"' => return String::from_utf8(text).ok(),
                b'\\' => {
                    let c = self.escape()?;
                    text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..=0x1f => return None,
                _ => text.push(byte),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' => Some(byte as char),
            b'b' => Some('\u{8}'),
            b'f' => Some('\u{c}'),
            b'n' => Some('\n'),
            b'r' => Some('\r'),
            b't' => Some('\t'),
            b'u' => {
                let high = self.hex4()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high);
                }
                self.takes(b"\\u")?;
                let low = self.hex4()?;
                if !(0xdc00..0xe000).contains(&low) {
                    return None;
                }
                char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
            }
            _ => None,
        }
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        self.at += 4;
        if !digits.iter().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }
}
