import type { Job, Reply, Request } from './protocol.ts';

/**
 * Program of the tool process: takes jobs over IPC, one after the other, and ends when its parent is gone. Each tool is
 * loaded when it is first needed.
 */
const send = (reply: Reply): void => void process.send?.(reply);

const run = async (job: Job, progress: (step: string) => void): Promise<unknown> => {
  switch (job.type) {
    case 'compile':
      return (await import('./compile.ts')).compile(job);
    case 'set-up':
      return (await import('./set-up.ts')).setUp(job, progress);
    case 'contribute':
      return (await import('./set-up.ts')).contribute(job, progress);
    case 'prove':
      return (await import('./prove.ts')).prove(job);
    case 'check':
      return (await import('./prove.ts')).check(job);
    case 'poseidon':
      return (await import('./sign.ts')).poseidonOf(job);
    case 'issuer-key':
      return (await import('./sign.ts')).issuerKeyOf(job);
    case 'sign':
      return (await import('./sign.ts')).sign(job);
  }
};

let last: Promise<void> = Promise.resolve();

process.on('message', ({ id, job }: Request) => {
  last = last.then(async () => {
    try {
      const result = await run(job, (step) => send({ id, type: 'progress', step }));
      send({ id, type: 'result', result });
    } catch (error) {
      send({ id, type: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  });
});

// The workers of snarkjs would keep the process alive for ever.
process.on('disconnect', () => process.exit());
