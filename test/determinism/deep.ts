const module = (functions: string): string =>
  `(module (memory (export "memory") 1) ${functions} (func (export "_start") (call $begin)))`;
const times = (count: number, of: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => of(index)).join(' ');

/** Recursion without end, with frames that compilers lay out in different ways. */
export const DEEP: Readonly<Record<string, string>> = {
  small: module(`(func $down (param i32) (result i32)
    (i32.store (i32.const 0) (local.get 0))
    (i32.add (call $down (i32.add (local.get 0) (i32.const 1))) (local.get 0)))
    (func $begin (drop (call $down (i32.const 0))))`),
  locals: module(`(func $down (param i64) (result i64) ${times(120, () => '(local i64)')}
    ${times(120, (index) => `(local.set ${index + 1} (i64.add (local.get 0) (i64.const ${index})))`)}
    (local.set 0 (call $down (i64.add (local.get 0) (i64.const 1))))
    ${times(120, (index) => `(local.set 0 (i64.xor (local.get 0) (local.get ${index + 1})))`)} (local.get 0))
    (func $begin (drop (call $down (i64.const 0))))`),
  vectors: module(`(func $down (param i32) (result v128) ${times(60, () => '(local v128)')}
    ${times(60, (index) => `(local.set ${index + 1} (i32x4.splat (i32.add (local.get 0) (i32.const ${index}))))`)}
    (v128.xor (call $down (i32.add (local.get 0) (i32.const 1)))
      ${times(59, (index) => `(v128.xor (local.get ${index + 1})`)} (local.get 60) ${')'.repeat(59)}))
    (func $begin (drop (call $down (i32.const 0))))`),
  operands: module(`(func $down (param i32) (result i32)
    ${times(200, (index) => `(i32.add (i32.mul (local.get 0) (i32.const ${index}))`)}
    (call $down (i32.add (local.get 0) (i32.const 1))) ${')'.repeat(200)})
    (func $begin (drop (call $down (i32.const 0))))`),
  parameters: module(`(func $down ${times(40, () => '(param f64)')} (result f64)
    (f64.add (local.get 39)
      (call $down ${times(40, (index) => `(f64.add (local.get ${index}) (f64.const 1))`)})))
    (func $begin (drop (call $down ${times(40, () => '(f64.const 0)')})))`),
  indirect: module(`(type $t (func (param i32) (result i32))) (table funcref (elem $down $other))
    (func $down (param i32) (result i32) (i32.add (local.get 0)
      (call_indirect (type $t) (local.get 0) (i32.and (local.get 0) (i32.const 1)))))
    (func $other (param i32) (result i32)
      (i32.sub (call $down (i32.add (local.get 0) (i32.const 1))) (local.get 0)))
    (func $begin (drop (call $down (i32.const 0))))`),
};
