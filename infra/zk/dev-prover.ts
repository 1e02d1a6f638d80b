import type { Result } from '../../domain/errors.ts';
import type { Artifacts } from '../../domain/ports/artifacts.ts';
import type { Transcript } from '../../domain/predicate/transcript.ts';
import { keyFiles } from './key-files.ts';
import { createWallet, type PredicateProof, type ProveRequest } from './prove.ts';
import { startToolProcess, type ToolProcess } from './tool-process.ts';

/** A prover on the server, for development: it sees secrets. */
export interface DevProver {
  prove(transcript: Transcript, request: Omit<ProveRequest, 'files'>): Promise<Result<PredicateProof>>;
  close(): Promise<void>;
}

/** One tool process for all proofs, started with the first. */
export const createDevProver = ({
  directory,
  artifacts,
}: {
  readonly directory: string;
  readonly artifacts: Pick<Artifacts, 'read'>;
}): DevProver => {
  let tools: ToolProcess | undefined;
  return {
    prove: async (transcript, request) => {
      const files = await keyFiles(directory, transcript, (_, hash) => artifacts.read(hash));
      tools ??= startToolProcess();
      try {
        return await createWallet(tools).prove({ ...request, files });
      } catch (error) {
        // A process that broke down does not come back: the next proof starts another.
        await tools?.close();
        tools = undefined;
        throw error;
      }
    },
    close: async () => tools?.close(),
  };
};
