import { setImmediate } from 'node:timers/promises';
import { multiaddr } from '@multiformats/multiaddr';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { reject } from '../../../domain/errors.ts';
import { type MeshRefusal, type PeerReplies, PROTOCOLS } from '../../../domain/mesh/messages.ts';
import { peerReplySchemas } from '../../../domain/mesh/schema.ts';
import type { CandidateSet } from '../../../domain/topology/candidate.ts';
import type { SelectionJson } from '../../../domain/topology/selection-json.ts';
import { callPeer } from '../../p2p/rpc.ts';
import type { Engines } from '../engines.ts';
import type { NodeLogger } from '../logger.ts';
import { createMember, epochWhere, type PlayedMember, setOf, showing, toldTo } from './neighbours.fixture.ts';
import { keepNeighbours, type Neighbours } from './neighbours.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  logged.length = 0;
  for (const stop of stops.splice(0).reverse()) await stop();
});

const logged: string[] = [];
const note = (fields: object, message: string): void =>
  void logged.push(`${message} ${JSON.stringify(fields)}`);
const log: NodeLogger = { info: note, warn: note, error: note };

const member = async (): Promise<PlayedMember> => {
  const made = await createMember();
  stops.push(made.peer.stop);
  return made;
};

interface Running {
  readonly neighbours: Neighbours;
  /** What its engine says from now on; resolves when the node has heard it. */
  tell(epochs: readonly number[]): Promise<void>;
}

/** Runs the neighbours of `self`, whose engine knows that `members` are within reach. */
const run = async (
  set: CandidateSet,
  self: PlayedMember,
  members: readonly PlayedMember[],
  epochs: readonly number[],
): Promise<Running> => {
  let told = toldTo(set, self, members, epochs);
  let asked = Promise.withResolvers<void>();
  const engines: Pick<Engines, 'ask'> = {
    ask: () => {
      asked.resolve();
      return Promise.resolve(told as never);
    },
  };
  const heard = async (): Promise<void> => {
    await asked.promise;
    await setImmediate();
  };
  const neighbours = await keepNeighbours({
    peer: self.peer,
    engines,
    enginePeerIds: new Set(),
    nodeId: () => self.nodeId,
    openChunks: () => Promise.resolve(reject('RESOURCE_NOT_FOUND', 'this node keeps nothing')),
    nowMs: Date.now,
    log,
  });
  stops.push(neighbours.stop);
  await heard();
  return {
    neighbours,
    tell(next) {
      told = toldTo(set, self, members, next);
      asked = Promise.withResolvers();
      neighbours.nudge();
      return heard();
    },
  };
};

const connectedTo = (running: Running, ...others: readonly PlayedMember[]): Promise<void> =>
  vi.waitFor(
    () => expect(running.neighbours.connected()).toEqual(others.map(({ nodeId }) => nodeId).sort()),
    { timeout: 15_000 },
  );

/** Shows `selections` to `target`, as a node that may say what it likes. */
const show = async (
  from: PlayedMember,
  target: PlayedMember,
  selections: readonly unknown[],
): Promise<PeerReplies['introduce'] | MeshRefusal> => {
  const connection = await from.peer.libp2p.dial(multiaddr(target.addresses[0]));
  const request = { type: 'introduce', epoch: 1, selections };
  const outcome = await callPeer(connection, PROTOCOLS.neighbourhood, request, peerReplySchemas.introduce, {
    timeoutMs: 5_000,
  });
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.reply;
};

const openBetween = (a: PlayedMember, b: PlayedMember): number =>
  a.peer.libp2p.getConnections(b.peer.libp2p.peerId).length;

