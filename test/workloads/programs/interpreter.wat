;; A machine of four registers runs a program of nine instructions: br_table in a loop.
;; An instruction is four bytes: operation, target, source, value. It counts steps of the Collatz rule.
(data (i32.const 4096)
  "\00\00\00\01"  ;; r0 = 1
  "\01\01\00\00"  ;; r1 = r0
  "\02\01\00\08"  ;; if r1 == 1 go to 8
  "\03\02\00\01"  ;; r2 += 1
  "\04\01\00\07"  ;; if r1 is odd go to 7
  "\05\01\00\00"  ;; r1 /= 2
  "\06\00\00\02"  ;; go to 2
  "\07\01\00\02"  ;; r1 = 3 r1 + 1, go to 2
  "\08\00\00\01") ;; r0 += 1; end at 60,000, else go to 1
(func $register (param $index i32) (result i32)
  (i32.add (i32.const 8192) (i32.shl (local.get $index) (i32.const 3))))
(func $main (result i64)
  (local $at i32) (local $code i32) (local $target i32) (local $value i32)
  (loop $steps
    (local.set $code (i32.load (i32.add (i32.const 4096) (i32.shl (local.get $at) (i32.const 2)))))
    (local.set $target (call $register (i32.and (i32.shr_u (local.get $code) (i32.const 8)) (i32.const 255))))
    (local.set $value (i32.shr_u (local.get $code) (i32.const 24)))
    (local.set $at (i32.add (local.get $at) (i32.const 1)))
    (block $8 (block $7 (block $6 (block $5 (block $4 (block $3 (block $2 (block $1 (block $0
      (br_table $0 $1 $2 $3 $4 $5 $6 $7 $8 (i32.and (local.get $code) (i32.const 255))))
      (i64.store (local.get $target) (i64.extend_i32_u (local.get $value)))
      (br $steps))
      (i64.store (local.get $target)
        (i64.load (call $register (i32.and (i32.shr_u (local.get $code) (i32.const 16)) (i32.const 255)))))
      (br $steps))
      (local.set $at
        (select (local.get $value) (local.get $at) (i64.eq (i64.load (local.get $target)) (i64.const 1))))
      (br $steps))
      (i64.store (local.get $target)
        (i64.add (i64.load (local.get $target)) (i64.extend_i32_u (local.get $value))))
      (br $steps))
      (if (i32.wrap_i64 (i64.and (i64.load (local.get $target)) (i64.const 1)))
        (then (local.set $at (local.get $value))))
      (br $steps))
      (i64.store (local.get $target) (i64.shr_u (i64.load (local.get $target)) (i64.const 1)))
      (br $steps))
      (local.set $at (local.get $value))
      (br $steps))
      (i64.store (local.get $target)
        (i64.add (i64.mul (i64.load (local.get $target)) (i64.const 3)) (i64.const 1)))
      (local.set $at (local.get $value))
      (br $steps))
    (i64.store (local.get $target) (i64.add (i64.load (local.get $target)) (i64.const 1)))
    (local.set $at (local.get $value))
    (br_if $steps (i64.lt_u (i64.load (local.get $target)) (i64.const 60000))))
  (i64.load (call $register (i32.const 2))))
