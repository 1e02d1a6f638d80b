// SPDX-License-Identifier: GPL-3.0-only
// Compiled together with circomlib, which is under that licence.
pragma circom 2.2.0;

include "circomlib/circuits/babyjub.circom";
include "circomlib/circuits/eddsaposeidon.circom";
include "circomlib/circuits/poseidon.circom";
include "comparison.circom";

// Proves that the issuer signed these attributes for the holder of the secret, and that they have not expired. Binds
// the proof to a context, and gives the nullifier of the holder in a scope.
template Credential(slots) {
    signal input context;
    signal input scope;
    signal input now;
    signal input schema;
    signal input issuer[2];
    signal input secret;
    signal input expiry;
    signal input attributes[slots];
    signal input signature[3]; // R8.x, R8.y, S
    signal output nullifier;

    component holder = Poseidon(1);
    holder.inputs[0] <== secret;

    component message = Poseidon(slots + 3);
    message.inputs[0] <== schema;
    message.inputs[1] <== holder.out;
    message.inputs[2] <== expiry;
    for (var i = 0; i < slots; i++) {
        message.inputs[i + 3] <== attributes[i];
    }

    component onCurve = BabyCheck();
    onCurve.x <== signature[0];
    onCurve.y <== signature[1];

    component signed = EdDSAPoseidonVerifier();
    signed.enabled <== 1;
    signed.Ax <== issuer[0];
    signed.Ay <== issuer[1];
    signed.R8x <== signature[0];
    signed.R8y <== signature[1];
    signed.S <== signature[2];
    signed.M <== message.out;

    signal {maxbit} current <== RangeCheck(64)(now);
    signal {maxbit} last <== RangeCheck(64)(expiry);
    signal {binary} fresh <== LessEqual(64)(current, last);
    fresh === 1;

    component mark = Poseidon(2);
    mark.inputs[0] <== scope;
    mark.inputs[1] <== secret;
    nullifier <== mark.out;

    // A public input that no constraint holds could be exchanged in a finished proof.
    signal bound <== context * context;
}
