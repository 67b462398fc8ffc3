//! Keys of Lockness CGGMP: incomplete key shares, without auxiliary information.

use cggmp24::supported_curves::{Secp256k1, Secp256r1};
use cggmp24::IncompleteKeyShare;
use generic_ec::Curve;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha20Rng;
use serde_json::{json, Value};

fn key<E: Curve>(seed: u8, n: u16, t: Option<u16>, hd: bool, random_places: bool) -> Value {
    let mut rng = ChaCha20Rng::from_seed([seed; 32]);
    let dealer = key_share::trusted_dealer::builder::<E>(n)
        .set_threshold(t)
        .hd_wallet(hd);
    let shares = if random_places {
        dealer.generate_shares_at_random(&mut rng)
    } else {
        dealer.generate_shares(&mut rng)
    }
    .unwrap();
    let texts: Vec<String> = shares
        .iter()
        .map(|s| serde_json::to_string(s).unwrap())
        .collect();
    json!({ "keyShares": texts })
}

pub fn fixtures() -> Vec<(String, Value)> {
    fn curve<E: Curve>(name: &str, seed: u8) -> Vec<(String, Value)> {
        vec![
            (
                format!("lockness-{name}-2of3-hd"),
                key::<E>(seed, 3, Some(2), true, false),
            ),
            (
                format!("lockness-{name}-3of5-random-places"),
                key::<E>(seed + 1, 5, Some(3), false, true),
            ),
            (
                format!("lockness-{name}-3of3-additive"),
                key::<E>(seed + 2, 3, None, true, false),
            ),
        ]
    }
    [
        curve::<Secp256k1>("secp256k1", 0x40),
        curve::<Secp256r1>("secp256r1", 0x50),
    ]
    .concat()
}

/// The share as `cggmp24` writes it again, if it reads it, which includes its own check of the share.
pub fn read(scheme: &str, text: &str) -> Option<String> {
    fn of<E: Curve>(text: &str) -> Option<String> {
        let share: IncompleteKeyShare<E> = serde_json::from_str(text).ok()?;
        Some(serde_json::to_string(&share).unwrap())
    }
    match scheme {
        "cggmp24-secp256k1" => of::<Secp256k1>(text),
        "cggmp24-p256" => of::<Secp256r1>(text),
        other => panic!("unknown scheme {other}"),
    }
}
