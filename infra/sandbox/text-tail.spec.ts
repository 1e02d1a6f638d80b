import { expect, test } from 'vitest';
import { textFault } from '../../domain/text.ts';
import { textTail } from './text-tail.ts';

test('what a module writes becomes text that can be signed, stored and shown', () => {
  const tail = textTail(16);
  tail.write(Buffer.from('lost at the front: '));
  tail.write(Buffer.from('a\0b\u001b[2Jc\r\n'));
  tail.write(Uint8Array.of(0xff, 0xc3));
  tail.write(Buffer.from('\u202eend'));
  const text = tail.text();
  expect(text).toBe('a\ufffdb\ufffd[2Jc\n\ufffd\ufffd\ufffdend');
  expect(textFault(text)).toBeNull();
});
