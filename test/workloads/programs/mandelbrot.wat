;; How many steps the points of a 300 × 300 grid take to leave the circle, at most 200: floats in locals.
(func $escape (param $cx f64) (param $cy f64) (result i32)
  (local $x f64) (local $y f64) (local $xx f64) (local $yy f64) (local $n i32)
  (block $out
    (loop $steps
      (local.set $xx (f64.mul (local.get $x) (local.get $x)))
      (local.set $yy (f64.mul (local.get $y) (local.get $y)))
      (br_if $out (f64.gt (f64.add (local.get $xx) (local.get $yy)) (f64.const 4)))
      (local.set $y (f64.add (f64.mul (f64.mul (f64.const 2) (local.get $x)) (local.get $y)) (local.get $cy)))
      (local.set $x (f64.add (f64.sub (local.get $xx) (local.get $yy)) (local.get $cx)))
      (br_if $steps (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 200)))))
  (local.get $n))
(func $main (result i64)
  (local $i i32) (local $j i32) (local $sum i64)
  (loop $rows
    (local.set $j (i32.const 0))
    (loop $columns
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (call $escape
        (f64.sub (f64.div (f64.convert_i32_u (local.get $i)) (f64.const 100)) (f64.const 2))
        (f64.sub (f64.div (f64.convert_i32_u (local.get $j)) (f64.const 100)) (f64.const 1.5))))))
      (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (i32.const 300))))
    (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 300))))
  (local.get $sum))
