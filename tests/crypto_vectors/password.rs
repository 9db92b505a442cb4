use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};

use super::*;

/// RFC 9106 §5.3, through the crate with the type and version of `stretch`.
#[test]
fn argon2id_of_rfc_9106() {
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(AssociatedData::new(&[4; 12]).expect("twelve bytes are permitted"))
        .output_len(32)
        .build()
        .expect("the vector's costs are permitted");
    let mut tag = [0; 32];
    Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
        .expect("the vector's secret is permitted")
        .hash_password_into(&[1; 32], &[2; 16], &mut tag)
        .expect("the vector hashes");
    assert_eq!(tag.to_vec(), hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"));
}

/// This implementation's own answer, so that a change of costs is seen.
#[test]
fn stretch_is_a_known_answer() {
    assert_eq!(
        stretch(b"hunter2", b"alice@EXAMPLE").unwrap().to_vec(),
        hex("09709d114e895837c3d6ad1ad8ddc1cfe53fe44b30494e2fa4903f28142b21ca")
    );
}

#[test]
fn password_and_salt_both_count() {
    let key = stretch(b"hunter2", b"").unwrap();
    assert_eq!(*key, *stretch(b"hunter2", b"").unwrap());
    assert_ne!(*key, *stretch(b"hunter3", b"").unwrap());
    assert_ne!(*key, *stretch(b"hunter2", b"a").unwrap());
}
