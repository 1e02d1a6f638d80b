;; Follows a chain through 64 MiB whose links are as good as random, for ever: it waits for memory at every step, and so gets
;; through a small part of the fuel that a loop in the caches does. Needs 65 MiB.
(module
  (memory (export "memory") 1025)
  (global $mask i32 (i32.const 0x3ffffff))
  (func (export "_start")
    (local $link i32) (local $next i32)
    ;; One ring of all words: the next of each is one step of a generator of full period (Hull and Dobell, 1962).
    (loop $fill
      (local.set $next
        (i32.and
          (i32.add (i32.mul (local.get $link) (i32.const 0x9e3779b1)) (i32.const 0x3c6ef37c))
          (global.get $mask)))
      (i32.store (local.get $link) (local.get $next))
      (local.set $link (i32.add (local.get $link) (i32.const 4)))
      (br_if $fill (i32.lt_u (local.get $link) (global.get $mask))))
    (local.set $link (i32.const 0))
    (loop $follow
      (local.set $link (i32.load (local.get $link)))
      (br $follow))))
