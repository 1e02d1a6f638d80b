;; Product of two 200 × 200 matrices of f64, the way it is written first; the bits of the trace are the answer.
(func $at (param $matrix i32) (param $row i32) (param $column i32) (result i32)
  (i32.add
    (i32.add (i32.const 4096) (i32.mul (local.get $matrix) (i32.const 320000)))
    (i32.shl (i32.add (i32.mul (local.get $row) (i32.const 200)) (local.get $column)) (i32.const 3))))
(func $main (result i64)
  (local $i i32) (local $j i32) (local $k i32) (local $sum f64)
  (drop (memory.grow (i32.const 16)))
  (loop $rows
    (local.set $j (i32.const 0))
    (loop $columns
      (f64.store (call $at (i32.const 0) (local.get $i) (local.get $j))
        (f64.div (f64.convert_i32_s (i32.sub (local.get $i) (local.get $j))) (f64.const 7)))
      (f64.store (call $at (i32.const 1) (local.get $i) (local.get $j))
        (f64.sqrt (f64.convert_i32_s (i32.add (local.get $i) (local.get $j)))))
      (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 200))))
    (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 200))))
  (local.set $i (i32.const 0))
  (loop $rows
    (local.set $j (i32.const 0))
    (loop $columns
      (local.set $k (i32.const 0))
      (local.set $sum (f64.const 0))
      (loop $terms
        (local.set $sum (f64.add (local.get $sum)
          (f64.mul
            (f64.load (call $at (i32.const 0) (local.get $i) (local.get $k)))
            (f64.load (call $at (i32.const 1) (local.get $k) (local.get $j))))))
        (br_if $terms (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 200))))
      (f64.store (call $at (i32.const 2) (local.get $i) (local.get $j)) (local.get $sum))
      (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 200))))
    (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 200))))
  (local.set $i (i32.const 0))
  (local.set $sum (f64.const 0))
  (loop $diagonal
    (local.set $sum
      (f64.add (local.get $sum) (f64.load (call $at (i32.const 2) (local.get $i) (local.get $i)))))
    (br_if $diagonal (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 200))))
  (i64.reinterpret_f64 (local.get $sum)))
