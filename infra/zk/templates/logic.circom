// SPDX-License-Identifier: GPL-3.0-only
// Compiled together with circomlib, which is under that licence.
pragma circom 2.2.0;

template Not() {
    signal input {binary} in;
    signal output {binary} out;

    out <== 1 - in;
}

template And() {
    signal input {binary} a;
    signal input {binary} b;
    signal output {binary} out;

    out <== a * b;
}

template Or() {
    signal input {binary} a;
    signal input {binary} b;
    signal output {binary} out;

    out <== a + b - a * b;
}
