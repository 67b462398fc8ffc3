//! Oracle for the tests of src/schnorr: the FROST crates of the Zcash Foundation.
//!
//!   zf-frost fixtures DIR   writes one JSON file a scheme: keys, shares, nonces, signature shares, signatures
//!   zf-frost verify         reads [{scheme, publicKey, message, signature}] on stdin, writes [true|false, …]
//!
//! The randomness is a fixed seed, so that the fixtures can be made again byte for byte. They are test data: every
//! secret in them is public.

use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::io::Read;

/// Keys and signing sessions of one suite. `$sign` and `$aggregate` are the suite's functions, with the taproot
/// tweak where the scheme has one.
macro_rules! suite {
    ($name:ident, $frost:ident, $sign:expr, $aggregate:expr) => {
        mod $name {
            use super::*;
            use $frost as frost;

            fn session(
                packages: &BTreeMap<frost::Identifier, frost::keys::KeyPackage>,
                public: &frost::keys::PublicKeyPackage,
                signers: &[u16],
                message: &[u8],
                rng: &mut ChaCha20Rng,
            ) -> Value {
                let id = |n: u16| frost::Identifier::try_from(n).unwrap();
                let mut nonces = BTreeMap::new();
                let mut commitments = BTreeMap::new();
                for &n in signers {
                    let (secret, public) = frost::round1::commit(packages[&id(n)].signing_share(), rng);
                    nonces.insert(id(n), secret);
                    commitments.insert(id(n), public);
                }
                let package = frost::SigningPackage::new(commitments.clone(), message);
                let mut shares = BTreeMap::new();
                for &n in signers {
                    let share = $sign(&package, &nonces[&id(n)], &packages[&id(n)]).unwrap();
                    shares.insert(id(n), share);
                }
                let signature = $aggregate(&package, &shares, public).unwrap();
                let entries: Vec<Value> = signers
                    .iter()
                    .map(|&n| {
                        let (secret, public) = (&nonces[&id(n)], &commitments[&id(n)]);
                        json!({
                            "id": n,
                            "hidingNonce": hex::encode(secret.hiding().serialize()),
                            "bindingNonce": hex::encode(secret.binding().serialize()),
                            "hidingCommitment": hex::encode(public.hiding().serialize().unwrap()),
                            "bindingCommitment": hex::encode(public.binding().serialize().unwrap()),
                            "signatureShare": hex::encode(shares[&id(n)].serialize()),
                        })
                    })
                    .collect();
                json!({
                    "message": hex::encode(message),
                    "signers": entries,
                    "signature": hex::encode(signature.serialize().unwrap()),
                })
            }

            fn key(min: u16, max: u16, sets: &[&[u16]], rng: &mut ChaCha20Rng) -> Value {
                let list = frost::keys::IdentifierList::Default;
                let (shares, public) = frost::keys::generate_with_dealer(max, min, list, &mut *rng).unwrap();
                let packages: BTreeMap<_, _> = shares
                    .into_iter()
                    .map(|(id, share)| (id, frost::keys::KeyPackage::try_from(share).unwrap()))
                    .collect();
                let members: Vec<Value> = (1..=max)
                    .map(|n| {
                        let p = &packages[&frost::Identifier::try_from(n).unwrap()];
                        json!({
                            "id": n,
                            "signingShare": hex::encode(p.signing_share().serialize()),
                            "verifyingShare": hex::encode(p.verifying_share().serialize().unwrap()),
                        })
                    })
                    .collect();
                let sessions: Vec<Value> = sets
                    .iter()
                    .enumerate()
                    .map(|(k, set)| {
                        let message: Vec<u8> = (0..k * 37).map(|b| b as u8).collect();
                        session(&packages, &public, set, &message, rng)
                    })
                    .collect();
                json!({
                    "min": min,
                    "max": max,
                    "publicKey": hex::encode(public.verifying_key().serialize().unwrap()),
                    "members": members,
                    "sessions": sessions,
                })
            }

            pub fn keys(rng: &mut ChaCha20Rng) -> Vec<Value> {
                vec![
                    key(2, 3, &[&[1, 2], &[1, 3], &[2, 3]], rng),
                    key(3, 5, &[&[1, 2, 3], &[1, 3, 5], &[2, 4, 5]], rng),
                    key(2, 3, &[&[2, 3]], rng),
                    key(2, 2, &[&[1, 2]], rng),
                ]
            }

            pub fn verify(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
                let (Ok(key), Ok(signature)) = (
                    frost::VerifyingKey::deserialize(public_key),
                    frost::Signature::deserialize(signature),
                ) else {
                    return false;
                };
                key.verify(message, &signature).is_ok()
            }
        }
    };
}

