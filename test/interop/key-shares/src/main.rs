//! Oracle for the tests of src/interop: ZF FROST and Lockness CGGMP, as their crates are.
//!
//!   key-shares fixtures DIR   writes keys of both, one JSON file a key; their packages stand in it as text, byte for byte
//!   key-shares read           reads [{scheme, kind, text}] on stdin, writes the text again as the crate does, or null
//!   key-shares sign           reads [{scheme, public, keys, message}] on stdin, signs with all key packages, and writes
//!                             [{key, signature}] or null
//!
//! The randomness is a fixed seed, so that the fixtures can be made again byte for byte. They are test data: every
//! secret in them is public.

mod lockness;
mod zf;

use serde_json::Value;
use std::io::Read;

fn input() -> Vec<Value> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn field<'a>(v: &'a Value, name: &str) -> &'a str {
    v[name].as_str().unwrap()
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let answers: Vec<Value> = match args.as_slice() {
        ["fixtures", dir] => {
            for (name, key) in zf::fixtures().into_iter().chain(lockness::fixtures()) {
                let text = serde_json::to_string_pretty(&key).unwrap() + "\n";
                std::fs::write(format!("{dir}/{name}.json"), text).unwrap();
            }
            return;
        }
        ["read"] => input()
            .iter()
            .map(|v| {
                let (scheme, kind, text) = (field(v, "scheme"), field(v, "kind"), field(v, "text"));
                let again = match kind {
                    "lockness" => lockness::read(scheme, text),
                    _ => zf::read(scheme, kind, text),
                };
                again.map_or(Value::Null, Value::String)
            })
            .collect(),
        ["sign"] => input()
            .iter()
            .map(|v| {
                let keys: Vec<&str> = v["keys"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|k| k.as_str().unwrap())
                    .collect();
                let message = hex::decode(field(v, "message")).unwrap();
                zf::sign(field(v, "scheme"), field(v, "public"), &keys, &message)
                    .unwrap_or(Value::Null)
            })
            .collect(),
        _ => {
            eprintln!("usage: key-shares fixtures DIR | key-shares read < texts.json | key-shares sign < keys.json");
            std::process::exit(64);
        }
    };
    println!("{}", serde_json::to_string(&answers).unwrap());
}
