;; Sorts half a million numbers in place, then sums them weighted by their places.
(func $sort (param $low i32) (param $high i32)
  (local $i i32) (local $j i32) (local $pivot i32) (local $swap i32)
  (if (i32.ge_s (local.get $low) (local.get $high)) (then (return)))
  (local.set $i (local.get $low))
  (local.set $j (local.get $high))
  (local.set $pivot (i32.load (i32.and
    (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)) (i32.const -4))))
  (block $split
    (loop $partition
      (block $left (loop $up
        (br_if $left (i32.ge_s (i32.load (local.get $i)) (local.get $pivot)))
        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (br $up)))
      (block $right (loop $down
        (br_if $right (i32.le_s (i32.load (local.get $j)) (local.get $pivot)))
        (local.set $j (i32.sub (local.get $j) (i32.const 4)))
        (br $down)))
      (if (i32.le_s (local.get $i) (local.get $j))
        (then
          (local.set $swap (i32.load (local.get $i)))
          (i32.store (local.get $i) (i32.load (local.get $j)))
          (i32.store (local.get $j) (local.get $swap))
          (local.set $i (i32.add (local.get $i) (i32.const 4)))
          (local.set $j (i32.sub (local.get $j) (i32.const 4)))))
      (br_if $partition (i32.le_s (local.get $i) (local.get $j)))))
  (call $sort (local.get $low) (local.get $j))
  (call $sort (local.get $i) (local.get $high)))
(func $main (result i64)
  (local $at i32) (local $seed i32) (local $sum i64)
  (drop (memory.grow (i32.const 31)))
  (local.set $seed (i32.const 12345))
  (local.set $at (i32.const 4096))
  (loop $fill
    (local.set $seed (i32.add (i32.mul (local.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
    (i32.store (local.get $at) (local.get $seed))
    (br_if $fill (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 2004096))))
  (call $sort (i32.const 4096) (i32.const 2004092))
  (local.set $at (i32.const 4096))
  (loop $read
    (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.load32_s (local.get $at))))
    (br_if $read (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 2004096))))
  (local.get $sum))