describe('nodes that have drawn each other, or one the other', { timeout: 60_000 }, () => {
  it.each([
    ['the dialling node lists the other', [true, false]],
    ['each lists the other', [true, true]],
  ] as const)('connect and know it at both ends: %s', async (_, wanted) => {
    const [a, b] = [await member(), await member()];
    const set = setOf([a, b]);
    const epoch = epochWhere(set, [a, b], wanted);
    const [atA, atB] = [await run(set, a, [b], [epoch]), await run(set, b, [a], [epoch])];
    await Promise.all([connectedTo(atA, b), connectedTo(atB, a)]);
  });

  it('are accepted because the node that is dialled lists the one that dials', async () => {
    const [a, b] = [await member(), await member()];
    const set = setOf([a, b]);
    const epoch = epochWhere(set, [a, b], [false, true]);
    const atB = await run(set, b, [], [epoch]);
    expect(await show(a, b, [showing(set, a, epoch)])).toMatchObject({ type: 'introduced' });
    expect(atB.neighbours.connected()).toEqual([a.nodeId]);
    expect(openBetween(b, a)).toBe(1);
  });

  it('stay for the next epoch, and part when no draw in force names them any more', async () => {
    const [a, b] = [await member(), await member()];
    const set = setOf([a, b]);
    let first = 1;
    const none = [false, false] as const;
    // Two epochs in a row without each other, after one with.
    do first = epochWhere(set, [a, b], [true, false], first + 1);
    while (
      epochWhere(set, [a, b], none, first + 1) !== first + 1 ||
      epochWhere(set, [a, b], none, first + 2) !== first + 2
    );
    const [atA, atB] = [await run(set, a, [b], [first]), await run(set, b, [a], [first])];
    await Promise.all([connectedTo(atA, b), connectedTo(atB, a)]);
    for (const each of [atA, atB]) await each.tell([first + 1, first]);
    expect([atA.neighbours.connected(), atB.neighbours.connected()]).toEqual([[b.nodeId], [a.nodeId]]);
    for (const each of [atA, atB]) await each.tell([first + 2, first + 1]);
    await Promise.all([connectedTo(atA), connectedTo(atB)]);
    await vi.waitFor(() => expect(openBetween(a, b)).toBe(0));
  });

  it('keep one connection through the epochs, whichever of them hears of a new one first', async () => {
    const [a, b] = [await member(), await member()];
    const set = setOf([a, b], 2);
    const running = [await run(set, a, [b], [1]), await run(set, b, [a], [1])] as const;
    await Promise.all([connectedTo(running[0], b), connectedTo(running[1], a)]);
    const connections = a.peer.libp2p.getConnections(b.peer.libp2p.peerId).map(({ id }) => id);
    for (const epoch of [2, 3, 4, 5]) {
      const [first, second] = epoch % 2 === 0 ? running : running.toReversed();
      await first?.tell([epoch, epoch - 1]);
      await second?.tell([epoch, epoch - 1]);
      const met = (line: string) => line.startsWith('connected') && line.includes(`"epoch":${epoch}`);
      await vi.waitFor(() => expect(logged.filter(met)).not.toEqual([]), 15_000);
    }
    expect(a.peer.libp2p.getConnections(b.peer.libp2p.peerId).map(({ id }) => id)).toEqual(connections);
    expect(running.map(({ neighbours }) => neighbours.connected())).toEqual([[b.nodeId], [a.nodeId]]);
  });

  it('find each other again when their connection breaks', async () => {
    const [a, b] = [await member(), await member()];
    const set = setOf([a, b]);
    const epoch = epochWhere(set, [a, b], [true, false]);
    const atA = await run(set, a, [b], [epoch]);
    await run(set, b, [a], [epoch]);
    await connectedTo(atA, b);
    for (const connection of b.peer.libp2p.getConnections()) connection.abort(new Error('the cable'));
    await connectedTo(atA);
    await connectedTo(atA, b);
  });

  it('are dialled until they are there', async () => {
    const [a, b] = [await member(), await member()];
    const set = setOf([a, b]);
    const epoch = epochWhere(set, [a, b], [true, false]);
    const atA = await run(set, a, [b], [epoch]);
    const failures = () => logged.filter((line) => line.startsWith('neighbour not connected'));
    await vi.waitFor(() => expect(failures().length).toBeGreaterThan(1), 10_000);
    await run(set, b, [], [epoch]);
    await connectedTo(atA, b);
  });
});

