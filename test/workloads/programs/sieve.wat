;; Sieve of Eratosthenes: how many primes lie below four millions.
(func $main (result i64)
  (local $n i32) (local $i i32) (local $j i32) (local $count i64)
  (local.set $n (i32.const 4000000))
  (drop (memory.grow (i32.const 64)))
  (local.set $i (i32.const 2))
  (loop $numbers
    (if (i32.eqz (i32.load8_u (i32.add (i32.const 4096) (local.get $i))))
      (then
        (local.set $count (i64.add (local.get $count) (i64.const 1)))
        (if (i32.lt_u (local.get $i) (i32.const 2000))
          (then
            (local.set $j (i32.mul (local.get $i) (local.get $i)))
            (loop $multiples
              (i32.store8 (i32.add (i32.const 4096) (local.get $j)) (i32.const 1))
              (local.set $j (i32.add (local.get $j) (local.get $i)))
              (br_if $multiples (i32.lt_u (local.get $j) (local.get $n))))))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $numbers (i32.lt_u (local.get $i) (local.get $n))))
  (local.get $count))
