use mallory::crypto::{Share, combine_shares, split_secret};

use super::*;

#[test]
fn every_subset_of_every_small_scheme() {
    let secret = b"sixteen byte key";
    for count in 1..=6u8 {
        for threshold in 1..=count {
            let shares = split_secret(secret, threshold, count, &mut rng()).expect("a permitted scheme");
            for subset in 1..1u32 << count {
                let chosen: Vec<Share> = (0..usize::from(count))
                    .filter(|i| subset >> i & 1 == 1)
                    .map(|i| shares[i].clone())
                    .collect();
                let combined = combine_shares(&chosen).expect("distinct points");
                let enough = subset.count_ones() >= u32::from(threshold);
                assert_eq!(combined.as_slice() == secret, enough, "{threshold} of {count}: {subset:b}");
            }
        }
    }
}

/// With one share too few, every value of a byte is as likely as every other: for each
/// there is just one last share that gives it.
#[test]
fn one_share_too_few_says_nothing() {
    let shares = split_secret(&[42], 3, 3, &mut rng()).expect("a permitted scheme");
    let mut seen = [0; 256];
    for y in 0..=255 {
        let last = Share::from_bytes(&[3, y]).expect("a share");
        let combined =
            combine_shares(&[shares[0].clone(), shares[1].clone(), last]).expect("distinct points");
        seen[usize::from(combined[0])] += 1;
    }
    assert_eq!(seen, [1; 256]);
}

#[test]
fn most_shares_and_bad_ones() {
    let shares = split_secret(b"s", 255, 255, &mut rng()).expect("as many as there are points");
    assert_eq!(combine_shares(&shares).map(|s| s.to_vec()), Ok(b"s".to_vec()));
    assert_ne!(combine_shares(&shares[1..]).map(|s| s.to_vec()), Ok(b"s".to_vec()));
    for (threshold, count, secret) in [(0, 1, &b"s"[..]), (3, 2, b"s"), (1, 1, b"")] {
        assert_eq!(split_secret(secret, threshold, count, &mut rng()).map(drop), Err(Reason::Malformed));
    }
    let twice = [shares[0].clone(), shares[0].clone()];
    let short = [shares[0].clone(), Share::from_bytes(&[9, 1, 2]).expect("a share")];
    for bad in [&twice[..], &short, &[]] {
        assert_eq!(combine_shares(bad).map(drop), Err(Reason::Malformed));
    }
    for bytes in [&b""[..], b"\x01", b"\x00\x01"] {
        assert_eq!(Share::from_bytes(bytes), Err(Reason::Malformed));
    }
}
