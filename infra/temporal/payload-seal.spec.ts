import { createHmac } from 'node:crypto';
import type { Payload, SerializationContext } from '@temporalio/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPayloadSeal, SEAL } from './payload-seal.ts';

const KEY = new Uint8Array(32).fill(1);
const OTHER = new Uint8Array(32).fill(2);
const seal = createPayloadSeal([KEY]);

const JOB: SerializationContext = { type: 'workflow', namespace: 'default', workflowId: 'job-1' };
const EFFECT: SerializationContext = {
  type: 'activity',
  namespace: 'default',
  workflowId: 'job-1',
  activityId: '7',
  isLocal: false,
};

const payload = (text: string, encoding = 'json/plain'): Payload => ({
  metadata: { encoding: Buffer.from(encoding) },
  data: Buffer.from(text),
});
const texts = fc.array(fc.string(), { minLength: 1, maxLength: 4 });
const listOf = (all: readonly string[]): Payload[] => all.map((text) => payload(text));

describe('the seal of payloads', () => {
  it('holds for the list it was made over, and for no other', () => {
    fc.assert(
      fc.property(texts, texts, (said, instead) => {
        const sealed = seal.seal(listOf(said), JOB);
        expect(seal.isSealed(sealed, JOB)).toBe(true);
        const [first] = sealed;
        const forged = listOf(instead).map((each, index) =>
          index === 0 ? { ...each, metadata: first?.metadata ?? {} } : each,
        );
        expect(seal.isSealed(forged, JOB)).toBe(JSON.stringify(said) === JSON.stringify(instead));
      }),
    );
  });

  it('holds in its place alone', () => {
    const places: SerializationContext[] = [
      JOB,
      { ...JOB, workflowId: 'job-2' },
      { ...JOB, namespace: 'another' },
      EFFECT,
      { ...EFFECT, activityId: '8' },
      { ...EFFECT, isLocal: true },
      { ...EFFECT, workflowId: 'job-2' },
    ];
    for (const made of places) {
      const sealed = seal.seal([payload('{}')], made);
      for (const met of places) expect(seal.isSealed(sealed, met)).toBe(met === made);
    }
  });

  it('goes with the workflow that a schedule starts, whenever it does', () => {
    const sealed = seal.seal([payload('{}')], JOB);
    const started = (at: string) => ({ ...JOB, workflowId: `job-1-${at}` });
    expect(seal.isSealed(sealed, started('2026-11-30T15:00:00Z'))).toBe(true);
    expect(seal.isSealed(sealed, started('2026'))).toBe(false);
  });

  it('covers how the bytes are to be read, and leaves them readable', () => {
    const said = payload('{"type":"cancel"}');
    const [sealed = {}] = seal.seal([said], JOB);
    expect(sealed.data).toEqual(said.data);
    const encoding = Buffer.from('binary/plain');
    expect(seal.isSealed([{ ...sealed, metadata: { ...sealed.metadata, encoding } }], JOB)).toBe(false);
  });

  it('is verified by earlier keys as long as they are there', () => {
    const old = createPayloadSeal([OTHER]).seal([payload('{}')], JOB);
    expect(seal.isSealed(old, JOB)).toBe(false);
    const rotated = createPayloadSeal([KEY, OTHER]);
    expect(rotated.isSealed(old, JOB)).toBe(true);
    expect(seal.isSealed(rotated.seal([payload('{}')], JOB), JOB)).toBe(true);
  });

  it.each(['', '.', 'no-such-key.AAAA', 'x'])('is no seal when it says "%s"', (text) => {
    const { data, metadata } = payload('{}');
    expect(
      seal.isSealed([{ data: data ?? null, metadata: { ...metadata, [SEAL]: Buffer.from(text) } }], JOB),
    ).toBe(false);
    expect(seal.isSealed([payload('{}')], JOB)).toBe(false);
    expect(seal.isSealed([], JOB)).toBe(false);
  });

  it('holds for nothing as well, however nothing is written', () => {
    const sealed = seal.seal([{ metadata: { encoding: Buffer.from('binary/null') } }], JOB);
    for (const data of [null, new Uint8Array(), [] as unknown as Uint8Array])
      expect(seal.isSealed([{ ...sealed[0], data }], JOB)).toBe(true);
  });

  it('is what its form says, whatever else is said of a payload: those that were made before hold', () => {
    const named = fc.dictionary(fc.constantFrom('encoding', 'messageType', 'é', 'a'), fc.string(), {
      maxKeys: 3,
    });
    const encoded = fc.oneof(named, fc.constant({ encoding: 'json/plain' }));
    const one = fc.record({ said: encoded, text: fc.string({ unit: 'binary', maxLength: 20_000 }) });
    fc.assert(
      fc.property(
        fc.array(one, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(JOB, EFFECT),
        (all, context) => {
          const payloads = all.map(({ said, text }) => ({
            metadata: Object.fromEntries(
              Object.entries(said).map(([name, value]) => [name, Buffer.from(value)]),
            ),
            data: Buffer.from(text),
          }));
          const { type, namespace, workflowId } = context;
          const place =
            type === 'workflow' ? [workflowId] : [workflowId, context.activityId, context.isLocal];
          const contents = payloads.map(({ metadata, data }) => [
            data.length,
            ...Object.entries(metadata)
              .map(([name, value]) => [name, value.toString('latin1')])
              .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
          ]);
          const line = JSON.stringify(['aivillage payload seal v1', type, namespace, place, contents]);
          const mac = createHmac('sha256', KEY).update(line);
          for (const { data } of payloads) mac.update(data);
          const [first] = seal.seal(payloads, context);
          const sealText = Buffer.from(first?.metadata?.[SEAL] ?? []).toString();
          expect(sealText.split('.')[1]).toBe(mac.digest('base64url'));
        },
      ),
    );
  });

  it('takes keys of 32 bytes, and at least one', () => {
    expect(() => createPayloadSeal([new Uint8Array(31)])).toThrow(RangeError);
    expect(() => createPayloadSeal([])).toThrow(RangeError);
  });
});