suite!(
    ed25519,
    frost_ed25519,
    frost::round2::sign,
    frost::aggregate
);
suite!(ed448, frost_ed448, frost::round2::sign, frost::aggregate);
suite!(
    ristretto255,
    frost_ristretto255,
    frost::round2::sign,
    frost::aggregate
);
suite!(p256, frost_p256, frost::round2::sign, frost::aggregate);
suite!(
    secp256k1,
    frost_secp256k1,
    frost::round2::sign,
    frost::aggregate
);
suite!(
    secp256k1_tr,
    frost_secp256k1_tr,
    |package: &_, nonces: &_, key: &_| frost::round2::sign_with_tweak(package, nonces, key, None),
    |package: &_, shares: &_, public: &_| frost::aggregate_with_tweak(
        package, shares, public, None
    )
);

fn keys_of(scheme: &str, rng: &mut ChaCha20Rng) -> Vec<Value> {
    match scheme {
        "frost-ed25519" => ed25519::keys(rng),
        "frost-ed448" => ed448::keys(rng),
        "frost-ristretto255" => ristretto255::keys(rng),
        "frost-p256" => p256::keys(rng),
        "frost-secp256k1" => secp256k1::keys(rng),
        "frost-secp256k1-tr" => secp256k1_tr::keys(rng),
        other => panic!("unknown scheme {other}"),
    }
}

fn verify(scheme: &str, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match scheme {
        "frost-ed25519" => ed25519::verify(key, message, signature),
        "frost-ed448" => ed448::verify(key, message, signature),
        "frost-ristretto255" => ristretto255::verify(key, message, signature),
        "frost-p256" => p256::verify(key, message, signature),
        "frost-secp256k1" => secp256k1::verify(key, message, signature),
        // the output key is x-only: the point with even y
        "frost-secp256k1-tr" => secp256k1_tr::verify(&[&[2u8], key].concat(), message, signature),
        other => panic!("unknown scheme {other}"),
    }
}

const SCHEMES: [&str; 6] = [
    "frost-ed25519",
    "frost-ed448",
    "frost-ristretto255",
    "frost-p256",
    "frost-secp256k1",
    "frost-secp256k1-tr",
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["fixtures", dir] => {
            for (n, scheme) in SCHEMES.iter().enumerate() {
                let mut rng = ChaCha20Rng::from_seed([n as u8 + 1; 32]);
                let file = json!({ "scheme": scheme, "keys": keys_of(scheme, &mut rng) });
                let text = serde_json::to_string_pretty(&file).unwrap() + "\n";
                std::fs::write(format!("{dir}/{scheme}.json"), text).unwrap();
            }
        }
        ["verify"] => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).unwrap();
            let list: Vec<Value> = serde_json::from_str(&text).unwrap();
            let field = |v: &Value, name: &str| hex::decode(v[name].as_str().unwrap()).unwrap();
            let answers: Vec<bool> = list
                .iter()
                .map(|v| {
                    verify(
                        v["scheme"].as_str().unwrap(),
                        &field(v, "publicKey"),
                        &field(v, "message"),
                        &field(v, "signature"),
                    )
                })
                .collect();
            println!("{}", serde_json::to_string(&answers).unwrap());
        }
        _ => {
            eprintln!("usage: zf-frost fixtures DIR | zf-frost verify < signatures.json");
            std::process::exit(64);
        }
    }
}
