;; Works until its fuel is used up, as ordinary programs do where they are slow: it draws numbers, sorts them, takes
;; roots, and follows a chain through 1 MiB of memory. A node runs it to learn how much fuel its machine burns in a
;; second.
(module
  (memory (export "memory") 17)

  ;; 0: 16,384 links of the chain, one each 64 bytes   1048576: 8,192 drawn numbers
  (global $links i32 (i32.const 1048576))
  (global $numbers i32 (i32.const 1048576))
  (global $size i32 (i32.const 32768))
  (global $state (mut i32) (i32.const 2463534242))
  (global $link (mut i32) (i32.const 0))
  (global $mean (mut f64) (f64.const 0))

  ;; The next number of Marsaglia's xorshift32.
  (func $draw (result i32)
    (local $x i32)
    (local.set $x (global.get $state))
    (local.set $x (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 13))))
    (local.set $x (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 17))))
    (local.set $x (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 5))))
    (global.set $state (local.get $x))
    (local.get $x))

  ;; Links the places by a linear congruence of full period, so that the chain visits each and no step tells the next.
  (func $chain
    (local $at i32)
    (loop $next
      (i32.store (local.get $at)
        (i32.and
          (i32.add (i32.mul (local.get $at) (i32.const 1664525)) (i32.const 64))
          (i32.sub (global.get $links) (i32.const 64))))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br_if $next (i32.lt_u (local.get $at) (global.get $links)))))

  (func $fill
    (local $at i32)
    (loop $next
      (i32.store (i32.add (global.get $numbers) (local.get $at)) (call $draw))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $at) (global.get $size)))))

  ;; Moves the number at $at down to its place among those before it that are $gap bytes apart.
  (func $settle (param $at i32) (param $gap i32)
    (local $value i32) (local $before i32)
    (local.set $value (i32.load (i32.add (global.get $numbers) (local.get $at))))
    (block $placed
      (loop $down
        (br_if $placed (i32.lt_u (local.get $at) (local.get $gap)))
        (local.set $before
          (i32.load (i32.add (global.get $numbers) (i32.sub (local.get $at) (local.get $gap)))))
        (br_if $placed (i32.le_u (local.get $before) (local.get $value)))
        (i32.store (i32.add (global.get $numbers) (local.get $at)) (local.get $before))
        (local.set $at (i32.sub (local.get $at) (local.get $gap)))
        (br $down)))
    (i32.store (i32.add (global.get $numbers) (local.get $at)) (local.get $value)))

  ;; Shell's sort, with gaps that halve.
  (func $sort
    (local $gap i32) (local $at i32)
    (local.set $gap (i32.shr_u (global.get $size) (i32.const 1)))
    (loop $gaps
      (local.set $at (local.get $gap))
      (loop $numbers
        (call $settle (local.get $at) (local.get $gap))
        (local.set $at (i32.add (local.get $at) (i32.const 4)))
        (br_if $numbers (i32.lt_u (local.get $at) (global.get $size))))
      (local.set $gap (i32.and (i32.shr_u (local.get $gap) (i32.const 1)) (i32.const -4)))
      (br_if $gaps (local.get $gap))))

  (func $roots
    (local $at i32)
    (loop $next
      (global.set $mean
        (f64.add
          (f64.mul (global.get $mean) (f64.const 0.999))
          (f64.sqrt
            (f64.convert_i32_u (i32.load (i32.add (global.get $numbers) (local.get $at)))))))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $at) (global.get $size)))))

  (func $follow (param $steps i32)
    (local $at i32)
    (local.set $at (global.get $link))
    (loop $next
      (local.set $at (i32.load (local.get $at)))
      (br_if $next (local.tee $steps (i32.sub (local.get $steps) (i32.const 1)))))
    (global.set $link (local.get $at)))

  (func (export "_start")
    (call $chain)
    (loop $round
      (call $fill)
      (call $sort)
      (call $roots)
      (call $follow (i32.const 131072))
      (br $round))))
