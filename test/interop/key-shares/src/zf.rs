//! Keys of ZF FROST: key packages and public key packages.

use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::{json, Value};
use std::collections::BTreeMap;

macro_rules! suite {
    ($name:ident, $frost:ident, $sign:expr, $aggregate:expr) => {
        mod $name {
            use super::*;
            use $frost as frost;

            fn bundle<'a>(
                public: &frost::keys::PublicKeyPackage,
                keys: impl Iterator<Item = &'a frost::keys::KeyPackage>,
            ) -> Value {
                let keys: Vec<String> = keys.map(|k| serde_json::to_string(k).unwrap()).collect();
                json!({ "publicKeyPackage": serde_json::to_string(public).unwrap(), "keyPackages": keys })
            }

            /// A dealt key; with names the identifiers are derived from them.
            pub fn dealt(seed: u8, min: u16, max: u16, names: &[&str]) -> Value {
                let mut rng = ChaCha20Rng::from_seed([seed; 32]);
                let ids: Vec<frost::Identifier> =
                    names.iter().map(|n| frost::Identifier::derive(n.as_bytes()).unwrap()).collect();
                let list = if names.is_empty() {
                    frost::keys::IdentifierList::Default
                } else {
                    frost::keys::IdentifierList::Custom(&ids)
                };
                let (shares, public) = frost::keys::generate_with_dealer(max, min, list, &mut rng).unwrap();
                let keys: Vec<_> =
                    shares.into_values().map(|s| frost::keys::KeyPackage::try_from(s).unwrap()).collect();
                bundle(&public, keys.iter())
            }

            /// A key from distributed key generation.
            #[allow(dead_code)] // two suites are enough
            pub fn generated(seed: u8, min: u16, max: u16) -> Value {
                let mut rng = ChaCha20Rng::from_seed([seed; 32]);
                let ids: Vec<_> = (1..=max).map(|n| frost::Identifier::try_from(n).unwrap()).collect();
                let (mut first, mut said) = (BTreeMap::new(), BTreeMap::new());
                for id in &ids {
                    let (secret, package) = frost::keys::dkg::part1(*id, max, min, &mut rng).unwrap();
                    first.insert(*id, secret);
                    said.insert(*id, package);
                }
                let others = |id: &frost::Identifier| {
                    let mut rest = said.clone();
                    rest.remove(id);
                    rest
                };
                let (mut second, mut sent) = (BTreeMap::new(), BTreeMap::new());
                for id in &ids {
                    let (secret, packages) = frost::keys::dkg::part2(first.remove(id).unwrap(), &others(id)).unwrap();
                    second.insert(*id, secret);
                    sent.insert(*id, packages);
                }
                let done: Vec<_> = ids
                    .iter()
                    .map(|id| {
                        let mine = sent.iter().filter(|(from, _)| *from != id).map(|(from, p)| (*from, p[id].clone())).collect();
                        frost::keys::dkg::part3(&second[id], &others(id), &mine).unwrap()
                    })
                    .collect();
                bundle(&done[0].1, done.iter().map(|(key, _)| key))
            }

            pub fn read(kind: &str, text: &str) -> Option<String> {
                match kind {
                    "public" => {
                        let package: frost::keys::PublicKeyPackage = serde_json::from_str(text).ok()?;
                        Some(serde_json::to_string(&package).unwrap())
                    }
                    "key" => {
                        let package: frost::keys::KeyPackage = serde_json::from_str(text).ok()?;
                        Some(serde_json::to_string(&package).unwrap())
                    }
                    other => panic!("unknown kind {other}"),
                }
            }

            pub fn sign(public: &str, keys: &[&str], message: &[u8]) -> Option<Value> {
                let mut rng = ChaCha20Rng::from_seed([7; 32]);
                let public: frost::keys::PublicKeyPackage = serde_json::from_str(public).ok()?;
                let keys: Vec<frost::keys::KeyPackage> =
                    keys.iter().map(|k| serde_json::from_str(k)).collect::<Result<_, _>>().ok()?;
                let (mut nonces, mut commitments) = (BTreeMap::new(), BTreeMap::new());
                for key in &keys {
                    let (secret, said) = frost::round1::commit(key.signing_share(), &mut rng);
                    nonces.insert(*key.identifier(), secret);
                    commitments.insert(*key.identifier(), said);
                }
                let package = frost::SigningPackage::new(commitments, message);
                let mut shares = BTreeMap::new();
                for key in &keys {
                    shares.insert(*key.identifier(), $sign(&package, &nonces[key.identifier()], key).ok()?);
                }
                let signature: frost::Signature = $aggregate(&package, &shares, &public).ok()?;
                Some(json!({
                    "key": hex::encode(public.verifying_key().serialize().unwrap()),
                    "signature": hex::encode(signature.serialize().unwrap()),
                }))
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

/// Whether the key of a Taproot bundle has an odd y.
fn is_odd(key: &Value) -> bool {
    let public: Value = serde_json::from_str(key["publicKeyPackage"].as_str().unwrap()).unwrap();
    public["verifying_key"].as_str().unwrap().starts_with("03")
}

pub fn fixtures() -> Vec<(String, Value)> {
    let of_parity =
        |odd: bool, make: &dyn Fn(u8) -> Value| (0..).map(make).find(|k| is_odd(k) == odd).unwrap();
    let tr = |seed| secp256k1_tr::dealt(seed, 2, 3, &[]);
    [
        ("frost-ed25519-2of3", ed25519::dealt(1, 2, 3, &[])),
        (
            "frost-ed25519-3of5-named",
            ed25519::dealt(2, 3, 5, &["alice", "bob", "carol", "dave", "erin"]),
        ),
        ("frost-ed25519-2of3-dkg", ed25519::generated(3, 2, 3)),
        ("frost-ed448-2of3", ed448::dealt(4, 2, 3, &[])),
        ("frost-p256-2of3", p256::dealt(5, 2, 3, &[])),
        ("frost-ristretto255-2of3", ristretto255::dealt(6, 2, 3, &[])),
        ("frost-secp256k1-2of3", secp256k1::dealt(7, 2, 3, &[])),
        (
            "frost-secp256k1-3of5-named",
            secp256k1::dealt(8, 3, 5, &["alice", "bob", "carol", "dave", "erin"]),
        ),
        ("frost-secp256k1-tr-2of3-even", of_parity(false, &tr)),
        ("frost-secp256k1-tr-2of3-odd", of_parity(true, &tr)),
        (
            "frost-secp256k1-tr-2of3-dkg-odd",
            of_parity(true, &|seed| secp256k1_tr::generated(seed, 2, 3)),
        ),
    ]
    .map(|(name, key)| (name.to_string(), key))
    .to_vec()
}

macro_rules! by_scheme {
    ($scheme:expr, $call:ident($($arg:expr),*)) => {
        match $scheme {
            "frost-ed25519" => ed25519::$call($($arg),*),
            "frost-ed448" => ed448::$call($($arg),*),
            "frost-ristretto255" => ristretto255::$call($($arg),*),
            "frost-p256" => p256::$call($($arg),*),
            "frost-secp256k1" => secp256k1::$call($($arg),*),
            "frost-secp256k1-tr" => secp256k1_tr::$call($($arg),*),
            other => panic!("unknown scheme {other}"),
        }
    };
}

pub fn read(scheme: &str, kind: &str, text: &str) -> Option<String> {
    by_scheme!(scheme, read(kind, text))
}

/// Signs with all these key packages; Taproot with the tweak for no script tree.
pub fn sign(scheme: &str, public: &str, keys: &[&str], message: &[u8]) -> Option<Value> {
    by_scheme!(scheme, sign(public, keys, message))
}
