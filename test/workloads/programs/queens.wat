;; In how many ways nine queens can stand on their board: recursion with bits.
(func $place (param $columns i32) (param $left i32) (param $right i32) (result i64)
  (local $free i32) (local $bit i32) (local $count i64)
  (if (i32.eq (local.get $columns) (i32.const 511)) (then (return (i64.const 1))))
  (local.set $free (i32.and (i32.const 511) (i32.xor (i32.const -1)
    (i32.or (local.get $columns) (i32.or (local.get $left) (local.get $right))))))
  (block $none
    (loop $next
      (br_if $none (i32.eqz (local.get $free)))
      (local.set $bit (i32.and (local.get $free) (i32.sub (i32.const 0) (local.get $free))))
      (local.set $free (i32.xor (local.get $free) (local.get $bit)))
      (local.set $count (i64.add (local.get $count) (call $place
        (i32.or (local.get $columns) (local.get $bit))
        (i32.shl (i32.or (local.get $left) (local.get $bit)) (i32.const 1))
        (i32.shr_u (i32.or (local.get $right) (local.get $bit)) (i32.const 1)))))
      (br $next)))
  (local.get $count))
(func $main (result i64)
  (local $round i32) (local $sum i64)
  (loop $rounds
    (local.set $sum (i64.add (local.get $sum) (call $place (i32.const 0) (i32.const 0) (i32.const 0))))
    (br_if $rounds (i32.lt_u (local.tee $round (i32.add (local.get $round) (i32.const 1))) (i32.const 400))))
  (local.get $sum))
