;; Counts the words of standard input and prints "words: N". A word is a run of bytes without ASCII white space.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 2)

  ;; 0: one iovec { pointer, length }   8: bytes moved   16: text of the answer   1024: input buffer of 64 KiB
  (global $iovec i32 (i32.const 0))
  (global $moved i32 (i32.const 8))
  (global $text i32 (i32.const 16))
  (global $text_end i32 (i32.const 64))
  (global $buffer i32 (i32.const 1024))
  (global $buffer_size i32 (i32.const 65536))
  (data (i32.const 16) "words: ")

  (global $words (mut i64) (i64.const 0))
  (global $in_word (mut i32) (i32.const 0))

  ;; Ends the program with exit code 1 unless a WASI call succeeded.
  (func $check (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (i32.const 1)))))

  (func $set_iovec (param $pointer i32) (param $length i32)
    (i32.store (global.get $iovec) (local.get $pointer))
    (i32.store offset=4 (global.get $iovec) (local.get $length)))

  ;; Space, or one of tab, line feed, vertical tab, form feed and carriage return (9 to 13).
  (func $is_space (param $byte i32) (result i32)
    (i32.or
      (i32.eq (local.get $byte) (i32.const 32))
      (i32.lt_u (i32.sub (local.get $byte) (i32.const 9)) (i32.const 5))))

  (func $count (param $at i32) (param $end i32)
    (local $space i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $space (call $is_space (i32.load8_u (local.get $at))))
        (if (i32.and (i32.eqz (local.get $space)) (i32.eqz (global.get $in_word)))
          (then (global.set $words (i64.add (global.get $words) (i64.const 1)))))
        (global.set $in_word (i32.eqz (local.get $space)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))))

  ;; Writes the decimal digits of $value so that they end before $end; answers where they begin.
  (func $digits (param $value i64) (param $end i32) (result i32)
    (loop $more
      (local.set $end (i32.sub (local.get $end) (i32.const 1)))
      (i64.store8 (local.get $end)
        (i64.add (i64.const 48) (i64.rem_u (local.get $value) (i64.const 10))))
      (local.set $value (i64.div_u (local.get $value) (i64.const 10)))
      (br_if $more (i64.ne (local.get $value) (i64.const 0))))
    (local.get $end))

  (func $write (param $pointer i32) (param $length i32)
    (call $set_iovec (local.get $pointer) (local.get $length))
    (call $check (call $fd_write (i32.const 1) (global.get $iovec) (i32.const 1) (global.get $moved))))

  (func (export "_start")
    (local $digits i32)
    (block $end_of_input
      (loop $read
        (call $set_iovec (global.get $buffer) (global.get $buffer_size))
        (call $check (call $fd_read (i32.const 0) (global.get $iovec) (i32.const 1) (global.get $moved)))
        (br_if $end_of_input (i32.eqz (i32.load (global.get $moved))))
        (call $count
          (global.get $buffer)
          (i32.add (global.get $buffer) (i32.load (global.get $moved))))
        (br $read)))
    (i32.store8 (global.get $text_end) (i32.const 10))
    (local.set $digits (call $digits (global.get $words) (global.get $text_end)))
    (call $write (global.get $text) (i32.const 7))
    (call $write
      (local.get $digits)
      (i32.sub (i32.add (global.get $text_end) (i32.const 1)) (local.get $digits)))))
