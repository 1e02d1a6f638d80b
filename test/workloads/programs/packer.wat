;; Packs half a megabyte by back references of one earlier place per hash (LZ77), unpacks it again and compares.
(func $hash (param $at i32) (result i32)
  (i32.add (i32.const 16384) (i32.shl
    (i32.shr_u (i32.mul (i32.load (local.get $at)) (i32.const 0x9e3779b1)) (i32.const 20)) (i32.const 2))))
(func $same (param $a i32) (param $b i32) (param $end i32) (result i32)
  (local $n i32)
  (block $differ
    (loop $bytes
      (br_if $differ (i32.ge_u (i32.add (local.get $b) (local.get $n)) (local.get $end)))
      (br_if $differ (i32.ge_u (local.get $n) (i32.const 255)))
      (br_if $differ (i32.ne
        (i32.load8_u (i32.add (local.get $a) (local.get $n)))
        (i32.load8_u (i32.add (local.get $b) (local.get $n)))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $bytes)))
  (local.get $n))
(func $main (result i64)
  (local $i i32) (local $end i32) (local $out i32) (local $slot i32) (local $old i32) (local $n i32)
  (local $from i32) (local $to i32) (local $seed i32)
  (drop (memory.grow (i32.const 40)))
  (local.set $end (i32.const 589824))
  (local.set $i (i32.const 65536))
  (loop $text
    (local.set $seed (i32.add (i32.mul (local.get $seed) (i32.const 1103515245)) (i32.const 12345)))
    (i32.store8 (local.get $i) (i32.add (i32.const 97) (i32.and
      (i32.shr_u (local.get $seed) (i32.const 16))
      (i32.shr_u (local.get $i) (i32.const 12)) )))
    (br_if $text (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $end))))
  (local.set $i (i32.const 65536))
  (local.set $out (i32.const 655360))
  (loop $pack
    (local.set $slot (call $hash (local.get $i)))
    (local.set $old (i32.load (local.get $slot)))
    (i32.store (local.get $slot) (local.get $i))
    (local.set $n (i32.const 0))
    (if (i32.and (i32.ne (local.get $old) (i32.const 0))
          (i32.lt_u (i32.sub (local.get $i) (local.get $old)) (i32.const 65536)))
      (then (local.set $n (call $same (local.get $old) (local.get $i) (local.get $end)))))
    (if (i32.ge_u (local.get $n) (i32.const 4))
      (then
        (i32.store8 (local.get $out) (local.get $n))
        (i32.store16 offset=1 align=1 (local.get $out) (i32.sub (local.get $i) (local.get $old)))
        (local.set $out (i32.add (local.get $out) (i32.const 3)))
        (local.set $i (i32.add (local.get $i) (local.get $n))))
      (else
        (i32.store8 (local.get $out) (i32.const 0))
        (i32.store8 offset=1 (local.get $out) (i32.load8_u (local.get $i)))
        (local.set $out (i32.add (local.get $out) (i32.const 2)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))))
    (br_if $pack (i32.lt_u (local.get $i) (local.get $end))))
  (local.set $from (i32.const 655360))
  (local.set $to (i32.const 1900544))
  (loop $unpack
    (if (local.tee $n (i32.load8_u (local.get $from)))
      (then
        (local.set $old (i32.sub (local.get $to) (i32.load16_u offset=1 align=1 (local.get $from))))
        (local.set $from (i32.add (local.get $from) (i32.const 3)))
        (loop $copy
          (i32.store8 (local.get $to) (i32.load8_u (local.get $old)))
          (local.set $to (i32.add (local.get $to) (i32.const 1)))
          (local.set $old (i32.add (local.get $old) (i32.const 1)))
          (br_if $copy (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
      (else
        (i32.store8 (local.get $to) (i32.load8_u offset=1 (local.get $from)))
        (local.set $to (i32.add (local.get $to) (i32.const 1)))
        (local.set $from (i32.add (local.get $from) (i32.const 2)))))
    (br_if $unpack (i32.lt_u (local.get $from) (local.get $out))))
  (local.set $i (i32.const 0))
  (loop $compare
    (if (i32.ne
          (i32.load8_u (i32.add (i32.const 65536) (local.get $i)))
          (i32.load8_u (i32.add (i32.const 1900544) (local.get $i))))
      (then (unreachable)))
    (br_if $compare (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 524288))))
  (i64.extend_i32_u (i32.sub (local.get $out) (i32.const 655360))))
