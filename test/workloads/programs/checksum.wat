;; CRC-32 (IEEE 802.3, reflected) of a megabyte, eight times, from a table that it makes first.
(func $main (result i64)
  (local $i i32) (local $k i32) (local $c i32) (local $round i32)
  (drop (memory.grow (i32.const 17)))
  (loop $table
    (local.set $c (local.get $i))
    (local.set $k (i32.const 8))
    (loop $bits
      (local.set $c (i32.xor (i32.shr_u (local.get $c) (i32.const 1))
        (i32.and (i32.const 0xedb88320) (i32.sub (i32.const 0) (i32.and (local.get $c) (i32.const 1))))))
      (br_if $bits (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
    (i32.store (i32.add (i32.const 4096) (i32.shl (local.get $i) (i32.const 2))) (local.get $c))
    (br_if $table (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 256))))
  (local.set $i (i32.const 0))
  (loop $fill
    (i32.store8 (i32.add (i32.const 8192) (local.get $i)) (i32.mul (local.get $i) (i32.const 167)))
    (br_if $fill (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1048576))))
  (local.set $c (i32.const -1))
  (loop $rounds
    (local.set $i (i32.const 0))
    (loop $bytes
      (local.set $c (i32.xor (i32.shr_u (local.get $c) (i32.const 8))
        (i32.load (i32.add (i32.const 4096) (i32.shl
          (i32.and (i32.const 255)
            (i32.xor (local.get $c) (i32.load8_u (i32.add (i32.const 8192) (local.get $i)))))
          (i32.const 2))))))
      (br_if $bytes (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1048576))))
    (br_if $rounds (i32.lt_u (local.tee $round (i32.add (local.get $round) (i32.const 1))) (i32.const 8))))
  (i64.extend_i32_u (i32.xor (local.get $c) (i32.const -1))))