describe('a node refuses and disconnects', { timeout: 60_000 }, () => {
  /** `b` listens; `a` may dial it in `epoch`, `c` may not. */
  const scene = async () => {
    const [a, b, c] = [await member(), await member(), await member()];
    const set = setOf([a, b, c]);
    let epoch = 0;
    do epoch = epochWhere(set, [a, b], [true, false], epoch + 1);
    while (epochWhere(set, [c, b], [false, false], epoch) !== epoch);
    const atB = await run(set, b, [], [epoch]);
    return { a, b, c, set, epoch, atB };
  };

  const expectRefusal = async (
    from: PlayedMember,
    to: PlayedMember,
    selections: readonly unknown[],
    refusal: object,
  ): Promise<void> => {
    expect(await show(from, to, selections)).toMatchObject({ type: 'refused', ...refusal });
    await vi.waitFor(() => expect(openBetween(from, to)).toBe(0));
  };

  it('a stranger that nobody drew, whatever it shows', async () => {
    const { b, c, set, epoch, atB } = await scene();
    const stranger = await member();
    const outside = setOf([stranger, b]);
    await expectRefusal(c, b, [showing(set, c, epoch)], { code: 'AUTHORIZATION_FAILED' });
    await expectRefusal(stranger, b, [], { code: 'AUTHORIZATION_FAILED' });
    await expectRefusal(stranger, b, [showing(outside, stranger, epoch)], {
      code: 'PROOF_VERIFICATION_FAILED',
      message: expect.stringContaining('OTHER_EPOCH') as string,
    });
    expect(atB.neighbours.connected()).toEqual([]);
  });

  it('a proof that was changed anywhere', async () => {
    const { a, b, set, epoch, atB } = await scene();
    const proof = showing(set, a, epoch);
    const zeros = '0'.repeat(64);
    const [first, ...others] = proof.neighbors;
    const changes: Partial<SelectionJson>[] = [
      { beacon: zeros },
      { candidate_root: zeros },
      { candidate_count: proof.candidate_count + 1 },
      { public_key: zeros },
      { vrf_proof: proof.vrf_proof.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) },
      { vrf_output: proof.vrf_output.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) },
      { takes_all: true },
      { neighbors: others },
      { neighbors: [...others, first as (typeof others)[number]] },
      { self: { ...proof.self, weight: proof.self.weight + 1 } },
      { vrf_proof: 'not hex' },
    ];
    for (const change of changes) {
      await expectRefusal(a, b, [{ ...proof, ...change }], { code: 'PROOF_VERIFICATION_FAILED' });
    }
    // One bad proof is not made up for by a good one.
    await expectRefusal(a, b, [proof, { ...proof, takes_all: true }], { code: 'PROOF_VERIFICATION_FAILED' });
    expect(atB.neighbours.connected()).toEqual([]);
    expect(await show(a, b, [proof])).toMatchObject({ type: 'introduced' });
  });

  it("another node's proof, an epoch that is over and one that never was", async () => {
    const { a, b, c, set, epoch, atB } = await scene();
    await expectRefusal(c, b, [showing(set, a, epoch)], { code: 'AUTHENTICATION_FAILED' });
    await expectRefusal(a, b, [showing(set, a, epoch - 1)], { code: 'AUTHORIZATION_FAILED' });
    await expectRefusal(a, b, [showing(set, a, epoch + 1)], { code: 'AUTHORIZATION_FAILED' });
    let later = epoch;
    do later = epochWhere(set, [a, b], [false, false], later + 1);
    while (epochWhere(set, [a, b], [false, false], later + 1) !== later + 1);
    await atB.tell([later + 1, later]);
    await expectRefusal(a, b, [showing(set, a, epoch)], { code: 'AUTHORIZATION_FAILED' });
    expect(atB.neighbours.connected()).toEqual([]);
  });

  it('what breaks the protocol, and keeps serving', async () => {
    const { a, b, set, epoch } = await scene();
    const proof = showing(set, a, epoch);
    for (const nonsense of [[null], [proof, proof, proof], 'proof']) {
      await expectRefusal(a, b, nonsense as unknown[], { code: 'INVALID_REQUEST' });
    }
    const vast = { ...proof, network: 'x'.repeat(65_536) };
    await expect(show(a, b, [vast])).resolves.toMatchObject({ type: 'refused', code: 'INVALID_REQUEST' });
    expect(await show(a, b, [proof])).toMatchObject({ type: 'introduced' });
  });

  it('a node that answers with a proof that does not hold', async () => {
    const [a, b] = [await member(), await member()];
    const set = setOf([a, b]);
    const epoch = epochWhere(set, [a, b], [true, false]);
    const other = setOf([b]);
    const atA = await run(set, a, [b], [epoch]);
    // What b is told differs from what a is told: each calls the other's epoch false.
    const atB = await run(other, b, [], [epoch]);
    logged.length = 0;
    atA.neighbours.nudge();
    await vi.waitFor(
      () => expect(logged.filter((line) => line.includes('OTHER_EPOCH'))).not.toEqual([]),
      10_000,
    );
    expect([atA.neighbours.connected(), atB.neighbours.connected()]).toEqual([[], []]);
  });
});
