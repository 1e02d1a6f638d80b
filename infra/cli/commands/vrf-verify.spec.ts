import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selectionToJson } from '../../../domain/topology/selection-json.ts';
import { drawAmong, nodeName } from '../../../domain/topology/topology.fixture.ts';
import { RFC_9381 } from '../../../domain/vrf/rfc9381.fixture.ts';
import type { CliContext } from '../context.ts';
import { runCli } from '../program.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'aivillage-vrf-verify-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const saved = (content: unknown): string => {
  const path = join(folder, 'selection.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

/** Runs `vrf verify` with no engine within reach. */
const verify = async (...argv: readonly string[]) => {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  let code = 0;
  const unreachable = (): never => {
    throw new Error('the command must work from a file alone');
  };
  await runCli(['vrf', 'verify', ...argv], {
    stdin: (async function* () {
      yield Buffer.from(JSON.stringify(selectionToJson(drawAmong(12, 3))));
    })(),
    stdout,
    stderr: stderr as unknown as NodeJS.WriteStream,
    engine: unreachable,
    audit: unreachable,
    recover: unreachable,
    interruptible: unreachable,
    exit: (given) => {
      code = given;
    },
  } as CliContext);
  stdout.end();
  stderr.end();
  return { code, out: await text(stdout), err: await text(stderr) };
};

describe('vrf verify', () => {
  const json = selectionToJson(drawAmong(12, 3));

  it('R98: verifies the answer of select from a file or standard input', async () => {
    const { code, out } = await verify(saved(json));
    expect(code).toBe(0);
    expect(out).toContain(`Selection: valid\nNode       ${nodeName(3)}\n`);
    for (const { node_id } of json.neighbors) expect(out).toContain(`  ${node_id}\n`);
    const piped = await verify('-', '--json');
    expect(piped.code).toBe(0);
    expect(JSON.parse(piped.out)).toEqual({
      valid: true,
      node_id: nodeName(3),
      neighbors: json.neighbors.map(({ node_id }) => node_id),
    });
  });

  it('R98: refuses an altered one with the reason, and one of another epoch than the log has', async () => {
    const altered = await verify(saved({ ...json, epoch: json.epoch + 1 }));
    expect(altered).toMatchObject({ code: 1, out: 'Selection: NOT valid (BAD_VRF_PROOF)\n' });
    const known = [
      '--network',
      'test',
      '--epoch',
      '7',
      '--beacon',
      json.beacon,
      '--root',
      json.candidate_root,
    ];
    expect((await verify(saved(json), ...known, '--count', '12')).code).toBe(0);
    for (const [option, value] of [
      ['--network', 'other'],
      ['--epoch', '8'],
      ['--beacon', json.candidate_root],
      ['--root', json.beacon],
      ['--count', '13'],
    ] as const) {
      const { code, out } = await verify(saved(json), option, value, '--json');
      expect(code).toBe(1);
      expect(JSON.parse(out)).toEqual({ valid: false, reason: 'OTHER_EPOCH' });
    }
  });

  it('verifies a bare proof to its output', async () => {
    for (const { suite, pk: public_key, alpha, pi: proof, beta } of RFC_9381) {
      const { code, out } = await verify(saved({ suite, public_key, alpha, proof }), '--json');
      expect({ code, ...(JSON.parse(out) as object) }).toEqual({ code: 0, valid: true, beta });
      const longer = await verify(saved({ suite, public_key, alpha: `${alpha}00`, proof }));
      expect(longer).toMatchObject({ code: 1, out: 'Proof: NOT valid\n' });
    }
    expect(await verify(saved({ alpha: 5 }), '--json')).toMatchObject({ code: 1 });
  });

  it('says what is wrong with a file or an option', async () => {
    expect(await verify(saved('no json'))).toMatchObject({ code: 2, out: '' });
    expect(await verify(saved('[]'))).toMatchObject({ code: 2 });
    expect((await verify(join(folder, 'absent'))).err).toContain('no such file');
    expect((await verify(saved(json), '--beacon', 'ab')).err).toContain('32 bytes in hex');
    expect(await verify(saved('{}'))).toMatchObject({ code: 1, out: 'Selection: NOT valid (MALFORMED)\n' });
  });
});
