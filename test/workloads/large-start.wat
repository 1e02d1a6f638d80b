;; Starts with more memory (65 MiB) than the smallest enclave has.
(module
  (memory (export "memory") 1040)
  (func (export "_start")))
