// SPDX-License-Identifier: GPL-3.0-only
// Compiled together with circomlib, which is under that licence.
pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";

// Proves in < 2^n. The tag lets the compiler refuse a comparison of anything that has not passed here.
template RangeCheck(n) {
    assert(n >= 1 && n <= 252);
    signal input in;
    signal output {maxbit} out;

    component bits = Num2Bits(n);
    bits.in <== in;
    out.maxbit = n;
    out <== in;
}

// 1 if left <= right, else 0. Sound only below 2^n on both sides: outside, the sum wraps around the field.
template LessEqual(n) {
    assert(n >= 1 && n <= 251);
    signal input {maxbit} left;
    signal input {maxbit} right;
    signal output {binary} out;
    assert(left.maxbit <= n && right.maxbit <= n);

    component sum = Num2Bits(n + 1);
    sum.in <== right - left + (1 << n);
    out <== sum.out[n];
}

// 1 if left = right in the field, else 0.
template Equal() {
    signal input left;
    signal input right;
    signal output {binary} out;

    component zero = IsZero();
    zero.in <== left - right;
    out <== zero.out;
}

// 1 if element is one of the k members, else 0: the product of the differences is zero.
template InSet(k) {
    assert(k >= 2);
    signal input element;
    signal input members[k];
    signal output {binary} out;

    signal products[k];
    products[0] <== element - members[0];
    for (var i = 1; i < k; i++) {
        products[i] <== products[i - 1] * (element - members[i]);
    }
    component zero = IsZero();
    zero.in <== products[k - 1];
    out <== zero.out;
}
