import { expect, test } from 'vitest';
import { JOB_ID, job, jobIn, OUTPUT, OUTPUT_SHA256 } from '../job/job.fixture.ts';
import { jobJson } from './job-json.ts';
import { headline, resultLines, timelineLines } from './job-report.ts';
import { labelOf } from './label.ts';
import { outputText } from './output.ts';
import { columns, counted, isPlain, shown } from './text.ts';

test('the JSON of a job has exactly the documented members', () => {
  expect(jobJson(job())).toStrictEqual({
    job_id: JOB_ID,
    state: 'settled',
    exit_code: 0,
    output_sha256: OUTPUT_SHA256,
    price_micro: '15000',
    members: [
      { node_id: 'provider-0', owner: 'subject-0', infrastructure_type: 'cloud_aws', paid_micro: '5000' },
      { node_id: 'provider-1', owner: 'subject-1', infrastructure_type: 'cloud_gcp', paid_micro: '5000' },
      { node_id: 'provider-2', owner: 'subject-2', infrastructure_type: 'edge_devices', paid_micro: '5000' },
    ],
    proof_id: 'proof-1',
    position: '77',
  });
  expect(jobJson(jobIn('quoted'))).toMatchObject({
    state: 'quoted',
    exit_code: null,
    members: [],
    proof_id: null,
  });
});

test('the report names result, price, proof, members and, where it was simulated, that', () => {
  expect(headline(job())).toBe(`Job ${JOB_ID}: settled after 12.250 s`);
  expect(headline(jobIn('running'))).toBe(`Job ${JOB_ID}: running`);
  const report = resultLines(job()).join('\n');
  expect(report).toContain('Exit code  0');
  expect(report).toContain('Price      15000 micro-units, 7221 of the escrow refunded');
  expect(report).toContain('Proof      proof-1');
  expect(report).toContain('SLA        met (6 heartbeat samples)');
  expect(report).toContain('Platform   simulated (');
  expect(report).toMatch(/provider-2 {2}edge_devices {2}region-2 {2}simulated {2}paid 5000 micro-units/);
  expect(report).not.toContain('Reason');
});

test('the timeline tells every event with its time, position and provider, and the workflow', () => {
  expect(timelineLines(job())).toEqual([
    `Timeline of workflow ${JOB_ID}`,
    '  2026-01-01T00:00:00.000Z  +0.000 s   @40  job.submitted',
    '  2026-01-01T00:00:10.500Z  +10.500 s  @61  job.enclave-attested  provider-0',
    '  2026-01-01T00:00:12.250Z  +12.250 s  @77  job.settled',
  ]);
});

test('a failed job says why, and who was lost, without letting a node write to the terminal', () => {
  const lost = { node_id: 'provider-9', fault: 'crashed', slashed: false, message: 'gone \u001b[2Jhere' };
  const failed = jobIn('failed', {
    reason: 'TIME_LIMIT_EXCEEDED',
    message: 'over 60 s',
    failed_members: [lost],
  });
  const report = resultLines(failed).join('\n');
  expect(report).toContain('Reason     TIME_LIMIT_EXCEEDED: over 60 s');
  expect(report).toContain('provider-9  crashed  not slashed  gone \\x1b[2Jhere');
  expect(report).toContain('Price      not settled yet');
  expect(report).toContain('Platform   not attested');
});

test('one simulated member makes the job simulated, one without attestation leaves it open', () => {
  const label = (...labels: ('hardware' | 'simulated' | null)[]) =>
    labelOf(labels.map((each) => ({ label: each })));
  expect(label('hardware', 'hardware')).toBe('hardware');
  expect(label('hardware', 'simulated')).toBe('simulated');
  expect(label('simulated', null)).toBeNull();
  expect(label()).toBeNull();
});

test('output is shown where it is text that only shows, and described where not', () => {
  expect(outputText(Buffer.from(OUTPUT))).toBe(`Result (12 bytes)\n${OUTPUT}`);
  expect(outputText(Buffer.from('grüße'))).toBe('Result (7 bytes)\ngrüße\n');
  expect(outputText(new Uint8Array())).toBe('Result (no output)\n');
  for (const bytes of [Buffer.from([0xff, 0xfe]), Buffer.from('\u001b[31mred'), Buffer.from('a\0b')]) {
    expect(outputText(bytes)).toContain('not plain text: save it with --output FILE');
  }
  expect(outputText(new Uint8Array(65_537).fill(65))).toContain('too long to show');
});

test('text helpers', () => {
  expect(counted(1, 'byte')).toBe('1 byte');
  expect(counted(0, 'byte')).toBe('0 bytes');
  expect(isPlain('a\tb\r\nc\n')).toBe(true);
  expect(isPlain('a\rb')).toBe(false);
  expect(shown('a\u009bb\n')).toBe('a\\x9bb\n');
  expect(
    columns([
      ['a', 'bb', ''],
      ['ccc', 'd', ''],
    ]),
  ).toEqual(['a    bb', 'ccc  d']);
});
