;; Tries to survive proc_exit by catching what unwinds it, and to write afterwards.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\08\00\00\00")
  (data (i32.const 16) "survived")
  (func (export "_start")
    (try (do (call $proc_exit (i32.const 5))) (catch_all))
    (try (do (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))) (catch_all))))
