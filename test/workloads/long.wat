;; Counts to 25,000,000,000, half a minute of work, then says so: a run that outlasts a stall of its engine.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "counted\n")
  (func (export "_start")
    (local $i i64)
    (local.set $i (i64.const 25000000000))
    (loop $count
      (local.set $i (i64.sub (local.get $i) (i64.const 1)))
      (br_if $count (i64.ne (local.get $i) (i64.const 0))))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 8))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))))
