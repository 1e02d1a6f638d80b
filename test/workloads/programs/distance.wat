;; Edit distance (Levenshtein) of two sequences of 2,000 letters, by dynamic programming over one row.
(func $smaller (param $a i32) (param $b i32) (result i32)
  (select (local.get $a) (local.get $b) (i32.lt_u (local.get $a) (local.get $b))))
(func $letter (param $seed i32) (param $at i32) (result i32)
  (i32.rem_u
    (i32.shr_u (i32.mul (i32.xor (local.get $at) (local.get $seed)) (i32.const 0x9e3779b1)) (i32.const 16))
    (i32.const 4)))
(func $main (result i64)
  (local $i i32) (local $j i32) (local $diagonal i32) (local $above i32) (local $cell i32) (local $mine i32)
  (loop $first
    (i32.store (i32.add (i32.const 4096) (i32.shl (local.get $j) (i32.const 2))) (local.get $j))
    (i32.store8 (i32.add (i32.const 16384) (local.get $j)) (call $letter (i32.const 99) (local.get $j)))
    (br_if $first (i32.le_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 2000))))
  (local.set $i (i32.const 1))
  (loop $rows
    (local.set $diagonal (i32.sub (local.get $i) (i32.const 1)))
    (i32.store (i32.const 4096) (local.get $i))
    (local.set $mine (call $letter (i32.const 7) (local.get $i)))
    (local.set $j (i32.const 1))
    (loop $columns
      (local.set $cell (i32.add (i32.const 4096) (i32.shl (local.get $j) (i32.const 2))))
      (local.set $above (i32.load (local.get $cell)))
      (i32.store (local.get $cell) (call $smaller
        (i32.add (local.get $diagonal)
          (i32.ne (local.get $mine) (i32.load8_u (i32.add (i32.const 16384) (local.get $j)))))
        (i32.add (i32.const 1)
          (call $smaller (local.get $above) (i32.load (i32.sub (local.get $cell) (i32.const 4)))))))
      (local.set $diagonal (local.get $above))
      (br_if $columns (i32.le_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 2000))))
    (br_if $rows (i32.le_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 2000))))
  (i64.extend_i32_u (local.get $cell))
  (i64.load32_u (local.get $cell))
  (i64.add))
