;; Counts to 1,500,000,000, a second or two of work, then says so: a run that is long enough to be interrupted.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "counted\n")
  (func (export "_start")
    (local $i i32)
    (local.set $i (i32.const 1500000000))
    (loop $count
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (br_if $count (local.get $i)))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 8))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))))
